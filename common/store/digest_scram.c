/* common/store/digest_scram.c - hash, HMAC and PBKDF2 for SCRAM, by OpenSSL's EVP. */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/store/digest.h"

static int
hash(const EVP_MD *md, struct str s, uint8_t *out)
{
	return EVP_Digest(s.p, s.n, out, NULL, md, NULL) == 1 ? 0 : -1;
}

static int
hmac(const EVP_MD *md, struct str key, struct str s, uint8_t *out)
{
	return HMAC(md, key.p, (int)key.n, (const unsigned char *)s.p, s.n,
	    out, NULL) == NULL ? -1 : 0;
}

static int
pbkdf2(const EVP_MD *md, struct str password, struct str salt,
    unsigned iterations, uint8_t *out)
{
	return PKCS5_PBKDF2_HMAC(password.p, (int)password.n,
	    (const unsigned char *)salt.p, (int)salt.n, (int)iterations, md,
	    EVP_MD_get_size(md), out) == 1 ? 0 : -1;
}

static int
hash1(struct str s, uint8_t *out)
{
	return hash(EVP_sha1(), s, out);
}

static int
hmac1(struct str key, struct str s, uint8_t *out)
{
	return hmac(EVP_sha1(), key, s, out);
}

static int
pbkdf2_1(struct str password, struct str salt, unsigned n, uint8_t *out)
{
	return pbkdf2(EVP_sha1(), password, salt, n, out);
}

static int
hash256(struct str s, uint8_t *out)
{
	return hash(EVP_sha256(), s, out);
}

static int
hmac256(struct str key, struct str s, uint8_t *out)
{
	return hmac(EVP_sha256(), key, s, out);
}

static int
pbkdf2_256(struct str password, struct str salt, unsigned n, uint8_t *out)
{
	return pbkdf2(EVP_sha256(), password, salt, n, out);
}

const struct scram_hash	digest_scram_sha1 = { 20, hash1, hmac1, pbkdf2_1 };
const struct scram_hash	digest_scram_sha256 = {
	32, hash256, hmac256, pbkdf2_256
};
