/*
 * auth/jwt.c - RFC 7515 5.2. Runs as ph-auth; a token is a stranger's until
 * its signature has been proven. Keys come from the settings alone: jku, jwk,
 * x5u and x5c of the header are never looked at.
 */
#include "auth/jwt.h"

#include <string.h>

#include "auth/bounded_json.h"
#include "common/fmt/base64.h"
#include "common/fmt/cur.h"

#define SIGNATURE_MAX	1024u	/* of RSA with 8192 bits */

struct header {
	enum jwt_alg	alg;
	char		kid[JWKS_KID_MAX + 1];
};

struct parts {
	struct str	header, claims, signature;
	struct str	text;	/* what is signed */
};

static bool
invalid(struct refusal *r, const char *why)
{
	return refused(r, OAUTH_INVALID_TOKEN, why);
}

static bool
split(struct str in, struct parts *p)
{
	struct cur	c = cur_from(in);
	size_t		i;

	if (!cur_until(&c, '.', &p->header) ||
	    !cur_until(&c, '.', &p->claims))
		return false;
	p->signature = cur_rest(&c);
	p->text = (struct str){ in.p, p->header.n + 1 + p->claims.n };
	for (i = 0; i < in.n; i++)
		if (!is_alnum((unsigned char)in.p[i]) && in.p[i] != '-' &&
		    in.p[i] != '_' && in.p[i] != '.')
			return false;
	return p->header.n > 0 && memchr(p->signature.p, '.',
	    p->signature.n) == NULL;
}

bool
jwt_is(struct str s)
{
	struct parts	p;

	return split(s, &p);
}

/* RFC 8725 3.11: a token that says it is something else is something else. */
static bool
type_ok(const json_t *j)
{
	char	typ[32];

	switch (bounded_json_text(j, "typ", typ, sizeof(typ))) {
	case JSON_TEXT_NONE:
		return true;
	case JSON_TEXT_OK:
		return str_eq_nocase(str_from(typ), STR("JWT")) ||
		    str_eq_nocase(str_from(typ), STR("at+jwt")) ||
		    str_eq_nocase(str_from(typ), STR("application/at+jwt"));
	case JSON_TEXT_WRONG:
		break;
	}
	return false;
}

static bool
header_of(const json_t *j, const struct token_settings *st, struct header *h,
    struct refusal *r)
{
	char	alg[16];
	size_t	i;

	if (json_object_get(j, "crit") != NULL)
		return invalid(r, "needs an extension (crit)");
	if (!type_ok(j))
		return invalid(r, "another kind of token (typ)");
	if (bounded_json_text(j, "alg", alg, sizeof(alg)) != JSON_TEXT_OK ||
	    !jwt_alg_find(str_from(alg), &h->alg))
		return invalid(r, "an algorithm that is not accepted (alg)");
	for (i = 0; i < st->algorithms.n; i++)
		if (strcmp(st->algorithms.items[i].text, alg) == 0)
			break;
	if (i == st->algorithms.n)
		return invalid(r, "an algorithm that is not in "
		    "auth.token-algorithms");
	if (bounded_json_text(j, "kid", h->kid, sizeof(h->kid)) ==
	    JSON_TEXT_WRONG)
		return invalid(r, "kid is no short text");
	return true;
}

static bool
header_parse(struct str text, const struct token_settings *st,
    struct header *h, struct refusal *r)
{
	struct buf	json;
	json_t		*j = NULL;
	bool		 ok;

	buf_init(&json, JWT_MAX);
	if (base64url_decode(&json, text) == 0)
		j = bounded_json(buf_view(&json), JWT_MAX);
	ok = j != NULL ? header_of(j, st, h, r) :
	    invalid(r, "its header is malformed");
	json_decref(j);
	buf_free(&json);
	return ok;
}

static bool
signature_ok(const struct parts *p, const struct jwks *keys,
    const struct header *h, struct refusal *r)
{
	struct buf	raw;
	bool		ok;

	if (keys == NULL || !jwks_has(keys, h->alg, h->kid))
		return invalid(r, "no key of that name and type (kid, alg)");
	buf_init(&raw, SIGNATURE_MAX);
	ok = base64url_decode(&raw, p->signature) == 0 && raw.n > 0 &&
	    jwks_verify(keys, h->alg, h->kid, p->text, buf_view(&raw));
	buf_free(&raw);
	return ok || invalid(r, "its signature is wrong");
}

bool
jwt_check(struct str in, const struct jwks *keys,
    const struct token_settings *st, int64_t now, struct claims *c,
    struct refusal *r)
{
	struct parts	p;
	struct header	h;
	struct buf	json;
	bool		ok;

	memset(c, 0, sizeof(*c));
	if (in.n > JWT_MAX)
		return invalid(r, "too long");
	if (!split(in, &p))
		return invalid(r, "no signed JWT");
	if (!header_parse(p.header, st, &h, r) ||
	    !signature_ok(&p, keys, &h, r))
		return false;
	buf_init(&json, JWT_MAX);
	if (base64url_decode(&json, p.claims) == 0)
		ok = claims_check(buf_view(&json), CLAIMS_SIGNED, st, now, c, r);
	else
		ok = invalid(r, "its claims are malformed");
	buf_wipe(&json);
	return ok;
}
