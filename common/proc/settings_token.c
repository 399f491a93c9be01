/* common/proc/settings_token.c - what posthouse.conf(5) may say about access tokens. */
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/fmt/cur.h"
#include "common/net/addr.h"
#include "common/proc/settings_impl.h"

#define URL_MAX		1024u

/* Those of auth/jwt_key.c; "none" and the ones with a shared secret are left out for good. */
static bool
algorithm_ok(const char *s)
{
	static const char *const names[] = {
		"RS256", "PS256", "ES256", "ES384", "EdDSA"
	};
	size_t	i;

	for (i = 0; i < nitems(names); i++)
		if (strcmp(s, names[i]) == 0)
			return true;
	return false;
}

static bool
is_visible(const char *s)
{
	for (; *s != '\0'; s++)
		if (!is_vchar((unsigned char)*s))
			return false;
	return true;
}

static bool
token_word_ok(const char *s)
{
	return *s != '\0' && strlen(s) < URL_MAX && is_visible(s);
}

/* HOST or HOST:PORT, an IPv6 address in brackets; no user, no password. */
static bool
authority_ok(struct str s, bool loopback_only)
{
	char		 host[256];
	struct addr	 addr;
	char		*end;
	const char	*bad = NULL;

	if (str_copy(host, sizeof(host), s) == -1)
		return false;
	end = strrchr(host, ':');
	if (end != NULL && (host[0] != '[' || end[-1] == ']')) {
		*end++ = '\0';
		if (strtonum(end, 1, 65535, &bad) == 0 || bad != NULL)
			return false;
	}
	if (host[0] == '[') {
		end = strchr(host, ']');
		if (end == NULL || end[1] != '\0')
			return false;
		*end = '\0';
		if (addr_parse(str_from(host + 1), &addr) == -1)
			return false;
		return !loopback_only || strcmp(host + 1, "::1") == 0;
	}
	if (!loopback_only)
		return rule_domain.ok(host);
	return strcmp(host, "localhost") == 0 || (addr_parse(str_from(host),
	    &addr) == 0 && addr_is_v4(&addr) && addr.ip[12] == 127);
}

static bool
url_ok(const char *s, bool loopback_too)
{
	struct str	rest;
	bool		plain = false;

	if (strlen(s) >= URL_MAX || !is_visible(s) || strchr(s, '#') != NULL)
		return false;
	if (strncmp(s, "https://", 8) == 0)
		rest = str_from(s + 8);
	else if (loopback_too && strncmp(s, "http://", 7) == 0) {
		rest = str_from(s + 7);
		plain = true;
	} else
		return false;
	rest.n = strcspn(rest.p, "/?");
	return rest.n > 0 && memchr(rest.p, '@', rest.n) == NULL &&
	    authority_ok(rest, plain);
}

static bool
https_ok(const char *s)
{
	return *s == '\0' || url_ok(s, false);
}

static bool
introspection_ok(const char *s)
{
	return *s == '\0' || url_ok(s, true);
}

const struct setting_rule rule_algorithm = {
	algorithm_ok, "RS256, PS256, ES256, ES384 or EdDSA"
};
const struct setting_rule rule_token_word = {
	token_word_ok, "one word of printable ASCII"
};
const struct setting_rule rule_https = { https_ok, "https://HOST/PATH or \"\"" };
const struct setting_rule rule_introspection = {
	introspection_ok, "https://HOST/PATH, http://127.0.0.1:PORT/PATH or \"\""
};

/*
 * A provider has many services: without a word on whose a token is, any of
 * them could log in here with what its users gave it.
 */
static void
need(const struct settings *s, const char *key, const char *other,
    struct setting_report *report)
{
	const struct conf_stmt	*st;
	struct diag		 why = { "" };

	TAILQ_FOREACH(st, &s->stmts, link)
		if (strcmp(st->key, key) == 0)
			break;
	if (st == NULL)
		return;
	diag_at(&why, st->file, st->line, st->col,
	    "%s takes tokens for any service, expected %s with it", key, other);
	setting_mistake(report, &why);
}

void
setting_token_check(const struct settings *s, struct setting_report *report)
{
	static const char		 one_of[] = "auth.token-audience or "
					    "auth.token-scope";
	const struct token_settings	*t = &s->token;
	bool				 meant;

	meant = t->audiences.n > 0 || t->scopes.n > 0;
	if (t->keys[0] != '\0' && t->issuers.n == 0)
		need(s, "auth.token-keys", "auth.token-issuer", report);
	else if (t->keys[0] != '\0' && !meant)
		need(s, "auth.token-keys", one_of, report);
	if (t->introspection_url[0] != '\0' && !meant)
		need(s, "auth.introspection-url", one_of, report);
}
