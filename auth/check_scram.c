/* auth/check_scram.c - what SCRAM is checked by: stored keys, or those that a worker makes from a stored password. */
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/scheme.h"
#include "common/base/attr.h"

#define SALT_BYTES	16

/* "{SCRAM-SHA-256}..." of the right hash; of several passwords the first that is so. */
static const struct secret *
stored_keys(const struct job *j, struct scram_keys *k)
{
	const struct scram_hash	*h = sasl_hash(&j->sasl);
	struct str		 s, name = h == &digest_scram_sha1 ?
				    STR("{SCRAM-SHA-1}") :
				    STR("{SCRAM-SHA-256}");
	size_t			 i;

	for (i = 0; i < j->account.nsecrets; i++) {
		s = j->account.secrets[i].record;
		if (!str_starts_nocase(s, name))
			continue;
		s.p += name.n;
		s.n -= name.n;
		if (scram_keys_parse(h, s, k))
			return &j->account.secrets[i];
	}
	return NULL;
}

/* The same at each try, so that nobody sees by it who there is. */
static int
make_salt(const struct auth *a, const struct job *j, struct scram_keys *k)
{
	const struct scram_hash	*h = &digest_scram_sha256;
	struct str		 key = { (const char *)a->secret,
				    sizeof(a->secret) };
	uint8_t			 out[SCRAM_HASH_MAX];
	char			 name[AUTH_USER_MAX + 1];

	if (str_lower(name, sizeof(name), str_from(j->sasl.user)) == -1 ||
	    h->hmac(h, key, str_from(name), out) == -1)
		return -1;
	if (k->salt_n == 0 || k->salt_n > sizeof(out))
		k->salt_n = SALT_BYTES;
	memcpy(k->salt, out, k->salt_n);
	return 0;
}

/* The record of somebody who is not there is somebody else's: of it only the kind is shown. */
int
check_salt(struct auth *a, struct job *j, struct scram_keys *k)
{
	memset(k, 0, sizeof(*k));
	if (stored_keys(j, k) != NULL) {
		if (j->known)
			return 0;
	} else
		k->iterations = (unsigned)a->settings->auth_scram_iterations;
	return make_salt(a, j, k);
}

bool
check_keys(const struct job *j, struct scram_keys *k)
{
	return stored_keys(j, k) != NULL;
}

/* The first password that is stored so that it can be read, in out. */
static const struct secret *
plain_secret(const struct job *j, struct buf *out)
{
	size_t	i;

	for (i = 0; i < j->account.nsecrets; i++) {
		buf_reset(out);
		if (scheme_plain(j->account.secrets[i].record, out) &&
		    out->n > 0)
			return &j->account.secrets[i];
	}
	return NULL;
}

bool
check_plain(const struct job *j, struct buf *out)
{
	return plain_secret(j, out) != NULL;
}

struct str
check_scram_name(const struct job *j)
{
	const struct secret	*s;
	struct scram_keys	 k;
	struct buf		 plain;

	buf_init(&plain, USER_PASSWORD_MAX);
	if ((s = stored_keys(j, &k)) == NULL)
		s = plain_secret(j, &plain);
	buf_wipe(&plain);
	explicit_bzero(&k, sizeof(k));
	return s == NULL ? STR("") : s->name;
}
