/*
 * imapd/compress.h - COMPRESS=DEFLATE (RFC 4978). What is compressed is flushed whenever the connection is; what it needs of
 * memory is given back while the session waits.
 */
#ifndef IMAPD_COMPRESS_H
#define IMAPD_COMPRESS_H

#include "imapd/session.h"

/* After the reply of COMPRESS was said: from here on. */
void	compress_begin(struct session *);
/* Nothing is going to be sent for a while. */
void	compress_rest(struct session *);
/* Of what is to be said only one reply is missing: it ends the stream (RFC 8437, 4.1). */
void	compress_last(struct session *);
/*
 * After that was sent: waits for the end of the client's stream, which ends with the command that was answered. What was read of what follows
 * it goes into *after; from here on the connection is as it was before. -1: errno.
 */
int	compress_end(struct session *, struct buf *after) must_check;

#endif
