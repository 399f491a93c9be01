/*
 * auth/jwt.h - a signed JWT in compact form (RFC 7515 7.1, RFC 7519, and the advice of RFC 8725): header, claims,
 * signature. Nothing of the claims is looked at before the signature is proven. Pure but for the memory.
 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/claims.h"
#include "auth/jwks.h"
#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/proc/settings.h"

#define JWT_MAX		8192u	/* bytes; longer ones are refused */

/* Three parts of base64url with dots between: signed, and not what only its issuer can read. */
bool	jwt_is(struct str);
/*
 * Is it good? now: seconds since 1970. False: *r says why not. keys may be NULL: then none is. The id in claims is set
 * whenever the signature is good.
 */
bool	jwt_check(struct str, const struct jwks *keys, const struct token_settings *, int64_t now, struct claims *,
	    struct refusal *) must_check;

#endif
