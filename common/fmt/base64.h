/* common/fmt/base64.h - RFC 4648 sections 4 and 5. Pure. */
#ifndef FMT_BASE64_H
#define FMT_BASE64_H

#include "common/base/buf.h"
#include "common/base/str.h"

/* Bytes of n when encoded, without line ends. */
#define BASE64_LEN(n)	(((n) + 2) / 3 * 4)

/* Appends, padded, no line ends. -1: the buffer's errno. */
int	base64_encode(struct buf *, struct str);
/* Appends; strict: nothing but the alphabet, padding at the end, unused bits 0. -1 EINVAL, or the buffer's errno. */
int	base64_decode(struct buf *, struct str);
/* The alphabet for addresses and file names, without padding (RFC 7515 2); as strict. */
int	base64url_decode(struct buf *, struct str);

#endif
