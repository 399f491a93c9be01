/*
 * auth/jwt_key.h - public keys and the signatures made with them (RFC 7518 3, RFC 8037). A key has one type and is used
 * with the algorithms of that type alone; there is no HMAC and no "none", so a public key can never be taken for a secret.
 */
#ifndef AUTH_JWT_KEY_H
#define AUTH_JWT_KEY_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/str.h"

enum jwt_alg { JWT_RS256, JWT_PS256, JWT_ES256, JWT_ES384, JWT_EDDSA, JWT_ALGS };

/* "RS256" ...; false: no such algorithm here. Exact case, RFC 7515 4.1.1. */
bool	jwt_alg_find(struct str, enum jwt_alg *) must_check;

struct jwt_key;

/* Numbers big-endian, without a sign. NULL: weak (RSA below 2048 bits), too large, or no key. */
struct jwt_key	*jwt_key_rsa(struct str n, struct str e) must_check;
/* curve as in a JWK; NULL also: another curve, or a point that is not on it. */
struct jwt_key	*jwt_key_ec(struct str curve, struct str x, struct str y) must_check;
struct jwt_key	*jwt_key_ed25519(struct str x) must_check;
/*
 * The next "PUBLIC KEY" or "CERTIFICATE" (whose dates and issuer are of no interest) of PEM text; *text moves behind it.
 * 1: *out is a key; 0: there is no more; -1: it is none that can be used.
 */
int	jwt_key_pem(struct str *text, struct jwt_key **out) must_check;
void	jwt_key_free(struct jwt_key **);

bool	jwt_key_fits(const struct jwt_key *, enum jwt_alg);
/* False also if the key does not fit. */
bool	jwt_key_verify(const struct jwt_key *, enum jwt_alg, struct str text, struct str signature) must_check;

#endif
