/*
 * auth/claims.h - what a token says (RFC 7519 4.1, RFC 7662 2.2, RFC 9068 2.2), and whether that is enough for a login
 * here. The same for signed tokens and for what a provider answers. Pure: time is an argument.
 */
#ifndef AUTH_CLAIMS_H
#define AUTH_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/fmt/oauth.h"
#include "common/proc/settings.h"

#define CLAIMS_MAX		(64u * 1024u)	/* bytes of JSON */
#define CLAIMS_USER_MAX		256u
#define CLAIMS_TEXT_MAX		512u		/* of any other that is looked at */
#define CLAIMS_ID_MAX		64u
#define CLAIMS_LIFETIME_MAX	(400LL * 86400)	/* seconds: what is valid longer is a mistake */

enum claims_source { CLAIMS_SIGNED, CLAIMS_INTROSPECTED };

struct claims {
	char	user[CLAIMS_USER_MAX + 1];	/* what the claim says, as it is */
	char	id[CLAIMS_ID_MAX + 1];		/* jti, if it is plain; "" */
	int64_t	expires;			/* seconds since 1970; 0: it does not say */
};

/* Why not. */
struct refusal {
	enum oauth_error	 error;
	const char		*why;		/* a sentence of ours for the log */
};

/* Always false, for return. */
bool	refused(struct refusal *, enum oauth_error, const char *why);
/* Is it an answer of RFC 7662 2.2 at all: does it say whether the token is active? */
bool	claims_is_answer(struct str json);
/*
 * now: seconds since 1970. False: *r. A signed token has to say when it expires, and who issued it; of an introspected
 * one the provider says that it is active.
 */
bool	claims_check(struct str json, enum claims_source, const struct token_settings *, int64_t now, struct claims *,
	    struct refusal *) must_check;

#endif
