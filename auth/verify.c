/*
 * auth/verify.c - does the password fit the record? Runs in auth's workers.
 * The time it takes depends on the record's scheme and on nothing that the
 * client does not know.
 */
#include "auth/verify.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/proc/proto_auth.h"
#include "common/store/users.h"

#define TEXT_MAX	(USER_PASSWORD_MAX > AUTH_PASS_MAX ? \
			    USER_PASSWORD_MAX : AUTH_PASS_MAX)

static bool
same_text(struct str a, struct str b)
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

static bool
same_hash(struct str hash, struct str password, struct crypt_data *scratch)
{
	char		 text[AUTH_PASS_MAX + 1], setting[USER_PASSWORD_MAX + 1];
	const char	*got;
	bool		 ok = false;

	if (str_copy(text, sizeof(text), password) == 0 &&
	    str_copy(setting, sizeof(setting), hash) == 0) {
		scratch->initialized = 0;
		got = crypt_r(text, setting, scratch);
		ok = got != NULL && got[0] != '*' &&
		    same_text(str_from(got), hash);
	}
	explicit_bzero(text, sizeof(text));
	explicit_bzero(scratch, sizeof(*scratch));
	return ok;
}

/* Names that other programs write before what crypt(3) made. */
static const char *const crypt_schemes[] = {
	"CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "BLF-CRYPT", "MD5-CRYPT",
	"DES-CRYPT"
};

static bool
is_crypt(struct str name)
{
	size_t	i;

	for (i = 0; i < nitems(crypt_schemes); i++)
		if (str_eq_nocase(name, str_from(crypt_schemes[i])))
			return true;
	return false;
}

bool
verify_password(struct str record, struct str password,
    struct crypt_data *scratch)
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
	if (record.n == 0 || password.n == 0 || record.n > USER_PASSWORD_MAX ||
	    password.n > AUTH_PASS_MAX)
		return false;
	if (is_crypt(name))
		return record.p[0] != '!' && record.p[0] != '*' &&
		    same_hash(record, password, scratch);
	if (str_eq_nocase(name, STR("PLAIN")) ||
	    str_eq_nocase(name, STR("CLEARTEXT")))
		return same_text(record, password);
	return false;
}

bool
verify_is_cheap(struct str record)
{
	return str_starts_nocase(record, STR("{PLAIN}")) ||
	    str_starts_nocase(record, STR("{CLEARTEXT}"));
}
