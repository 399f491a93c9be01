/* auth/claims.c - is what the token says enough? Runs in auth and introspect. */
#include "auth/claims.h"

#include <string.h>

#include "auth/bounded_json.h"
#include "common/fmt/cur.h"

#define TIME_MAX	253402300799.0	/* the year 9999 */

bool
refused(struct refusal *r, enum oauth_error error, const char *why)
{
	r->error = error;
	r->why = why;
	return false;
}

static bool
invalid(struct refusal *r, const char *why)
{
	return refused(r, OAUTH_INVALID_TOKEN, why);
}

enum when { WHEN_NONE, WHEN_OK, WHEN_WRONG };

/* NumericDate (RFC 7519 2): a number, maybe with a fraction. Zero is nobody's time. */
static enum when
when(const json_t *j, const char *claim, int64_t *out)
{
	const json_t	*v = json_object_get(j, claim);
	double		 d;

	*out = 0;
	if (v == NULL)
		return WHEN_NONE;
	if (!json_is_number(v))
		return WHEN_WRONG;
	d = json_number_value(v);
	if (!(d >= 1.0 && d <= TIME_MAX))
		return WHEN_WRONG;
	*out = (int64_t)d;
	return WHEN_OK;
}

static bool
times_ok(const json_t *j, enum claims_source source,
    const struct token_settings *st, int64_t now, struct claims *c,
    struct refusal *r)
{
	int64_t		leeway = st->leeway / 1000, from, issued;
	enum when	exp, nbf, iat;

	exp = when(j, "exp", &c->expires);
	nbf = when(j, "nbf", &from);
	iat = when(j, "iat", &issued);
	if (exp == WHEN_WRONG || nbf == WHEN_WRONG || iat == WHEN_WRONG)
		return invalid(r, "exp, nbf or iat is no time");
	if (exp == WHEN_NONE && source == CLAIMS_SIGNED)
		return invalid(r, "no exp");
	if (exp == WHEN_OK && now >= c->expires + leeway)
		return invalid(r, "expired");
	if (exp == WHEN_OK && c->expires - now > CLAIMS_LIFETIME_MAX)
		return invalid(r, "exp is too far away");
	if (nbf == WHEN_OK && from > now + leeway)
		return invalid(r, "not valid yet (nbf)");
	if (iat == WHEN_OK && issued > now + leeway)
		return invalid(r, "issued in the future (iat)");
	return true;
}

static bool
listed(const struct setting_list *list, struct str s)
{
	size_t	i;

	for (i = 0; i < list->n; i++)
		if (str_eq(s, str_from(list->items[i].text)))
			return true;
	return false;
}

static struct str
text_of(const json_t *v)
{
	return (struct str){ json_string_value(v), json_string_length(v) };
}

static bool
issuer_ok(const json_t *j, const struct token_settings *st, struct refusal *r)
{
	const json_t	*v = json_object_get(j, "iss");

	if (st->issuers.n == 0)
		return true;
	if (!json_is_string(v) || !listed(&st->issuers, text_of(v)))
		return invalid(r, "another issuer (iss)");
	return true;
}

/* One name, or a list with nothing but names (RFC 7519 4.1.3). */
static bool
audience_ok(const json_t *j, const struct token_settings *st,
    struct refusal *r)
{
	const json_t	*v = json_object_get(j, "aud"), *one;
	bool		 found = false;
	size_t		 i;

	if (st->audiences.n == 0)
		return true;
	if (json_is_string(v))
		found = listed(&st->audiences, text_of(v));
	for (i = 0; i < json_array_size(v); i++) {
		if (!json_is_string(one = json_array_get(v, i)))
			return invalid(r, "aud is no list of names");
		found = found || listed(&st->audiences, text_of(one));
	}
	return found || invalid(r, "for another audience (aud)");
}

/* Is the word one of those in the text, which blanks divide (RFC 8693 4.2)? */
static bool
has_word(struct str text, struct str word)
{
	struct cur	c = cur_from(text);
	struct str	one;

	while (cur_until(&c, ' ', &one))
		if (str_eq(one, word))
			return true;
	return str_eq(cur_rest(&c), word);
}

