/*
 * common/fmt/dot.h - the DATA stream (RFC 5321 4.5.2): dot-unstuffing, the
 * end, and the strict rule on line ends: only CRLF.CRLF ends the message; a
 * bare CR or a bare LF is reported, never taken for an end of line. Also the
 * way out (stuffing) for POP3 and SMTP clients. State machine, no copy where
 * none is needed.
 */
#ifndef FMT_DOT_H
#define FMT_DOT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"

struct dot_in {
	int		state;
	bool		bare_lf, bare_cr, nul;	/* seen somewhere so far */
	size_t		line;			/* bytes in the present line */
	size_t		longest;		/* longest line so far, without CRLF */
};

void	dot_in_init(struct dot_in *);
/*
 * Takes as much of the input as it can and gives one unstuffed piece of it: *out is
 * a view (into the input or a static constant), *used what was consumed.
 * True when the final dot line was consumed with this call. Call again with the rest while it
 * returns false and input is left. The CRLF before the dot belongs to the content.
 */
bool	dot_in_next(struct dot_in *, struct str, struct str *, size_t *);

struct dot_out {
	bool		bol;	/* at the beginning of a line */
	bool		cr;	/* last byte was CR */
};
void	dot_out_init(struct dot_out *);
/* Appends input to buf with dots stuffed; if lf is true LF alone becomes CRLF. */
int	dot_out_add(struct dot_out *, struct str, bool, struct buf *);
/* CRLF if the last line has none, then ".CRLF". */
int	dot_out_end(struct dot_out *, struct buf *);

#endif
