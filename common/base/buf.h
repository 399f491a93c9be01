/*
 * common/base/buf.h - a growing buffer with a hard maximum given at birth.
 * A buf_add that fails (ENOMEM, or EMSGSIZE beyond the maximum) also sets
 * `bad`, so a writer may add many things and look once at the end (buf_ok).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/str.h"

struct buf {
	char	*p;	/* n bytes are used, cap are owned */
	size_t	 n;
	size_t	 cap;
	size_t	 max;
	bool	 bad;	/* something did not fit since buf_init/buf_reset, */
	int	 why;	/* and that was its last errno */
};

void		 buf_init(struct buf *, size_t);	/* allocates nothing yet */
void		 buf_free(struct buf *);		/* back to the state after buf_init */
void		 buf_reset(struct buf *);		/* empty, keeps its memory */
void		 buf_wipe(struct buf *);		/* explicit_bzero, then buf_free */
int		 buf_add(struct buf *, const void *, size_t);
int		 buf_addstr(struct buf *, struct str);
int		 buf_adds(struct buf *, const char *);	/* C string */
int		 buf_addc(struct buf *, char);
int		 buf_addu(struct buf *, uint64_t);	/* in decimal; there are many of them, and printf is slow */
int		 buf_addf(struct buf *, const char *, ...) printf_like(2, 3);
int		 buf_vaddf(struct buf *, const char *, va_list) printf_like(2, 0);
/* Room for n more bytes at p + n (not counted yet); the caller adds to n. */
int		 buf_reserve(struct buf *, size_t) must_check;
/* Forget the first n bytes (n <= b->n). */
void		 buf_consume(struct buf *, size_t);
struct str	 buf_view(const struct buf *);
/* NUL-ended view of the content; NULL (EMSGSIZE, ENOMEM, or EINVAL for an inner NUL). */
const char	*buf_cstr(struct buf *) must_check;
bool		 buf_ok(const struct buf *);

#endif
