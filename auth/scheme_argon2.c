/*
 * auth/scheme_argon2.c - argon2id and argon2i (RFC 9106) by libargon2, in one
 * thread whatever the number of lanes: a worker cannot make threads.
 */
#include <argon2.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/scheme_impl.h"
#include "common/fmt/base64.h"

#define SALT_LEN	16
#define HASH_LEN	32
#define HASH_MAX	64
#define MEMORY_KIB	65536u	/* of what is made: RFC 9106 4, second choice */

struct params {
	unsigned long long	version, memory, passes, lanes;	/* memory in KiB */
	uint8_t			salt[SCHEME_SALT_MAX], hash[HASH_MAX];
	size_t			nsalt, nhash;
};

/* "$argon2id$v=19$m=65536,t=3,p=1$SALT$HASH"; without "v=" it is version 16. */
static const char *
parse(const struct scheme *s, struct str in, struct params *p)
{
	size_t		 n = strlen(s->prefix);
	const char	*end;
	struct str	 salt;

	if (in.n < n || memcmp(in.p, s->prefix, n) != 0)
		return "it does not begin as such a hash";
	in.p += n;
	in.n -= n;
	p->version = ARGON2_VERSION_10;
	if (in.n > 0 && in.p[0] == 'v' && (!scheme_number(&in, "v=", '$',
	    ARGON2_VERSION_13, &p->version) ||
	    (p->version != ARGON2_VERSION_13 &&
	    p->version != ARGON2_VERSION_10)))
		return "its version is unknown";
	if (!scheme_number(&in, "m=", ',', UINT32_MAX, &p->memory) ||
	    !scheme_number(&in, "t=", ',', UINT32_MAX, &p->passes) ||
	    !scheme_number(&in, "p=", '$', UINT32_MAX, &p->lanes))
		return "its parameters are malformed";
	if (p->lanes < 1 || p->lanes > SCHEME_LANES_MAX || p->passes < 1 ||
	    p->memory < 8 * p->lanes ||
	    p->memory > SCHEME_MEMORY_MAX / 1024 ||
	    p->passes > SCHEME_WORK_MAX / (p->memory * 1024))
		return "it asks for more work than is done for a login";
	if (in.n == 0 || (end = memchr(in.p, '$', in.n)) == NULL)
		return "it has no hash";
	salt = (struct str){ in.p, (size_t)(end - in.p) };
	in.n -= salt.n + 1;
	in.p = end + 1;
	if (!scheme_base64(salt, p->salt, sizeof(p->salt), &p->nsalt) ||
	    p->nsalt < ARGON2_MIN_SALT_LENGTH ||
	    !scheme_base64(in, p->hash, sizeof(p->hash), &p->nhash) ||
	    p->nhash < 12)
		return "its salt or hash is malformed";
	return NULL;
}

const char *
argon2_wrong(const struct scheme *s, struct str raw)
{
	struct params	p;

	return parse(s, raw, &p);
}

static int
compute(const struct scheme *s, struct params *p, struct str password,
    uint8_t *out)
{
	/* the library only reads it */
	argon2_context	c = {
		.out = out, .outlen = (uint32_t)p->nhash,
		.pwd = (uint8_t *)(uintptr_t)password.p,
		.pwdlen = (uint32_t)password.n,
		.salt = p->salt, .saltlen = (uint32_t)p->nsalt,
		.t_cost = (uint32_t)p->passes, .m_cost = (uint32_t)p->memory,
		.lanes = (uint32_t)p->lanes, .threads = 1,
		.version = (uint32_t)p->version, .flags = ARGON2_DEFAULT_FLAGS
	};

	return argon2_ctx(&c, s->prefix[8] == '$' ? Argon2_i : Argon2_id);
}

bool
argon2_fits(const struct scheme *s, struct str raw, struct str password,
    struct crypt_data *scratch)
{
	struct params	p;
	uint8_t		got[HASH_MAX];
	bool		ok;

	(void)scratch;
	ok = parse(s, raw, &p) == NULL &&
	    compute(s, &p, password, got) == ARGON2_OK &&
	    scheme_same((struct str){ (char *)got, p.nhash },
	    (struct str){ (char *)p.hash, p.nhash });
	explicit_bzero(got, sizeof(got));
	explicit_bzero(&p, sizeof(p));
	return ok;
}

/* Appends base64 without padding. */
static int
put(struct buf *out, const uint8_t *p, size_t n)
{
	if (buf_addc(out, '$') == -1 ||
	    base64_encode(out, (struct str){ (const char *)p, n }) == -1)
		return -1;
	while (out->p[out->n - 1] == '=')
		out->n--;
	return 0;
}

int
argon2_make(const struct scheme *s, struct str password, unsigned long cost,
    struct buf *out)
{
	struct params	p = {
		.version = ARGON2_VERSION_13, .memory = MEMORY_KIB,
		.passes = cost, .lanes = 1, .nsalt = SALT_LEN,
		.nhash = HASH_LEN
	};
	int		r = -1;

	if (cost > SCHEME_WORK_MAX / (MEMORY_KIB * 1024ull)) {
		errno = EINVAL;
		return -1;
	}
	arc4random_buf(p.salt, p.nsalt);
	if (compute(s, &p, password, p.hash) != ARGON2_OK)
		errno = ENOMEM;
	else if (buf_addf(out, "%sv=%d$m=%llu,t=%llu,p=%llu", s->prefix,
	    ARGON2_VERSION_13, p.memory, p.passes, p.lanes) == 0 &&
	    put(out, p.salt, p.nsalt) == 0 && put(out, p.hash, p.nhash) == 0)
		r = 0;
	explicit_bzero(&p, sizeof(p));
	return r;
}
