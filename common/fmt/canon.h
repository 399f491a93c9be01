/*
 * common/fmt/canon.h - body canonicalization of RFC 6376 3.4.3 and 3.4.4, as
 * a stream. Pure: it calls the sink with pieces; the digest is the caller's.
 */
#ifndef FMT_CANON_H
#define FMT_CANON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/str.h"

/*
 * Both forms in one pass. sink(arg, which, bytes) with which = CANON_BOTH as long as the two
 * forms are the same so far; at the first difference fork(arg) is called once, then
 * pieces come as CANON_SIMPLE and CANON_RELAXED. So a body without odd blanks is hashed once.
 */
enum canon_which { CANON_BOTH, CANON_SIMPLE, CANON_RELAXED };

struct canon_ops {
	void	(*sink)(void *, enum canon_which, const char *, size_t);
	void	(*fork)(void *);
};

struct canon_side {
	uint64_t	empty_lines;	/* CRLFs held back */
	bool		wsp;		/* relaxed: blanks held back */
	bool		any;		/* something of this line was given out */
	bool		body;		/* something of the body was given out */
};

struct canon {
	const struct canon_ops	*ops;
	void			*arg;
	bool			 forked;
	bool			 cr;		/* a CR is held back */
	struct canon_side	 simple, relaxed;
};

void	canon_init(struct canon *, const struct canon_ops *, void *);
void	canon_add(struct canon *, const char *, size_t);	/* body bytes with CRLF */
/* End of body: an empty simple body is one CRLF, an empty relaxed body nothing. Missing last CRLF is added. */
void	canon_end(struct canon *);

#endif
