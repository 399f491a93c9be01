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

#endif
