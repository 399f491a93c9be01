/* auth/jwks.c - RFC 7517. Runs as ph-auth over a file of the administrator's. */
#include "auth/jwks.h"

#include <stdlib.h>
#include <string.h>

#include "auth/bounded_json.h"
#include "common/base/buf.h"
#include "common/fmt/base64.h"

#define NUMBER_MAX	2048u	/* bytes of the largest number of a key */

struct entry {
	struct jwt_key	*key;
	bool		 any_alg;
	enum jwt_alg	 alg;
	char		 kid[JWKS_KID_MAX + 1];	/* "": it has none */
};

struct jwks {
	struct entry	keys[JWKS_KEYS_MAX];
	size_t		n;
};

void
jwks_free(struct jwks **sp)
{
	struct jwks	*s = *sp;
	size_t		 i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++)
		jwt_key_free(&s->keys[i].key);
	free(s);
	*sp = NULL;
}

size_t
jwks_count(const struct jwks *s)
{
	return s->n;
}

/* A member with a base64url number. */
static bool
number(const json_t *jwk, const char *member, struct buf *out)
{
	const json_t	*v = json_object_get(jwk, member);

	buf_reset(out);
	return json_is_string(v) && base64url_decode(out, (struct str){
	    json_string_value(v), json_string_length(v) }) == 0 && out->n > 0;
}

static struct jwt_key *
key_of(const json_t *jwk, const char *kty)
{
	struct jwt_key	*k = NULL;
	struct buf	 a, b;
	char		 curve[16];

	buf_init(&a, NUMBER_MAX);
	buf_init(&b, NUMBER_MAX);
	(void)bounded_json_text(jwk, "crv", curve, sizeof(curve));
	if (strcmp(kty, "RSA") == 0) {
		if (number(jwk, "n", &a) && number(jwk, "e", &b))
			k = jwt_key_rsa(buf_view(&a), buf_view(&b));
	} else if (strcmp(kty, "EC") == 0) {
		if (number(jwk, "x", &a) && number(jwk, "y", &b))
			k = jwt_key_ec(str_from(curve), buf_view(&a),
			    buf_view(&b));
	} else if (strcmp(kty, "OKP") == 0 && strcmp(curve, "Ed25519") == 0 &&
	    number(jwk, "x", &a))
		k = jwt_key_ed25519(buf_view(&a));
	buf_free(&a);
	buf_free(&b);
	return k;
}

/* key_ops, if it is there, is a list with "verify" in it (RFC 7517 4.3). */
static bool
for_verifying(const json_t *jwk)
{
	const json_t	*ops = json_object_get(jwk, "key_ops");
	const json_t	*op;
	char		 use[16];
	size_t		 i;

	switch (bounded_json_text(jwk, "use", use, sizeof(use))) {
	case JSON_TEXT_OK:
		if (strcmp(use, "sig") != 0)
			return false;
		break;
	case JSON_TEXT_WRONG:
		return false;
	case JSON_TEXT_NONE:
		break;
	}
	if (ops == NULL)
		return true;
	for (i = 0; i < json_array_size(ops); i++)
		if (json_is_string(op = json_array_get(ops, i)) &&
		    strcmp(json_string_value(op), "verify") == 0)
			return true;
	return false;
}

/* 1: it is in the list; 0: passed over; -1: *why. */
static int
add_jwk(struct jwks *s, const json_t *jwk, struct diag *why)
{
	struct entry	*e = &s->keys[s->n];
	enum json_text	 alg_there, kid_there;
	char		 kty[16], alg[16];

	if (!json_is_object(jwk))
		return diag_set(why, "a key that is no object");
	if (bounded_json_text(jwk, "kty", kty, sizeof(kty)) != JSON_TEXT_OK)
		return diag_set(why, "a key without type (kty)");
	if (strcmp(kty, "oct") == 0)
		return 0;	/* a secret: nothing to check a public signature with */
	if (json_object_get(jwk, "d") != NULL)
		return diag_set(why, "a private key, expected public keys only");
	kid_there = bounded_json_text(jwk, "kid", e->kid, sizeof(e->kid));
	alg_there = bounded_json_text(jwk, "alg", alg, sizeof(alg));
	if (kid_there == JSON_TEXT_WRONG || alg_there == JSON_TEXT_WRONG)
		return diag_set(why, "a key whose kid or alg is no short text");
	e->any_alg = alg_there == JSON_TEXT_NONE;
	if (!for_verifying(jwk) ||
	    (!e->any_alg && !jwt_alg_find(str_from(alg), &e->alg)))
		return 0;
	if ((e->key = key_of(jwk, kty)) == NULL)
		return 0;
	if (!e->any_alg && !jwt_key_fits(e->key, e->alg)) {
		jwt_key_free(&e->key);
		return diag_set(why, "a key of type %s for %s", kty, alg);
	}
	s->n++;
	return 1;
}

