/* common/store/digest.h - SHA-256, and what SCRAM and records of passwords are made of; digest*.c are the only files that include OpenSSL's digests. */
#ifndef STORE_DIGEST_H
#define STORE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/fmt/scram.h"

#define DIGEST_SIZE	32
#define DIGEST_HEX	64

struct digest;

struct digest	*digest_new(void) must_check;		/* NULL: ENOMEM */
struct digest	*digest_copy(const struct digest *) must_check;
void		 digest_add(struct digest *, const void *, size_t);
/* Hex (lower case, NUL-ended) of what was added; ready for new input afterwards. */
int		 digest_hex(struct digest *, char[DIGEST_HEX + 1]) must_check;
void		 digest_free(struct digest **);
/* All of it at once. */
int		 digest_text(struct str, char[DIGEST_HEX + 1]) must_check;

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512 };
#define DIGEST_BYTES_MAX 64

size_t		 digest_size(enum digest_kind);
/* The hash, digest_size bytes of it, of one text and then another. -1: this system does not compute it. */
int		 digest_pair(enum digest_kind, struct str, struct str, uint8_t *) must_check;

extern const struct scram_hash	digest_scram_sha1, digest_scram_sha256;

#endif
