/*
 * auth/scheme_pbkdf2.c - {PBKDF2} as Dovecot writes it, "$1$SALT$ROUNDS$HEX"
 * with SHA-1, and the keys of SCRAM (RFC 5802 3), "ROUNDS,SALT,STORED,SERVER".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/scheme_impl.h"
#include "common/fmt/base64.h"

#define PBKDF2_SALT_LEN	16
#define SCRAM_SALT_LEN	16
#define SHA1_LEN	20

static struct str
bytes(const uint8_t *p, size_t n)
{
	return (struct str){ (const char *)p, n };
}

/* The text up to the next separator, or all that is left. */
static struct str
part(struct str *in, char separator)
{
	const char	*end = in->n == 0 ? NULL :
			    memchr(in->p, separator, in->n);
	struct str	 s = *in;

	if (end == NULL) {
		in->p += in->n;
		in->n = 0;
		return s;
	}
	s.n = (size_t)(end - in->p);
	in->p = end + 1;
	in->n -= s.n + 1;
	return s;
}

struct pbkdf2 {
	struct str		salt;		/* text, used as it is */
	unsigned long long	rounds;
	struct str		hex;
};

static const char *
pbkdf2_parse(struct str raw, struct pbkdf2 *p)
{
	if (raw.n < 3 || memcmp(raw.p, "$1$", 3) != 0)
		return "it does not begin with $1$";
	raw.p += 3;
	raw.n -= 3;
	p->salt = part(&raw, '$');
	if (p->salt.n == 0 || p->salt.n > SCHEME_SALT_MAX ||
	    str_number(part(&raw, '$'), SCHEME_ROUNDS_MAX, &p->rounds) == -1 ||
	    p->rounds == 0)
		return "its salt or its number of rounds is out of bounds";
	p->hex = raw;
	return raw.n == (size_t)2 * SHA1_LEN ? NULL :
	    "it has not as many digits as such a hash";
}

const char *
pbkdf2_wrong(const struct scheme *s, struct str raw)
{
	struct pbkdf2	p;

	(void)s;
	return pbkdf2_parse(raw, &p);
}

static int
pbkdf2_hex(struct str password, struct str salt, unsigned long long rounds,
    char hex[2 * SHA1_LEN + 1])
{
	static const char	digits[] = "0123456789abcdef";
	uint8_t			got[SHA1_LEN];
	size_t			i;
	int			r;

	r = digest_scram_sha1.pbkdf2(&digest_scram_sha1, password, salt,
	    (unsigned)rounds, got);
	for (i = 0; r == 0 && i < sizeof(got); i++) {
		hex[2 * i] = digits[got[i] >> 4];
		hex[2 * i + 1] = digits[got[i] & 15];
	}
	hex[2 * SHA1_LEN] = '\0';
	explicit_bzero(got, sizeof(got));
	return r;
}

bool
pbkdf2_fits(const struct scheme *s, struct str raw, struct str password,
    struct crypt_data *scratch)
{
	struct pbkdf2	p;
	char		hex[2 * SHA1_LEN + 1];
	bool		ok;

	(void)s;
	(void)scratch;
	ok = pbkdf2_parse(raw, &p) == NULL &&
	    pbkdf2_hex(password, p.salt, p.rounds, hex) == 0 &&
	    scheme_same(str_from(hex), p.hex);
	explicit_bzero(hex, sizeof(hex));
	return ok;
}

int
pbkdf2_make(const struct scheme *s, struct str password, unsigned long cost,
    struct buf *out)
{
	static const char	letters[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUV"
				    "WXYZabcdefghijklmnopqrstuvwxyz";
	char			salt[PBKDF2_SALT_LEN + 1];
	char			hex[2 * SHA1_LEN + 1];
	size_t			i;
	int			r;

	(void)s;
	if (cost > SCHEME_ROUNDS_MAX) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < PBKDF2_SALT_LEN; i++)
		salt[i] = letters[arc4random_uniform(sizeof(letters) - 1)];
	salt[i] = '\0';
	r = pbkdf2_hex(password, str_from(salt), cost, hex);
	if (r == 0)
		r = buf_addf(out, "$1$%s$%lu$%s", salt, cost, hex);
	explicit_bzero(hex, sizeof(hex));
	return r;
}

static const struct scram_hash *
scram_hash_of(const struct scheme *s)
{
	return s->kind == DIGEST_SHA1 ? &digest_scram_sha1 :
	    &digest_scram_sha256;
}

