/*
 * auth/job_prove.c - from what the client said to the proof: the mechanism
 * says what is to be looked up and to be checked.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/guard.h"
#include "common/base/log.h"
#include "common/fmt/base64.h"

#define CHALLENGE_MAX	4096
#define NONCE_BYTES	18

/* What the client of SCRAM is shown of a user's keys, with a nonce of ours. */
static enum sasl_result
add_salt(struct job *j, struct buf *out)
{
	unsigned char		 random[NONCE_BYTES];
	struct buf		 nonce;
	enum sasl_result	 r = SASL_WRONG;

	arc4random_buf(random, sizeof(random));
	buf_init(&nonce, 2 * NONCE_BYTES);
	if (base64_encode(&nonce, (struct str){ (char *)random,
	    sizeof(random) }) == 0 && check_salt(j->auth, j, &j->keys) == 0)
		r = sasl_salt(&j->sasl, buf_view(&nonce), &j->keys, out);
	buf_free(&nonce);
	return r;
}

static void
salt(struct job *j, struct buf *out)
{
	const char	*text, *kind;

	if (check_prepare(j->auth, j, &text) == -1)
		job_say_temp(j, text);
	else if ((kind = guard_user(j, &text)) != NULL)
		job_refuse(j, kind, text);
	else if (add_salt(j, out) == SASL_MORE)
		job_say_more(j, buf_view(out));
	else
		job_say_temp(j, "temporary failure");
}

void
job_proof(struct job *j, bool has_keys)
{
	enum sasl_result	r = SASL_WRONG;
	struct buf		out;

	buf_init(&out, CHALLENGE_MAX);
	if (has_keys)
		r = sasl_prove(&j->sasl, &j->keys, &out);
	explicit_bzero(&j->keys, sizeof(j->keys));
	if (!j->known)
		job_fail(j, "unknown user");
	else if (r == SASL_PROVEN && str_copy(j->app, sizeof(j->app),
	    check_scram_name(j)) == 0)
		job_proven(j, buf_view(&out));
	else
		job_fail(j, has_keys ? "wrong password" :
		    "its password is stored so that SCRAM is impossible");
	buf_wipe(&out);
}

/* Keys that are not stored are made, for nobody, too. */
static void
proof(struct job *j)
{
	if (!job_may_check(j, proof))
		return;
	if (check_keys(j, &j->keys))
		job_proof(j, true);
	else
		job_keys(j);
}

/* The handshake has proven that it is the client's; whose it is, the settings say. */
static void
certificate(struct job *j)
{
	const char	*text, *user = check_certificate(j->auth, j);

	if (user == NULL) {
		job_fail(j, j->sasl.authzid[0] == '\0' ?
		    "unknown certificate" : "not with this certificate");
		return;
	}
	j->sasl.authzid[0] = '\0';
	strlcpy(j->sasl.user, user, sizeof(j->sasl.user));
	if (check_prepare(j->auth, j, &text) == -1)
		job_say_temp(j, text);
	else if (!j->known || j->account.system)
		job_fail(j, "the certificate's user is in no table");
	else
		job_proven(j, STR(""));
}

static void
go_on(struct job *j, enum sasl_result r, struct buf *out)
{
	switch (r) {
	case SASL_MORE:
		job_say_more(j, buf_view(out));
		break;
	case SASL_PASSWORD:
		job_password(j);
		break;
	case SASL_SALT:
		salt(j, out);
		break;
	case SASL_PROOF:
		j->was_held = false;
		proof(j);
		break;
	case SASL_CERTIFICATE:
		certificate(j);
		break;
	case SASL_SYNTAX:
		job_refuse(j, AUTH_SYNTAX, j->sasl.why);
		break;
	case SASL_TYPE:
		job_refuse(j, AUTH_MECHANISM_UNKNOWN, j->sasl.why);
		break;
	case SASL_TOKEN:
		job_token(j);
		break;
	case SASL_PROVEN:
	case SASL_WRONG:
		if (j->why[0] != '\0')
			job_token_over(j);
		else
			job_fail(j, j->sasl.why);
		break;
	}
}

void
job_prove(struct job *j, const struct str *message)
{
	enum sasl_result	r;
	struct buf		out;

	buf_init(&out, CHALLENGE_MAX);
	r = sasl_step(&j->sasl, message, &out);
	go_on(j, r, &out);
	buf_wipe(&out);
}

void
job_prove_login(struct job *j, struct str user, struct str pass)
{
	struct buf	out;

	buf_init(&out, 0);
	go_on(j, sasl_login(&j->sasl, user, pass), &out);
}
