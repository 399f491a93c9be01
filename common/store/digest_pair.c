/* common/store/digest_pair.c - hashes that records of passwords are made of, by OpenSSL's EVP. */
#include <openssl/evp.h>

#include "common/store/digest.h"

static const EVP_MD *
md_of(enum digest_kind kind)
{
	switch (kind) {
	case DIGEST_MD5:
		return EVP_md5();
	case DIGEST_SHA1:
		return EVP_sha1();
	case DIGEST_SHA256:
		return EVP_sha256();
	case DIGEST_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

size_t
digest_size(enum digest_kind kind)
{
	return (size_t)EVP_MD_get_size(md_of(kind));
}

int
digest_pair(enum digest_kind kind, struct str a, struct str b, uint8_t *out)
{
	EVP_MD_CTX	*ctx;
	int		 ok;

	if ((ctx = EVP_MD_CTX_new()) == NULL)
		return -1;
	ok = EVP_DigestInit_ex(ctx, md_of(kind), NULL) == 1 &&
	    EVP_DigestUpdate(ctx, a.p, a.n) == 1 &&
	    EVP_DigestUpdate(ctx, b.p, b.n) == 1 &&
	    EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -1;
}
