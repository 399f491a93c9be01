/* auth/job_token.c - access tokens: whose is it, and what the client hears if it is nobody's. */
#include <string.h>

#include "auth/auth.h"
#include "auth/guard.h"
#include "common/base/now.h"

/*
 * The client is told why in a challenge and answers it, and only then it has
 * failed. It is counted now, for it may go without an answer.
 */
static void
refused(struct job *j, const struct token_answer *answer)
{
	struct buf	out;

	strlcpy(j->why, answer->why, sizeof(j->why));
	j->refusal_ms = job_count_failure(j, j->why);
	buf_init(&out, TOKEN_JSON_MAX);
	(void)sasl_refuse(&j->sasl, answer->json, j->why, &out);
	job_say_more(j, buf_view(&out));
	buf_free(&out);
}

void
job_token_over(struct job *j)
{
	j->kind = AUTH_WRONG;
	if (job_wait(j, JOB_REFUSED, j->refusal_ms -
	    (now_ms() - j->arrived)) == -1)
		job_say_fail(j, j->kind);
}

static void
good(struct job *j, const char *user)
{
	const char	*text;

	strlcpy(j->sasl.user, user, sizeof(j->sasl.user));
	if (check_prepare(j->auth, j, &text) == -1)
		job_say_temp(j, text);
	else if (!j->known || j->account.system)
		job_fail(j, "the token's user is in no table");
	else
		job_proven(j, STR(""));
}

static void
done(void *arg, const struct token_answer *answer)
{
	struct job	*j = arg;

	j->token = NULL;
	strlcpy(j->mark, answer->mark, sizeof(j->mark));
	switch (answer->result) {
	case TOKEN_GOOD:
		good(j, answer->user);
		break;
	case TOKEN_REFUSED:
		refused(j, answer);
		break;
	case TOKEN_TEMPORARY:
		log_warn("login-impossible user=? why=\"token: %s\"",
		    answer->why);
		job_say_temp(j, "temporary failure");
		break;
	}
}

void
job_token(struct job *j)
{
	struct token_question	q = {
		.token = buf_view(&j->sasl.token),
		.user = str_from(j->sasl.user),
		.service = j->facts.service,
		.form = sasl_form(&j->sasl)
	};

	if (!job_may_check(j, job_token))
		return;
	j->state = JOB_TOKEN;
	j->token = token_ask(j->auth->tokens, &q, done, j);
	buf_wipe(&j->sasl.token);
	if (j->token == NULL)
		job_say_temp(j, "too many tokens at a time");
}
