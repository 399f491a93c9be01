/* common/store/digest.c - SHA-256 by OpenSSL's EVP. */
#include "common/store/digest.h"

#include <openssl/evp.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct digest {
	EVP_MD_CTX	*ctx;
	bool		 bad;	/* an update failed: no digest */
};

static struct digest *
digest_alloc(void)
{
	struct digest	*d;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	if ((d->ctx = EVP_MD_CTX_new()) == NULL) {
		free(d);
		errno = ENOMEM;
		return NULL;
	}
	return d;
}

struct digest *
digest_new(void)
{
	struct digest	*d;

	if ((d = digest_alloc()) == NULL)
		return NULL;
	if (EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1) {
		digest_free(&d);
		errno = ENOMEM;
	}
	return d;
}

struct digest *
digest_copy(const struct digest *from)
{
	struct digest	*d;

	if ((d = digest_alloc()) == NULL)
		return NULL;
	d->bad = from->bad;
	if (EVP_MD_CTX_copy_ex(d->ctx, from->ctx) != 1) {
		digest_free(&d);
		errno = ENOMEM;
	}
	return d;
}

void
digest_add(struct digest *d, const void *p, size_t n)
{
	if (EVP_DigestUpdate(d->ctx, p, n) != 1)
		d->bad = true;
}

int
digest_hex(struct digest *d, char hex[DIGEST_HEX + 1])
{
	static const char	digits[] = "0123456789abcdef";
	unsigned char		raw[EVP_MAX_MD_SIZE];
	unsigned		n, i;
	bool			bad = d->bad;

	d->bad = false;
	if (EVP_DigestFinal_ex(d->ctx, raw, &n) != 1 || n != DIGEST_SIZE)
		bad = true;
	/* NULL keeps the algorithm that was fetched by digest_new. */
	if (EVP_DigestInit_ex(d->ctx, NULL, NULL) != 1)
		d->bad = true;
	if (bad) {
		errno = EIO;
		return -1;
	}
	for (i = 0; i < DIGEST_SIZE; i++) {
		hex[2 * i] = digits[raw[i] >> 4];
		hex[2 * i + 1] = digits[raw[i] & 15];
	}
	hex[DIGEST_HEX] = '\0';
	return 0;
}

void
digest_free(struct digest **dp)
{
	if (*dp == NULL)
		return;
	EVP_MD_CTX_free((*dp)->ctx);
	free(*dp);
	*dp = NULL;
}

int
digest_text(struct str s, char hex[DIGEST_HEX + 1])
{
	struct digest	*d;
	int		 r;

	if ((d = digest_new()) == NULL)
		return -1;
	digest_add(d, s.p, s.n);
	r = digest_hex(d, hex);
	digest_free(&d);
	return r;
}
