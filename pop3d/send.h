/* pop3d/send.h - a message on its way out: CRLF line ends, dots stuffed. */
#ifndef POP3D_SEND_H
#define POP3D_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/net/conn.h"

/* How much of a message TOP shows (RFC 1939, 7). Pure. */
struct top {
	uint64_t	left;		/* lines of the body still to show */
	bool		body;		/* the header is over */
	size_t		column;		/* bytes in the present line ... */
	bool		only_cr;	/* ... which are one CR */
	bool		done;
};

void	top_init(struct top *, uint64_t lines);
/* How many bytes of the next piece are shown; done once the rest is not. */
size_t	top_take(struct top *, struct str);

/*
 * The content of fd and the final dot. top NULL: all of it. utf8: the client knows UTF-8 in headers; if not it gets a
 * surrogate of the header (RFC 6856, 2.1), as far as it is within SEND_HEADER. Adds to *bytes what was sent. -1: errno,
 * and the connection cannot go on.
 */
#define SEND_HEADER	65536
int	send_message(struct conn *, int fd, struct top *top, bool utf8, int64_t timeout,
	    uint64_t *bytes) must_check;

#endif
