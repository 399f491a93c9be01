/* auth/job_answer.c - what a front is told, and the end of a login. */
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "common/fmt/record.h"

void
job_free(struct job *j)
{
	struct auth	*a = j->auth;
	size_t		 i;

	for (i = 0; i < a->nworkers; i++)
		if (a->workers[i].job == j)
			a->workers[i].job = NULL;
	if (j->peer != NULL)
		peer_set(j->peer, NULL);
	TAILQ_REMOVE(&a->jobs, j, link);
	a->njobs--;
	if (j->timer != NULL)
		event_free(j->timer);
	if (j->token != NULL)
		token_cancel(&j->token);
	job_system_cancel(j);
	sasl_free(&j->sasl);
	account_free(&j->account);
	explicit_bzero(j, sizeof(*j));
	free(j);
}

int
job_wait(struct job *j, enum job_state state, int64_t ms)
{
	struct timeval	tv;

	if (ms < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	j->state = state;
	return event_add(j->timer, &tv);
}

bool
job_hold(struct job *j, int64_t ms, void (*resume)(struct job *))
{
	j->resume = resume;
	return ms > 0 && job_wait(j, JOB_HELD, ms) == 0;
}

/* A front that cannot be told is dropped, and what is under way with it. */
static void
say(struct peer *p, struct buf *rec)
{
	if (p != NULL && (!buf_ok(rec) || peer_send(p, rec) == -1))
		peer_drop(p);
	buf_wipe(rec);
}

static void
begin(struct buf *rec, const char *verb)
{
	buf_init(rec, MSG_MAX);
	record_puts(rec, AUTH_VERB, verb);
}

void
job_say_more(struct job *j, struct str challenge)
{
	struct buf	rec;

	if (job_wait(j, JOB_TALKING, AUTH_TALK_MS) == -1) {
		job_say_temp(j, "temporary failure");
		return;
	}
	begin(&rec, "more");
	record_put(&rec, AUTH_DATA, challenge);
	say(j->peer, &rec);
}

/* A mailbox has to be taken now; for the others that is all. */
void
job_say_proven(struct job *j, struct str data)
{
	struct peer	*p = j->peer;
	struct buf	 rec;

	begin(&rec, "ok");
	record_puts(&rec, AUTH_USER, j->user.name);
	if (data.n > 0)
		record_put(&rec, AUTH_DATA, data);
	if (!request_is_mailbox(j->facts.service))
		job_free(j);
	else if (job_wait(j, JOB_PROVEN, AUTH_TAKE_MS) == -1) {
		buf_wipe(&rec);
		job_say_temp(j, "temporary failure");
		return;
	}
	say(p, &rec);
}

/* The last one. */
static void
end(struct job *j, struct buf *rec)
{
	struct peer	*p = j->peer;

	job_free(j);
	say(p, rec);
}

void
job_say_taken(struct job *j)
{
	struct buf	rec;

	begin(&rec, "ok");
	end(j, &rec);
}

void
job_say_temp(struct job *j, const char *text)
{
	struct buf	rec;

	j->auth->temporary++;
	begin(&rec, "temp");
	record_puts(&rec, AUTH_TEXT, text);
	end(j, &rec);
}

static const struct {
	const char	*kind, *text;
} texts[] = {
	{ AUTH_WRONG, "wrong user name or password" },
	{ AUTH_MECHANISM_UNKNOWN, "no such mechanism here" },
	{ AUTH_SYNTAX, "malformed message" },
	{ AUTH_CANCELLED, "cancelled" },
	{ AUTH_DENIED, "not allowed for you here" },
	{ AUTH_BLOCKED, "too many failures, try again later" },
	{ AUTH_CLEARTEXT, "not without an encrypted connection" }
};

void
job_say_fail_text(struct job *j, const char *kind, struct str text)
{
	struct buf	rec;

	begin(&rec, "fail");
	record_puts(&rec, AUTH_KIND, kind);
	record_put(&rec, AUTH_TEXT, text);
	end(j, &rec);
}

void
job_say_fail(struct job *j, const char *kind)
{
	size_t	i;

	for (i = 0; i < nitems(texts); i++)
		if (strcmp(texts[i].kind, kind) == 0)
			break;
	job_say_fail_text(j, kind, str_from(i < nitems(texts) ?
	    texts[i].text : ""));
}
