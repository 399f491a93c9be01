/* auth/scheme_scram.c - the keys that SCRAM keeps instead of a password (RFC 5802 3), as Dovecot writes them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/scheme_impl.h"

#define SALT_LEN	16

static const struct scram_hash *
hash_of(const struct scheme *s)
{
	return s->kind == DIGEST_SHA1 ? &digest_scram_sha1 :
	    &digest_scram_sha256;
}

const char *
scram_wrong(const struct scheme *s, struct str raw)
{
	struct scram_keys	k;
	bool			ok = scram_keys_parse(hash_of(s), raw, &k);

	explicit_bzero(&k, sizeof(k));
	return ok ? NULL : "it is not ROUNDS,SALT,STORED,SERVER within bounds";
}

bool
scram_fits(const struct scheme *s, struct str raw, struct str password,
    struct crypt_data *scratch)
{
	const struct scram_hash	*h = hash_of(s);
	struct scram_keys	 want, got;
	bool			 ok = false;

	(void)scratch;
	if (scram_keys_parse(h, raw, &want)) {
		got = want;
		ok = scram_keys_derive(h, password, &got) == 0 &&
		    scheme_same((struct str){ (char *)got.stored, h->size },
		    (struct str){ (char *)want.stored, h->size });
	}
	explicit_bzero(&want, sizeof(want));
	explicit_bzero(&got, sizeof(got));
	return ok;
}

int
scram_make(const struct scheme *s, struct str password, unsigned long cost,
    struct buf *out)
{
	const struct scram_hash	*h = hash_of(s);
	struct scram_keys	 k = { .salt_n = SALT_LEN };
	int			 r = -1;

	/* clients have to do it, too, and refuse others (RFC 7677 4) */
	if (cost < SCRAM_ITERATIONS_MIN || cost > SCRAM_ITERATIONS_MAX) {
		errno = EINVAL;
		return -1;
	}
	k.iterations = (unsigned)cost;
	arc4random_buf(k.salt, k.salt_n);
	if (scram_keys_derive(h, password, &k) == 0)
		r = scram_keys_text(h, &k, out);
	explicit_bzero(&k, sizeof(k));
	return r;
}

bool
scheme_scram(struct str record, const struct scram_hash *hash,
    struct scram_keys *k)
{
	struct scheme_record	r;

	return scheme_split(record, &r) && r.encoding == ENCODING_TEXT &&
	    r.scheme->fits == scram_fits && hash_of(r.scheme) == hash &&
	    scram_keys_parse(hash, r.text, k);
}
