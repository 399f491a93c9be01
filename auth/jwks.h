/*
 * auth/jwks.h - the keys that a provider signs its tokens with: a JWK Set (RFC 7517 5), one JWK, or PEM with public keys
 * and certificates. Pure but for the memory.
 */
#ifndef AUTH_JWKS_H
#define AUTH_JWKS_H

#include <stddef.h>

#include "auth/jwt_key.h"
#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/base/str.h"

#define JWKS_FILE_MAX	(256u * 1024u)
#define JWKS_KEYS_MAX	32u
#define JWKS_KID_MAX	256u
#define JWKS_TRIES_MAX	4u	/* keys for one token: a provider with more names them */

struct jwks;

/*
 * Keys that are of another kind or for another use than signing are passed over, and so are weak ones. -1: *why: the text
 * is malformed, has a private key (which has no business here), has no key that can be used, or too many.
 */
int	jwks_parse(struct str, struct jwks **, struct diag *why) must_check;
void	jwks_free(struct jwks **);
size_t	jwks_count(const struct jwks *);
/*
 * Is it signed by one of them? kid "": the token names none, and the first few that fit are tried; else those of
 * that name, and those without a name (of PEM).
 */
bool	jwks_verify(const struct jwks *, enum jwt_alg, const char *kid, struct str text, struct str signature)
	    must_check;
/* Is there a key that would be tried? For saying why a token was refused. */
bool	jwks_has(const struct jwks *, enum jwt_alg, const char *kid);

#endif
