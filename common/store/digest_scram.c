/* common/store/digest_scram.c - hash, HMAC and PBKDF2 for SCRAM, by OpenSSL's EVP. */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/store/digest.h"

static const EVP_MD *
md_of(const struct scram_hash *h)
{
	return h == &digest_scram_sha1 ? EVP_sha1() : EVP_sha256();
}

static int
hash(const struct scram_hash *h, struct str s, uint8_t *out)
{
	return EVP_Digest(s.p, s.n, out, NULL, md_of(h), NULL) == 1 ? 0 : -1;
}

static int
hmac(const struct scram_hash *h, struct str key, struct str s, uint8_t *out)
{
	return HMAC(md_of(h), key.p, (int)key.n, (const unsigned char *)s.p,
	    s.n, out, NULL) == NULL ? -1 : 0;
}

static int
pbkdf2(const struct scram_hash *h, struct str password, struct str salt,
    unsigned iterations, uint8_t *out)
{
	return PKCS5_PBKDF2_HMAC(password.p, (int)password.n,
	    (const unsigned char *)salt.p, (int)salt.n, (int)iterations,
	    md_of(h), (int)h->size, out) == 1 ? 0 : -1;
}

const struct scram_hash	digest_scram_sha1 = { 20, hash, hmac, pbkdf2 };
const struct scram_hash	digest_scram_sha256 = { 32, hash, hmac, pbkdf2 };
