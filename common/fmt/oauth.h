/*
 * common/fmt/oauth.h - what a client says in OAUTHBEARER (RFC 7628) and XOAUTH2 (Google's and Microsoft's form of it,
 * older than the RFC), and what it is told when its token is refused. Pure.
 */
#ifndef FMT_OAUTH_H
#define FMT_OAUTH_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#define OAUTH_USER_MAX	256u

enum oauth_form { OAUTH_BEARER, OAUTH_X2 };

struct oauth_message {
	char		user[OAUTH_USER_MAX + 1];	/* "": not named; a=... decoded, or user=... */
	struct str	token;		/* a view into the message; empty: the client only asks what it would need */
};

/*
 * The client's first message, decoded from base64. False: it is none (no token, two of them, another scheme than
 * Bearer, channel binding asked for, a user that is too long or holds NUL, ...).
 */
bool	oauth_parse(enum oauth_form, struct str, struct oauth_message *) must_check;
/*
 * What the client answers to the error (RFC 7628 3.2.3): a single ^A; nothing at all is what many send after XOAUTH2.
 * Either way the answer is a failure; false: it was something else.
 */
bool	oauth_is_end(struct str);

/* RFC 6750 3.1 */
enum oauth_error { OAUTH_INVALID_REQUEST, OAUTH_INVALID_TOKEN, OAUTH_INSUFFICIENT_SCOPE };

/*
 * Appends the error as the JSON of RFC 7628 3.2.2, for XOAUTH2 with the status numbers that its clients know. scope and
 * discovery ("openid-configuration", an https address): "" for none.
 */
int	oauth_error_json(struct buf *, enum oauth_form, enum oauth_error, const char *scope, const char *discovery)
	    must_check;

#endif
