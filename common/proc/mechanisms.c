/* common/proc/mechanisms.c - which SASL mechanisms a connection may use. Linked into auth and the fronts. */
#include "common/proc/mechanisms.h"

#include <string.h>

#include "common/base/attr.h"

#define SHOWS	1u	/* a secret */
#define BINDS	2u	/* the channel */
#define CERT	4u	/* needs the client's certificate */
#define TOKEN	8u	/* needs something to check a token by */

static const struct {
	const char	*name;
	unsigned	 flags;
} table[] = {
	[MECHANISM_NONE] = { "password", SHOWS },
	[MECHANISM_PLAIN] = { "PLAIN", SHOWS },
	[MECHANISM_LOGIN] = { "LOGIN", SHOWS },
	[MECHANISM_SCRAM_SHA_1] = { "SCRAM-SHA-1", 0 },
	[MECHANISM_SCRAM_SHA_256] = { "SCRAM-SHA-256", 0 },
	[MECHANISM_SCRAM_SHA_1_PLUS] = { "SCRAM-SHA-1-PLUS", BINDS },
	[MECHANISM_SCRAM_SHA_256_PLUS] = { "SCRAM-SHA-256-PLUS", BINDS },
	[MECHANISM_EXTERNAL] = { "EXTERNAL", CERT },
	[MECHANISM_OAUTHBEARER] = { "OAUTHBEARER", SHOWS | TOKEN },
	[MECHANISM_XOAUTH2] = { "XOAUTH2", SHOWS | TOKEN }
};

bool
mechanism_find(struct str name, enum mechanism *out)
{
	size_t	i;

	for (i = MECHANISM_PLAIN; i < nitems(table); i++)
		if (str_eq_nocase(name, str_from(table[i].name))) {
			*out = (enum mechanism)i;
			return true;
		}
	return false;
}

const char *
mechanism_name(enum mechanism m)
{
	return table[m].name;
}

bool
mechanism_shows_secret(enum mechanism m)
{
	return (table[m].flags & SHOWS) != 0;
}

bool
mechanism_binds(enum mechanism m)
{
	return (table[m].flags & BINDS) != 0;
}

/* By what is known of the connection alone. */
static bool
fits(const struct settings *s, const struct mechanism_facts *f,
    enum mechanism m)
{
	unsigned	flags = table[m].flags;

	return ((flags & SHOWS) == 0 || f->encrypted || f->cleartext_ok) &&
	    ((flags & BINDS) == 0 || (f->encrypted && f->binding)) &&
	    ((flags & CERT) == 0 || (f->encrypted && f->certificate)) &&
	    ((flags & TOKEN) == 0 || s->token.keys[0] != '\0' ||
	    s->token.introspection_url[0] != '\0');
}

bool
mechanism_ok(const struct settings *s, const struct mechanism_facts *f,
    enum mechanism m)
{
	size_t	i;

	if (m == MECHANISM_NONE)
		return fits(s, f, m);
	for (i = 0; i < s->auth_mechanisms.n; i++)
		if (str_eq_nocase(str_from(s->auth_mechanisms.items[i].text),
		    str_from(table[m].name)))
			return fits(s, f, m);
	return false;
}

const char *
mechanisms_text(const struct settings *s, const struct mechanism_facts *f,
    char out[MECHANISMS_TEXT_SIZE])
{
	const struct setting_list *list = &s->auth_mechanisms;
	enum mechanism	m;
	unsigned	said = 0;
	size_t		i;

	out[0] = '\0';
	for (i = 0; i < list->n; i++) {
		if (!mechanism_find(str_from(list->items[i].text), &m) ||
		    !fits(s, f, m) || (said & 1u << m) != 0)
			continue;
		if (said != 0)
			strlcat(out, " ", MECHANISMS_TEXT_SIZE);
		strlcat(out, table[m].name, MECHANISMS_TEXT_SIZE);
		said |= 1u << m;
	}
	return out;
}

bool
mechanisms_cleartext_ok(const char *how, const struct addr *peer)
{
	struct network	v4, v6;

	if (strcmp(how, "loopback") != 0)
		return strcmp(how, "yes") == 0;
	return network_parse(STR("127.0.0.0/8"), &v4) == 0 &&
	    network_parse(STR("::1"), &v6) == 0 &&
	    (network_has(&v4, peer) || network_has(&v6, peer));
}

const char *
mechanisms_cleartext_of(const struct settings *s, const char *service)
{
	const struct {
		const char	*service, *how;
	} keys[] = {
		{ "pop3", s->pop3_cleartext },
		{ "imap", s->imap.cleartext },
		{ "submission", s->submission.cleartext },
		{ "smtp", s->submission.cleartext }
	};
	size_t	i;

	for (i = 0; i < nitems(keys); i++)
		if (strcmp(keys[i].service, service) == 0 &&
		    keys[i].how != NULL)
			return keys[i].how;
	return "no";
}
