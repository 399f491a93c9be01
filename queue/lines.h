/*
 * queue/lines.h - what programs write to sendmail becomes lines that end with
 * CRLF, are not too long and hold neither a CR nor a NUL. Pure: a state machine
 * that takes its input in pieces of any size. The rules stand in sendmail(8).
 */
#ifndef QUEUE_LINES_H
#define QUEUE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/str.h"

enum lines_flags {
	LINES_DOT = 1,		/* a line of one dot ends the input */
	LINES_STUFFED = 2,	/* with DOT: a dot at the beginning of a line goes (RFC 5321 4.5.2) */
	LINES_CRLF = 4		/* with DOT: there a line begins and ends with CRLF only */
};

struct lines {
	unsigned	flags;
	int		state;
	size_t		max;	/* longest line without CRLF */
	size_t		n;	/* bytes in the present line */
};

void	lines_init(struct lines *, unsigned flags, size_t max);
/* Adds to buf (buf_ok tells); *used bytes were taken. True: the dot has come, what follows is not ours. */
bool	lines_add(struct lines *, struct str, size_t *used, struct buf *);
/* The input has ended: so does its last line. */
void	lines_end(struct lines *, struct buf *);

#endif