static int
add_set(struct jwks *s, struct str text, struct diag *why)
{
	json_t	*j = bounded_json(text, JWKS_FILE_MAX);
	json_t	*list;
	size_t	 i;
	int	 r = 0;

	if (j == NULL)
		return diag_set(why, "malformed, expected a JWK Set or PEM");
	list = json_object_get(j, "keys");
	if (list == NULL && json_object_get(j, "kty") != NULL)
		r = add_jwk(s, j, why);
	else if (!json_is_array(list))
		r = diag_set(why, "no list of keys, expected a JWK Set");
	for (i = 0; r != -1 && i < json_array_size(list); i++) {
		if (s->n == JWKS_KEYS_MAX)
			r = diag_set(why, "more than %u keys", JWKS_KEYS_MAX);
		else
			r = add_jwk(s, json_array_get(list, i), why);
	}
	json_decref(j);
	return r == -1 ? -1 : 0;
}

static int
add_pem(struct jwks *s, struct str text, struct diag *why)
{
	struct entry	*e;
	struct jwt_key	*key;
	int		 r;

	while ((r = jwt_key_pem(&text, &key)) == 1) {
		if (s->n == JWKS_KEYS_MAX) {
			jwt_key_free(&key);
			return diag_set(why, "more than %u keys",
			    JWKS_KEYS_MAX);
		}
		e = &s->keys[s->n++];
		e->key = key;
		e->any_alg = true;
	}
	if (r == -1)
		return diag_set(why, "PEM that is no public key or "
		    "certificate, or one of a kind that is not used");
	return 0;
}

static bool
is_json(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\n' &&
		    s.p[i] != '\r')
			return s.p[i] == '{';
	return false;
}

int
jwks_parse(struct str text, struct jwks **out, struct diag *why)
{
	struct jwks	*s;
	int		 r;

	*out = NULL;
	if (text.n > JWKS_FILE_MAX)
		return diag_set(why, "longer than %u bytes", JWKS_FILE_MAX);
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return diag_errno(why, "keys");
	r = is_json(text) ? add_set(s, text, why) : add_pem(s, text, why);
	if (r == 0 && s->n == 0)
		r = diag_set(why, "no key that can be used, expected RSA of "
		    "2048 bits and more, P-256, P-384 or Ed25519");
	if (r == -1)
		jwks_free(&s);
	*out = s;
	return r;
}

static bool
tried(const struct entry *e, enum jwt_alg alg, const char *kid)
{
	return jwt_key_fits(e->key, alg) && (e->any_alg || e->alg == alg) &&
	    (*kid == '\0' || e->kid[0] == '\0' || strcmp(e->kid, kid) == 0);
}

bool
jwks_has(const struct jwks *s, enum jwt_alg alg, const char *kid)
{
	size_t	i;

	for (i = 0; i < s->n; i++)
		if (tried(&s->keys[i], alg, kid))
			return true;
	return false;
}

bool
jwks_verify(const struct jwks *s, enum jwt_alg alg, const char *kid,
    struct str text, struct str signature)
{
	size_t	i, n = 0;

	for (i = 0; i < s->n && n < JWKS_TRIES_MAX; i++) {
		if (!tried(&s->keys[i], alg, kid))
			continue;
		n++;
		if (jwt_key_verify(s->keys[i].key, alg, text, signature))
			return true;
	}
	return false;
}
