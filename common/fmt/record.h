/*
 * common/fmt/record.h - tagged netstrings: "F15:ann@example.org,\n". The codec
 * of packets between processes and of the spool's envelope (design, section 4).
 */
#ifndef FMT_RECORD_H
#define FMT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

struct field {
	char		tag;	/* A-Z a-z */
	struct str	value;	/* view into the input */
};

/* The next field; false at the end or on anything malformed (then the cursor is not at its end). */
bool	record_next(struct cur *, struct field *);
/* Append one; errors stay in the buffer (buf_ok). */
void	record_put(struct buf *, char, struct str);
void	record_puts(struct buf *, char, const char *);
void	record_putf(struct buf *, char, const char *, ...) printf_like(3, 4);
void	record_putu(struct buf *, char, uint64_t);	/* decimal */
/* First field with the tag; false if it is not there or the record is malformed before it. */
bool	record_get(struct str, char, struct str *);
/* As above as a C string into dst; also false if too long or with a NUL inside. */
bool	record_gets(struct str, char, char *, size_t);
/* Text that may be missing, then it is ""; false also with a control character. */
bool	record_get_text(struct str, char, char *, size_t);
bool	record_getu(struct str, char, uint64_t, uint64_t *);	/* third: maximum */
/* Is the whole record well-formed? */
bool	record_ok(struct str);

#endif
