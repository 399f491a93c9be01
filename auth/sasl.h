/*
 * auth/sasl.h - the server's side of a SASL mechanism (RFC 4422): messages in, challenges out, and when it is time to
 * look somebody up or to check something. Pure; the client's messages are a stranger's.
 */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include <stdbool.h>

#include "auth/request.h"
#include "common/base/buf.h"
#include "common/fmt/oauth.h"
#include "common/fmt/scram_server.h"
#include "common/proc/mechanisms.h"

enum sasl_result {
	SASL_MORE,		/* ask the client what was appended */
	SASL_PASSWORD,		/* check user, pass and authzid; then it is over */
	SASL_SALT,		/* SCRAM: go on with sasl_salt for this user */
	SASL_PROOF,		/* SCRAM: go on with sasl_prove */
	SASL_CERTIFICATE,	/* check the certificate and authzid; then it is over */
	SASL_TOKEN,		/* check the token, of user if he is named; then it is over, or goes on with sasl_refuse */
	SASL_PROVEN,		/* SCRAM: what was appended is for the client before its success */
	SASL_SYNTAX,		/* not such a message */
	SASL_TYPE,		/* a channel binding that this connection does not have */
	SASL_WRONG		/* he has not proven it; *why */
};

struct sasl {
	enum mechanism	 mechanism;
	unsigned	 step;		/* messages of the client so far */
	const char	*why;		/* for the log, why it is SASL_SYNTAX, TYPE or WRONG */
	char		 user[AUTH_USER_MAX + 1];	/* who proves it */
	char		 authzid[AUTH_USER_MAX + 1];	/* as whom he wants in; "": himself */
	char		 pass[AUTH_PASS_MAX + 1];
	struct buf	 token;
	struct scram_server scram;
	struct scram_channel channel;
};

/* facts must live as long. offered: the client was offered a mechanism with channel binding. */
void	sasl_init(struct sasl *, enum mechanism, const struct facts *, bool offered);
/* The next message; NULL: there was no initial response. Appends to out. */
enum sasl_result sasl_step(struct sasl *, const struct str *, struct buf *out);
/* A user name and a password without a mechanism. */
enum sasl_result sasl_login(struct sasl *, struct str user, struct str pass);
/* After SASL_SALT: SASL_MORE, or SASL_WRONG if memory fails. */
enum sasl_result sasl_salt(struct sasl *, struct str nonce, const struct scram_keys *, struct buf *out);
/* After SASL_PROOF: SASL_PROVEN or SASL_WRONG. */
enum sasl_result sasl_prove(struct sasl *, const struct scram_keys *, struct buf *out);
/* After SASL_TOKEN: what the client is told before its failure (RFC 7628 3.2.3). Always SASL_MORE; why must stay. */
enum sasl_result sasl_refuse(struct sasl *, struct str json, const char *why, struct buf *out);
enum oauth_form sasl_form(const struct sasl *);
/* What SCRAM hashes with. */
const struct scram_hash *sasl_hash(const struct sasl *);
void	sasl_free(struct sasl *);	/* wiped */

#endif
