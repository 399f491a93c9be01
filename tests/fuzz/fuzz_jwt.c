/* tests/fuzz/fuzz_jwt.c - tokens, and the claims of tokens and of a provider's answers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/jwt.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define NOW	1800000000LL
#define KEY	"{\"kty\":\"EC\",\"crv\":\"P-256\"," \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"

static const struct settings *
settings(void)
{
	static struct settings	*st;
	struct diag		 why;

	if (st == NULL && settings_parse(STR("auth {\ntoken-issuer i\n"
	    "token-audience a\ntoken-scope s\ntoken-user-claim u\n"
	    "token-algorithms RS256 ES256 EdDSA\n}\n"), "conf", &st, &why) == -1)
		abort();
	return st;
}

static const struct jwks *
keys(void)
{
	static struct jwks	*k;
	struct diag		 why;

	if (k == NULL && jwks_parse(STR(KEY), &k, &why) == -1)
		abort();
	return k;
}

static void
good_claims(const struct claims *c)
{
	size_t	i;

	if (c->user[0] == '\0' || c->expires < 0 ||
	    c->expires > NOW + CLAIMS_LIFETIME_MAX)
		abort();
	for (i = 0; c->user[i] != '\0'; i++)
		if ((unsigned char)c->user[i] < ' ' || c->user[i] == 0x7f)
			abort();
	for (i = 0; c->id[i] != '\0'; i++)
		if (c->id[i] <= ' ' || c->id[i] > '~' || c->id[i] == '"')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };
	struct claims	c;
	struct refusal	r = { OAUTH_INVALID_REQUEST, NULL };

	/* nobody has the private key */
	if (jwt_check(in, keys(), &settings()->token, NOW, &c, &r) ||
	    c.id[0] != '\0' || r.why == NULL)
		abort();
	if (claims_check(in, CLAIMS_SIGNED, &settings()->token, NOW, &c, &r)) {
		if (c.expires == 0)
			abort();
		good_claims(&c);
	}
	if (claims_check(in, CLAIMS_INTROSPECTED, &settings()->token, NOW, &c,
	    &r))
		good_claims(&c);
	return 0;
}
