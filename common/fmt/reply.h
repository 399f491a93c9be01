/*
 * common/fmt/reply.h - replies of SMTP and LMTP servers (RFC 5321 4.2), line by line. Pure. What a server says
 * is bounded and cleaned here, so that it can stand in a log, a status file and a bounce.
 */
#ifndef FMT_REPLY_H
#define FMT_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/str.h"

#define REPLY_LINE	4096u	/* the longest line taken, with its end; RFC 5321 4.5.3.1.5 promises 512 */
#define REPLY_LINES	200u	/* the most in a reply; EHLO has some twenty */
#define REPLY_TEXT	1000u	/* bytes kept */

enum reply_step {
	REPLY_MORE,	/* a further line follows */
	REPLY_END,	/* that was the last one */
	REPLY_BAD	/* no reply at all, another code than in the line before, or too many lines */
};

struct reply {
	unsigned	code;			/* 200 to 599; 0: none yet */
	char		status[12];		/* "5.1.1" (RFC 2034) of the first line, "" if it has none of the code's class */
	char		text[REPLY_TEXT + 1];	/* "550 5.1.1 no such user, sorry": printable ASCII, lines joined */
	size_t		n;			/* bytes in text */
	unsigned	lines;
};

void	reply_init(struct reply *);
/* A line without its end, as it came; *rest is what stands behind the code (a view into it). */
enum reply_step reply_take(struct reply *, struct str line, struct str *rest);
/* The enhanced status, or one made of the code's class: "4.0.0". */
void	reply_status(const struct reply *, char[12]);

#endif
