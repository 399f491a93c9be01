/* auth/scheme_hash.c - passwords as they are, and hashed once, with salt and without. */
#include <stdlib.h>
#include <string.h>

#include "auth/scheme_impl.h"

#define SALT_LEN	16

static struct str
bytes(const uint8_t *p, size_t n)
{
	return (struct str){ (const char *)p, n };
}

const char *
plain_wrong(const struct scheme *s, struct str raw)
{
	(void)s;
	return raw.n == 0 ? "it is empty" : NULL;
}

bool
plain_fits(const struct scheme *s, struct str raw, struct str password,
    struct crypt_data *scratch)
{
	(void)s;
	(void)scratch;
	return scheme_same(raw, password);
}

int
plain_make(const struct scheme *s, struct str password, unsigned long cost,
    struct buf *out)
{
	(void)s;
	(void)cost;
	return buf_addstr(out, password);
}

const char *
hash_wrong(const struct scheme *s, struct str raw)
{
	return raw.n == digest_size(s->kind) ? NULL :
	    "it has not as many bytes as such a hash";
}

/* The hash, then its salt. */
const char *
salted_wrong(const struct scheme *s, struct str raw)
{
	size_t	n = digest_size(s->kind);

	return raw.n > n && raw.n <= n + SCHEME_SALT_MAX ? NULL :
	    "it has not as many bytes as such a hash and a salt";
}

bool
hash_fits(const struct scheme *s, struct str raw, struct str password,
    struct crypt_data *scratch)
{
	uint8_t		got[DIGEST_BYTES_MAX];
	size_t		n = digest_size(s->kind);
	struct str	salt = { raw.p + n, raw.n - n };
	bool		ok;

	(void)scratch;
	ok = digest_pair(s->kind, password, salt, got) == 0 &&
	    scheme_same(bytes(got, n), (struct str){ raw.p, n });
	explicit_bzero(got, sizeof(got));
	return ok;
}

int
salted_make(const struct scheme *s, struct str password, unsigned long cost,
    struct buf *out)
{
	uint8_t	got[DIGEST_BYTES_MAX], salt[SALT_LEN];

	(void)cost;
	arc4random_buf(salt, sizeof(salt));
	if (digest_pair(s->kind, password, bytes(salt, sizeof(salt)),
	    got) == -1 || buf_add(out, got, digest_size(s->kind)) == -1)
		return -1;
	return buf_add(out, salt, sizeof(salt));
}
