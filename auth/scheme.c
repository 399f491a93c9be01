/*
 * auth/scheme.c - records of passwords: which scheme, which encoding. Runs in
 * auth's workers over what administrators and their programs wrote, and in
 * the tool that makes records. Pure but for scratch memory and randomness.
 */
#include "auth/scheme.h"

#include <errno.h>
#include <string.h>

#include "auth/scheme_impl.h"
#include "common/fmt/base64.h"
#include "common/proc/proto_auth.h"

#define TEXT_MAX	(USER_PASSWORD_MAX > AUTH_PASS_MAX ? \
			    USER_PASSWORD_MAX : AUTH_PASS_MAX)

#define CRYPT(name, prefix, cost, make) \
	{ name, ENCODING_TEXT, false, 0, prefix, cost, crypt_wrong, \
	    crypt_fits, make }
#define HASH(name, encoding, kind) \
	{ name, encoding, true, kind, NULL, 0, hash_wrong, hash_fits, NULL }
#define SALTED(name, kind, make) \
	{ name, ENCODING_BASE64, true, kind, NULL, 0, salted_wrong, \
	    hash_fits, make }

static const struct scheme schemes[] = {
	/* cost: what libcrypt has by itself, some 20 ms */
	CRYPT("CRYPT", "$y$", 0, crypt_make),
	CRYPT("SHA512-CRYPT", "$6$", 100000, crypt_make),
	CRYPT("SHA256-CRYPT", "$5$", 100000, crypt_make),
	CRYPT("BLF-CRYPT", "$2y$", 10, crypt_make),
	CRYPT("MD5-CRYPT", "$1$", 0, NULL),
	CRYPT("DES-CRYPT", "", 0, NULL),
	{ "ARGON2ID", ENCODING_TEXT, false, 0, "$argon2id$", 3, argon2_wrong,
	    argon2_fits, argon2_make },
	{ "ARGON2I", ENCODING_TEXT, false, 0, "$argon2i$", 4, argon2_wrong,
	    argon2_fits, argon2_make },
	{ "PBKDF2", ENCODING_TEXT, false, DIGEST_SHA1, NULL, 100000,
	    pbkdf2_wrong, pbkdf2_fits, pbkdf2_make },
	{ "SCRAM-SHA-256", ENCODING_TEXT, false, DIGEST_SHA256, NULL, 10000,
	    scram_wrong, scram_fits, scram_make },
	{ "SCRAM-SHA-1", ENCODING_TEXT, false, DIGEST_SHA1, NULL, 10000,
	    scram_wrong, scram_fits, scram_make },
	SALTED("SSHA512", DIGEST_SHA512, salted_make),
	SALTED("SSHA256", DIGEST_SHA256, salted_make),
	SALTED("SSHA", DIGEST_SHA1, NULL),
	SALTED("SMD5", DIGEST_MD5, NULL),
	HASH("SHA512", ENCODING_BASE64, DIGEST_SHA512),
	HASH("SHA256", ENCODING_BASE64, DIGEST_SHA256),
	HASH("SHA", ENCODING_BASE64, DIGEST_SHA1),
	HASH("LDAP-MD5", ENCODING_BASE64, DIGEST_MD5),
	HASH("PLAIN-MD5", ENCODING_HEX, DIGEST_MD5),
	{ "PLAIN", ENCODING_TEXT, true, 0, NULL, 0, plain_wrong, plain_fits,
	    plain_make },
	{ "CLEARTEXT", ENCODING_TEXT, true, 0, NULL, 0, plain_wrong,
	    plain_fits, plain_make },
};

static const struct { const char *name, *means; } aliases[] = {
	{ "YESCRYPT", "CRYPT" }, { "BCRYPT", "BLF-CRYPT" },
	{ "MD5", "MD5-CRYPT" }, { "SHA1", "SHA" }, { "CLEAR", "CLEARTEXT" },
};

const struct scheme *
scheme_find(struct str name)
{
	size_t	i;

	for (i = 0; i < nitems(aliases); i++)
		if (str_eq_nocase(name, str_from(aliases[i].name)))
			name = str_from(aliases[i].means);
	for (i = 0; i < nitems(schemes); i++)
		if (str_eq_nocase(name, str_from(schemes[i].name)))
			return &schemes[i];
	return NULL;
}

const char *
scheme_name(const struct scheme *s)
{
	return s->name;
}

const struct scheme *
scheme_at(size_t i)
{
	return i < nitems(schemes) ? &schemes[i] : NULL;
}

bool
scheme_makes(const struct scheme *s)
{
	return s->make != NULL;
}

bool
scheme_is_cheap(const struct scheme *s)
{
	return s->cheap;
}

/* "SSHA.HEX": without ".HEX", which is taken note of. */
static bool
take_encoding(struct str *name, char *encoding)
{
	const char	*dot = name->n == 0 ? NULL :
			    memchr(name->p, '.', name->n);
	struct str	 word;

	*encoding = 0;
	if (dot == NULL)
		return true;
	word.p = dot + 1;
	word.n = name->n - (size_t)(word.p - name->p);
	name->n = (size_t)(dot - name->p);
	if (str_eq_nocase(word, STR("HEX")))
		*encoding = ENCODING_HEX;
	else if (str_eq_nocase(word, STR("B64")) ||
	    str_eq_nocase(word, STR("BASE64")))
		*encoding = ENCODING_BASE64;
	return *encoding != 0;
}