static bool
has_scope(const json_t *v, struct str scope)
{
	const json_t	*one;
	size_t		 i;

	if (json_is_string(v))
		return has_word(text_of(v), scope);
	for (i = 0; i < json_array_size(v); i++)
		if (json_is_string(one = json_array_get(v, i)) &&
		    str_eq(text_of(one), scope))
			return true;
	return false;
}

/* "scope", or as some have it "scp": each that is asked for must be there. */
static bool
scopes_ok(const json_t *j, const struct token_settings *st, struct refusal *r)
{
	const json_t	*v = json_object_get(j, "scope");
	size_t		 i;

	if (v == NULL)
		v = json_object_get(j, "scp");
	for (i = 0; i < st->scopes.n; i++)
		if (!has_scope(v, str_from(st->scopes.items[i].text)))
			return refused(r, OAUTH_INSUFFICIENT_SCOPE,
			    "without a scope that is asked for");
	return true;
}

/*
 * An address that the provider has not verified is whatever its user typed,
 * and may be somebody else's.
 */
static bool
user_ok(const json_t *j, const struct token_settings *st, struct claims *c,
    struct refusal *r)
{
	const json_t	*verified = json_object_get(j, "email_verified");

	switch (bounded_json_text(j, st->user_claim, c->user,
	    sizeof(c->user))) {
	case JSON_TEXT_NONE:
		return invalid(r, "without the claim that names the user");
	case JSON_TEXT_WRONG:
		return invalid(r, "the claim that names the user is no plain "
		    "text");
	case JSON_TEXT_OK:
		break;
	}
	if (c->user[0] == '\0')
		return invalid(r, "the claim that names the user is empty");
	if (strcmp(st->user_claim, "email") == 0 && verified != NULL &&
	    !json_is_true(verified))
		return invalid(r, "its address is not verified "
		    "(email_verified)");
	return true;
}

/* Who holds it must also prove a key (RFC 7800), which no mechanism here can. */
static bool
bearer_ok(const json_t *j, struct refusal *r)
{
	char	type[16];

	if (json_object_get(j, "cnf") != NULL)
		return invalid(r, "bound to a key (cnf), expected a bearer "
		    "token");
	switch (bounded_json_text(j, "token_type", type, sizeof(type))) {
	case JSON_TEXT_NONE:
		return true;
	case JSON_TEXT_OK:
		/* the second is what older versions of Hydra say */
		if (str_eq_nocase(str_from(type), STR("bearer")) ||
		    str_eq_nocase(str_from(type), STR("access_token")))
			return true;
		break;
	case JSON_TEXT_WRONG:
		break;
	}
	return invalid(r, "no bearer token (token_type)");
}

static void
take_id(const json_t *j, struct claims *c)
{
	size_t	i;

	if (bounded_json_text(j, "jti", c->id, sizeof(c->id)) != JSON_TEXT_OK)
		c->id[0] = '\0';
	for (i = 0; c->id[i] != '\0'; i++)
		if (!is_alnum((unsigned char)c->id[i]) &&
		    strchr("-_.:", c->id[i]) == NULL)
			c->id[0] = '\0';
}

bool
claims_is_answer(struct str json)
{
	json_t	*j = bounded_json(json, CLAIMS_MAX);
	bool	 is = json_is_boolean(json_object_get(j, "active"));

	json_decref(j);
	return is;
}

bool
claims_check(struct str json, enum claims_source source,
    const struct token_settings *st, int64_t now, struct claims *c,
    struct refusal *r)
{
	json_t	*j = bounded_json(json, CLAIMS_MAX);
	bool	 ok;

	memset(c, 0, sizeof(*c));
	if (j == NULL)
		return invalid(r, "its claims are malformed");
	take_id(j, c);
	if (source == CLAIMS_INTROSPECTED &&
	    !json_is_true(json_object_get(j, "active")))
		ok = invalid(r, "not active, says the provider");
	else
		ok = times_ok(j, source, st, now, c, r) &&
		    issuer_ok(j, st, r) && audience_ok(j, st, r) &&
		    bearer_ok(j, r) && user_ok(j, st, c, r) &&
		    scopes_ok(j, st, r);
	json_decref(j);
	return ok;
}
