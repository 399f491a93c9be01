/*
 * imapd/deflate_layer.h - zlib between a connection's buffers and its descriptor (RFC 4978). No more is inflated than the reader has room
 * for, so that its limits hold whatever the peer sends. Everything sent is flushed before it counts as sent.
 *
 * Memory: 64 KiB to compress (a window of 8 KiB, which is what answers to a client have in common), nothing of it while the session waits,
 * for deflate's blocks after a flush need nothing of those before; to inflate, what the peer's window asks for, at most 40 KiB.
 */
#ifndef IMAPD_DEFLATE_LAYER_H
#define IMAPD_DEFLATE_LAYER_H

#include "common/net/conn.h"

/*
 * From here on; the connection has no layer yet, and its output is flushed. What cannot be inflated fails with EBADMSG, the peer's end of
 * its stream is the end of file. level: 0 to 9, as deflateInit2 has it. -1: ENOMEM.
 */
int	deflate_layer_begin(struct conn *, int level) must_check;
/* Nothing is going to be sent for a while. No effect without the layer. */
void	deflate_layer_rest(struct conn *);
/* With what is flushed next, all of it at once, our stream ends; nothing can be sent behind it (EPIPE). */
void	deflate_layer_last(struct conn *);
/*
 * After that: waits, so many ms at most, for the end of the peer's stream, which has nothing in it any more. What was read of what follows it
 * goes into *after; from here on the connection has no layer. -1: errno, EBADMSG if the peer goes on with its stream.
 */
int	deflate_layer_end(struct conn *, int64_t timeout_ms, struct buf *after) must_check;

#endif