bool
scheme_split(struct str record, struct scheme_record *out)
{
	struct str	 name = STR("CRYPT");
	const char	*end;

	if (record.n > 0 && record.p[0] == '{') {
		if ((end = memchr(record.p, '}', record.n)) == NULL)
			return false;
		name.p = record.p + 1;
		name.n = (size_t)(end - name.p);
		record.n -= name.n + 2;
		record.p = end + 1;
	}
	if (record.n == 0 || record.n > USER_PASSWORD_MAX ||
	    !take_encoding(&name, &out->encoding) ||
	    (out->scheme = scheme_find(name)) == NULL)
		return false;
	out->text = record;
	if (out->encoding != 0)
		return true;
	out->encoding = out->scheme->encoding;
	/* hashes without salt are in either, and their length says in which */
	if (out->scheme->wrong == hash_wrong)
		out->encoding = record.n == 2 * digest_size(out->scheme->kind) ?
		    ENCODING_HEX : ENCODING_BASE64;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
hex_decode(struct str s, struct buf *out)
{
	size_t	i;
	int	high, low;

	if (s.n % 2 != 0)
		return -1;
	for (i = 0; i < s.n; i += 2) {
		if ((high = hex_digit(s.p[i])) == -1 ||
		    (low = hex_digit(s.p[i + 1])) == -1 ||
		    buf_addc(out, (char)(high << 4 | low)) == -1)
			return -1;
	}
	return 0;
}

/* Appends what the text stands for. */
static int
decode(const struct scheme_record *r, struct buf *raw)
{
	if (buf_reserve(raw, r->text.n) == -1)
		return -1;
	switch (r->encoding) {
	case ENCODING_BASE64:
		return base64_decode(raw, r->text);
	case ENCODING_HEX:
		return hex_decode(r->text, raw);
	}
	return buf_addstr(raw, r->text);
}

bool
scheme_record_ok(const struct scheme_record *r, const char **why)
{
	struct buf	raw;

	buf_init(&raw, TEXT_MAX);
	if (decode(r, &raw) == -1)
		*why = r->encoding == ENCODING_HEX ? "no hexadecimal digits" :
		    "no base64";
	else
		*why = r->scheme->wrong(r->scheme, buf_view(&raw));
	buf_wipe(&raw);
	return *why == NULL;
}

bool
scheme_check(const struct scheme_record *r, struct str password,
    struct crypt_data *scratch)
{
	struct buf	raw;
	bool		ok = false;

	buf_init(&raw, TEXT_MAX);
	if (password.n > 0 && password.n <= AUTH_PASS_MAX &&
	    decode(r, &raw) == 0 &&
	    r->scheme->wrong(r->scheme, buf_view(&raw)) == NULL)
		ok = r->scheme->fits(r->scheme, buf_view(&raw), password,
		    scratch);
	buf_wipe(&raw);
	explicit_bzero(scratch, sizeof(*scratch));
	return ok;
}

int
scheme_make(const struct scheme *s, struct str password, unsigned long cost,
    struct buf *out)
{
	struct buf	raw;
	int		r = -1;

	if (s->make == NULL) {
		errno = ENOTSUP;
		return -1;
	}
	if (password.n == 0 || password.n > AUTH_PASS_MAX) {
		errno = EINVAL;
		return -1;
	}
	buf_init(&raw, TEXT_MAX);
	if (s->make(s, password, cost == 0 ? s->cost : cost, &raw) == 0 &&
	    buf_addf(out, "{%s}", s->name) == 0)
		r = s->encoding == ENCODING_BASE64 ?
		    base64_encode(out, buf_view(&raw)) :
		    buf_addstr(out, buf_view(&raw));
	buf_wipe(&raw);
	return r;
}

bool
scheme_plain(struct str record, struct buf *out)
{
	struct scheme_record	r;

	return scheme_split(record, &r) && r.scheme->fits == plain_fits &&
	    decode(&r, out) == 0;
}

bool
scheme_same(struct str a, struct str b)
{
	unsigned char	x[TEXT_MAX] = { 0 }, y[TEXT_MAX] = { 0 }, diff;
	size_t		i;

	diff = a.n != b.n || a.n > sizeof(x);
	if (a.n <= sizeof(x))
		memcpy(x, a.p, a.n);
	if (b.n <= sizeof(y))
		memcpy(y, b.p, b.n);
	for (i = 0; i < sizeof(x); i++)
		diff |= x[i] ^ y[i];
	explicit_bzero(x, sizeof(x));
	explicit_bzero(y, sizeof(y));
	return diff == 0;
}

bool
scheme_base64(struct str s, uint8_t *out, size_t max, size_t *n)
{
	static const char	padding[] = "==";
	struct buf		text, raw;
	bool			ok;

	buf_init(&text, TEXT_MAX + 4);
	buf_init(&raw, TEXT_MAX);
	ok = s.n % 4 != 1 && buf_addstr(&text, s) == 0 &&
	    buf_add(&text, padding, (4 - s.n % 4) % 4) == 0 &&
	    base64_decode(&raw, buf_view(&text)) == 0 && raw.n <= max;
	if (ok && raw.n > 0)
		memcpy(out, raw.p, raw.n);
	*n = raw.n;
	buf_wipe(&text);
	buf_wipe(&raw);
	return ok;
}

bool
scheme_number(struct str *in, const char *word, char end,
    unsigned long long max, unsigned long long *out)
{
	struct str	 s = *in, number;
	size_t		 n = strlen(word);
	const char	*p;

	if (s.n < n || memcmp(s.p, word, n) != 0)
		return false;
	s.p += n;
	s.n -= n;
	if (s.n == 0 || (p = memchr(s.p, end, s.n)) == NULL)
		return false;
	number = (struct str){ s.p, (size_t)(p - s.p) };
	if (str_number(number, max, out) == -1)
		return false;
	in->p = p + 1;
	in->n = s.n - number.n - 1;
	return true;
}
