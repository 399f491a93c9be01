/*
 * auth/scheme_pbkdf2.c - {PBKDF2} as Dovecot writes it, "$1$SALT$ROUNDS$HEX"
 * with SHA-1.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/scheme_impl.h"

#define PBKDF2_SALT_LEN	16
#define SHA1_LEN	20

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