static const char *
scram_parse(const struct scheme *s, struct str raw, struct scram_keys *k)
{
	unsigned long long	rounds;
	size_t			nstored, nserver;

	k->hash = scram_hash_of(s);
	if (str_number(part(&raw, ','), SCHEME_ROUNDS_MAX, &rounds) == -1 ||
	    rounds == 0)
		return "its number of iterations is out of bounds";
	k->iterations = (unsigned)rounds;
	if (!scheme_base64(part(&raw, ','), k->salt, sizeof(k->salt),
	    &k->nsalt) || k->nsalt == 0)
		return "its salt is malformed";
	if (!scheme_base64(part(&raw, ','), k->stored, sizeof(k->stored),
	    &nstored) || nstored != k->hash->size ||
	    !scheme_base64(raw, k->server, sizeof(k->server), &nserver) ||
	    nserver != k->hash->size)
		return "its keys are malformed";
	return NULL;
}

const char *
scram_wrong(const struct scheme *s, struct str raw)
{
	struct scram_keys	k;
	const char		*why = scram_parse(s, raw, &k);

	explicit_bzero(&k, sizeof(k));
	return why;
}

int
scheme_scram_derive(const struct scram_hash *h, struct str password,
    struct str salt, unsigned iterations, struct scram_keys *k)
{
	uint8_t	salted[SCRAM_HASH_MAX], client[SCRAM_HASH_MAX];
	int	r = -1;

	*k = (struct scram_keys){ .hash = h, .iterations = iterations };
	if (salt.n > sizeof(k->salt)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(k->salt, salt.p, salt.n);
	k->nsalt = salt.n;
	if (h->pbkdf2(h, password, salt, iterations, salted) == 0 &&
	    h->hmac(h, bytes(salted, h->size), STR("Client Key"),
	    client) == 0 &&
	    h->hash(h, bytes(client, h->size), k->stored) == 0 &&
	    h->hmac(h, bytes(salted, h->size), STR("Server Key"),
	    k->server) == 0)
		r = 0;
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(client, sizeof(client));
	return r;
}

bool
scram_fits(const struct scheme *s, struct str raw, struct str password,
    struct crypt_data *scratch)
{
	struct scram_keys	want, got;
	bool			ok;

	(void)scratch;
	ok = scram_parse(s, raw, &want) == NULL &&
	    scheme_scram_derive(want.hash, password, bytes(want.salt,
	    want.nsalt), want.iterations, &got) == 0 &&
	    scheme_same(bytes(got.stored, want.hash->size), bytes(want.stored,
	    want.hash->size));
	explicit_bzero(&want, sizeof(want));
	explicit_bzero(&got, sizeof(got));
	return ok;
}

static int
put(struct buf *out, const uint8_t *p, size_t n)
{
	return buf_addc(out, ',') == -1 ||
	    base64_encode(out, bytes(p, n)) == -1 ? -1 : 0;
}

int
scram_make(const struct scheme *s, struct str password, unsigned long cost,
    struct buf *out)
{
	const struct scram_hash	*h = scram_hash_of(s);
	struct scram_keys	 k;
	uint8_t			 salt[SCRAM_SALT_LEN];
	int			 r = -1;

	/* clients have to do it, too, and refuse others (RFC 7677 4) */
	if (cost < SCRAM_ITERATIONS_MIN || cost > SCRAM_ITERATIONS_MAX) {
		errno = EINVAL;
		return -1;
	}
	arc4random_buf(salt, sizeof(salt));
	if (scheme_scram_derive(h, password, bytes(salt, sizeof(salt)),
	    (unsigned)cost, &k) == 0 && buf_addf(out, "%lu", cost) == 0 &&
	    put(out, k.salt, k.nsalt) == 0 &&
	    put(out, k.stored, h->size) == 0 &&
	    put(out, k.server, h->size) == 0)
		r = 0;
	explicit_bzero(&k, sizeof(k));
	return r;
}

bool
scheme_scram(struct str record, const struct scram_hash *hash,
    struct scram_keys *k)
{
	struct scheme_record	r;

	return scheme_split(record, &r) && r.encoding == ENCODING_TEXT &&
	    r.scheme->fits == scram_fits && scram_hash_of(r.scheme) == hash &&
	    scram_parse(r.scheme, r.text, k) == NULL;
}
