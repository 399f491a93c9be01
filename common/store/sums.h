/*
 * common/store/sums.h - the two body digests of a message (RFC 6376 3.4.3 and
 * 3.4.4) while its content passes, in pieces cut anywhere.
 */
#ifndef STORE_SUMS_H
#define STORE_SUMS_H

#include <stddef.h>

#include "common/base/attr.h"
#include "common/store/digest.h"

struct sums;

struct sums	*sums_new(void) must_check;	/* NULL: ENOMEM */
/* Content from its first byte: the header, the empty line and the body, with CRLF line ends. */
void		 sums_add(struct sums *, const void *, size_t);
/* Both digests. Nothing may be added afterwards. -1: ENOMEM or EIO. */
int		 sums_end(struct sums *, char simple[DIGEST_HEX + 1], char relaxed[DIGEST_HEX + 1]) must_check;
void		 sums_free(struct sums **);

#endif
