/*
 * auth/token.h - is this access token (RFC 6750) good for a login here, and whose is it? A token that is a signed JWT
 * (RFC 7519, RFC 9068) is checked against the keys of auth.token-keys, in this process; any other by asking the
 * provider (RFC 7662), which introspect(8) does. Runs as ph-auth; the token is a stranger's.
 *
 * In main: token_open before priv_enter, token_path into the list for sandbox_enter, token_start behind it.
 */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include <event2/event.h>
#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/base/str.h"
#include "common/fmt/oauth.h"
#include "common/proc/sandbox.h"
#include "common/proc/settings.h"

#define TOKEN_USER_MAX	256u
#define TOKEN_MARK_MAX	96u
#define TOKEN_JSON_MAX	2048u

struct tokens;		/* the engine */
struct token_check;	/* a question under way */

/* Nothing is opened or checked if none of the settings about tokens is there. settings must live as long. -1: *why. */
int	token_open(struct tokens **, const struct settings *, struct diag *why) must_check;
/* The directory that has to stay readable; false: there is none. */
bool	token_path(const struct tokens *, struct sandbox_path *);
/* Reads the keys (a file that cannot be read is logged, and looked for again), listens for introspect. -1: *why. */
int	token_start(struct tokens *, struct event_base *, struct diag *why) must_check;
/*
 * A new configuration, which lives from now on. -1: the new file of keys is out of reach, or introspection was switched on
 * or off; the caller has to end with 0, and is started anew.
 */
int	token_reload(struct tokens *, const struct settings *) must_check;
void	token_free(struct tokens **);		/* those under way are forgotten, without an answer */
/* Can any token be checked: are OAUTHBEARER and XOAUTH2 to be offered? */
bool	token_offered(const struct tokens *);
/* " tokens=N tokens-refused=N" ... for the status of auth, appended. */
void	token_status(const struct tokens *, char *dst, size_t size);

struct token_question {
	struct str	token;
	struct str	user;		/* whom the client says it is; "": not said */
	const char	*service;	/* "imap", for the log */
	enum oauth_form	form;
};

enum token_result {
	TOKEN_GOOD,
	TOKEN_REFUSED,
	TOKEN_TEMPORARY		/* it cannot be told now */
};

struct token_answer {
	enum token_result	 result;
	char			 user[TOKEN_USER_MAX + 1];	/* GOOD: the user's name here; whether it exists is not known */
	const char		*why;		/* REFUSED, TEMPORARY: for the log, ours and plain */
	char			 mark[TOKEN_MARK_MAX];	/* for the log: "jti=..." or "token=1a2b3c4d"; safe as it is */
	struct str		 json;		/* REFUSED: for the client, RFC 7628 3.2.2 */
};

/* Called from the event loop, never from within token_check; the answer lives as long as the call. */
typedef void	token_done(void *, const struct token_answer *);

/*
 * Asks; what the question points to is not needed afterwards. There is one answer unless it is cancelled. NULL: out of
 * memory, or too many under way; then nobody is called.
 */
struct token_check *token_ask(struct tokens *, const struct token_question *, token_done *, void *) must_check;
/* No answer any more; *cp becomes NULL. Not after the answer. */
void	token_cancel(struct token_check **cp);

#endif
