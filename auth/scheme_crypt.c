/*
 * auth/scheme_crypt.c - the hashes of crypt(5). A record may ask for any
 * amount of work: what is more than a log-in can take is refused before
 * libcrypt sees it.
 */
#include <errno.h>
#include <string.h>

#include "auth/scheme_impl.h"
#include "common/proc/proto_auth.h"

#define TOO_COSTLY	"it asks for more work than is done for a login"
#define NOT_A_HASH	"no hash that is known here"

static bool
starts(struct str s, const char *prefix)
{
	size_t	n = strlen(prefix);

	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

static struct str
behind(struct str s, size_t n)
{
	return (struct str){ s.p + n, s.n - n };
}

/* A character of crypt's base 64, "./0-9A-Za-z"; 64: it is none. */
static unsigned
digit64(char c)
{
	if (c >= '.' && c <= '9')
		return (unsigned)(c - '.');
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A') + 12;
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 38;
	return 64;
}

/* Memory of 2^log blocks of 128 r bytes. */
static bool
memory_ok(unsigned long long log, unsigned long long r)
{
	return log < 32 && r <= SCHEME_MEMORY_MAX / 128 &&
	    (128 * r) << log <= SCHEME_MEMORY_MAX;
}

/*
 * yescrypt's "j9T$": a letter for its kind, one for the logarithm of N, one
 * for r, each of them small enough to be written as one character.
 */
static const char *
yescrypt_wrong(struct str s)
{
	unsigned	kind, log, r;

	if (s.n < 5)
		return NOT_A_HASH;
	kind = digit64(s.p[0]);
	log = digit64(s.p[1]);
	r = digit64(s.p[2]);
	if (kind > 47 || log > 47 || r > 47 || s.p[3] != '$')
		return TOO_COSTLY;
	return memory_ok(log + 1, r + 1) ? NULL : TOO_COSTLY;
}

/* scrypt's: a character for the logarithm of N, five for r, five for p. */
static const char *
scrypt_wrong(struct str s)
{
	unsigned long long	r = 0, p = 0;
	size_t			i;

	if (s.n < 12)
		return NOT_A_HASH;
	for (i = 0; i < 5; i++) {
		r |= (unsigned long long)digit64(s.p[1 + i]) << 6 * i;
		p |= (unsigned long long)digit64(s.p[6 + i]) << 6 * i;
	}
	return p <= 16 && memory_ok(digit64(s.p[0]), r) ? NULL : TOO_COSTLY;
}

static const char *
sha_wrong(struct str s)
{
	unsigned long long	rounds;

	if (!starts(s, "rounds="))
		return s.n > 0 ? NULL : NOT_A_HASH;
	return scheme_number(&s, "rounds=", '$', SCHEME_ROUNDS_MAX, &rounds) ?
	    NULL : TOO_COSTLY;
}

static const char *
bcrypt_wrong(struct str s)
{
	unsigned long long	log;

	if (s.n < 4 || s.p[2] != '$' ||
	    str_number((struct str){ s.p, 2 }, 99, &log) == -1)
		return NOT_A_HASH;
	return log <= SCHEME_BCRYPT_MAX ? NULL : TOO_COSTLY;
}

static const char *
des_wrong(struct str s)
{
	size_t	i;

	if (s.n != 13)
		return NOT_A_HASH;
	for (i = 0; i < s.n; i++)
		if (digit64(s.p[i]) > 63)
			return NOT_A_HASH;
	return NULL;
}

static const char *
md5_wrong(struct str s)
{
	return s.n > 0 ? NULL : NOT_A_HASH;
}

static const struct {
	const char	*prefix;
	const char	*(*wrong)(struct str behind);
} methods[] = {
	{ "$y$", yescrypt_wrong }, { "$gy$", yescrypt_wrong },
	{ "$7$", scrypt_wrong }, { "$6$", sha_wrong }, { "$5$", sha_wrong },
	{ "$2a$", bcrypt_wrong }, { "$2b$", bcrypt_wrong },
	{ "$2y$", bcrypt_wrong }, { "$1$", md5_wrong },
};

const char *
crypt_wrong(const struct scheme *scheme, struct str hash)
{
	size_t	i;

	(void)scheme;
	if (hash.n > 0 && (hash.p[0] == '!' || hash.p[0] == '*'))
		return "it is locked";
	for (i = 0; i < nitems(methods); i++)
		if (starts(hash, methods[i].prefix))
			return methods[i].wrong(behind(hash,
			    strlen(methods[i].prefix)));
	return des_wrong(hash);
}

bool
crypt_fits(const struct scheme *scheme, struct str hash, struct str password,
    struct crypt_data *scratch)
{
	char		 text[AUTH_PASS_MAX + 1], setting[USER_PASSWORD_MAX + 1];
	const char	*got;
	bool		 ok = false;

	(void)scheme;
	if (str_copy(text, sizeof(text), password) == 0 &&
	    str_copy(setting, sizeof(setting), hash) == 0) {
		scratch->initialized = 0;
		got = crypt_r(text, setting, scratch);
		ok = got != NULL && got[0] != '*' &&
		    scheme_same(str_from(got), hash);
	}
	explicit_bzero(text, sizeof(text));
	return ok;
}

int
crypt_make(const struct scheme *scheme, struct str password,
    unsigned long cost, struct buf *out)
{
	struct crypt_data	 data = { .initialized = 0 };
	char			 text[AUTH_PASS_MAX + 1];
	char			 setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char		*got = NULL;
	int			 r = -1;

	errno = EINVAL;
	if (crypt_gensalt_rn(scheme->prefix, cost, NULL, 0, setting,
	    sizeof(setting)) == NULL ||
	    str_copy(text, sizeof(text), password) == -1)
		return -1;
	got = crypt_r(text, setting, &data);
	if (got == NULL || got[0] == '*' ||
	    crypt_wrong(scheme, str_from(got)) != NULL)
		errno = EINVAL;
	else
		r = buf_adds(out, got);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(&data, sizeof(data));
	return r;
}
