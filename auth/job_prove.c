/*
 * auth/job_prove.c - from what the client said to the proof: the mechanism
 * says what is to be looked up, a worker checks passwords, and a failure is
 * told only after a delay. Nobody waits for anybody else's delay.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "auth/auth.h"
#include "auth/worker.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/base64.h"

#define CHALLENGE_MAX	4096
#define NONCE_BYTES	18

static void	dispatch(struct auth *);

static const char *
tls_text(const struct job *j, char dst[LOG_SAFE_MAX])
{
	return j->facts.tls[0] == '\0' ? "none" :
	    log_safe(dst, LOG_SAFE_MAX, str_from(j->facts.tls));
}

static void
log_failure(const struct job *j, const char *why)
{
	char	user[LOG_SAFE_MAX], client[LOG_SAFE_MAX], tls[LOG_SAFE_MAX];

	log_info("login-failed service=%s user=%s client=%s mechanism=%s "
	    "tls=%s why=\"%s\"", j->facts.service,
	    log_safe(user, sizeof(user), str_from(j->sasl.user)),
	    log_safe(client, sizeof(client), str_from(j->facts.client)),
	    mechanism_name(j->sasl.mechanism), tls_text(j, tls), why);
}

/*
 * The answer is held back from when the question came, so that it does not
 * show how long the check took.
 */
void
job_fail(struct job *j, const char *why)
{
	struct auth	*a = j->auth;
	int64_t		 now = now_ms(), delay;
	unsigned	 n, m;

	a->failures++;
	log_failure(j, why);
	backoff_failed(&a->backoff, 'c', str_from(j->facts.unit), now);
	backoff_failed(&a->backoff, 'u', str_from(j->sasl.user), now);
	n = backoff_failures(&a->backoff, 'c', str_from(j->facts.unit), now);
	m = backoff_failures(&a->backoff, 'u', str_from(j->sasl.user), now);
	delay = backoff_delay(n > m ? n : m, a->settings->pop3_login_delay);
	j->kind = AUTH_WRONG;
	if (job_wait(j, JOB_REFUSED, delay - (now - j->arrived)) == -1)
		job_say_fail(j, j->kind);
}

/* He is who he says; may he come in? */
static void
proven(struct job *j, struct str data)
{
	struct auth	*a = j->auth;
	char		 client[LOG_SAFE_MAX], tls[LOG_SAFE_MAX];

	if ((long long)j->user.uid < a->settings->local.min_uid) {
		job_fail(j, "its number is below local.min-uid");
		return;
	}
	if (j->sasl.authzid[0] != '\0' &&
	    strcmp(j->sasl.authzid, j->sasl.user) != 0) {
		log_failure(j, "not as another");
		job_say_fail(j, AUTH_DENIED);
		return;
	}
	a->logins++;
	log_info("login service=%s user=%s client=%s mechanism=%s tls=%s",
	    j->facts.service, j->user.name,
	    log_safe(client, sizeof(client), str_from(j->facts.client)),
	    mechanism_name(j->sasl.mechanism), tls_text(j, tls));
	backoff_succeeded(&a->backoff, 'c', str_from(j->facts.unit));
	backoff_succeeded(&a->backoff, 'u', str_from(j->sasl.user));
	job_say_proven(j, data);
}

static void
checked(struct job *j, bool ok)
{
	if (!j->known)
		job_fail(j, "unknown user");
	else if (!ok)
		job_fail(j, "wrong password");
	else
		proven(j, STR(""));
}

/* Gives work to a worker that has none. */
static void
dispatch(struct auth *a)
{
	struct job	*j;
	size_t		 i;

	for (i = 0; i < AUTH_WORKERS; i++) {
		struct worker *w = &a->workers[i];

		if (w->busy)
			continue;
		TAILQ_FOREACH(j, &a->jobs, link)
			if (j->state == JOB_WAITING)
				break;
		if (j == NULL)
			return;
		if (worker_ask(w->fd, j->id, buf_view(&j->record),
		    str_from(j->sasl.pass)) == -1) {
			log_error("worker why=\"%s\"", strerror(errno));
			auth_stop(a, EX_SOFTWARE);
			return;
		}
		explicit_bzero(j->sasl.pass, sizeof(j->sasl.pass));
		buf_wipe(&j->record);
		j->state = JOB_CHECKING;
		w->job = j;
		w->busy = true;
	}
}

void
job_worker_readable(evutil_socket_t fd, short what, void *arg)
{
	struct worker	*w = arg;
	struct job	*j;
	uint64_t	 id;
	bool		 ok;
	int		 r;

	(void)what;
	if ((r = worker_answer(fd, &w->auth->rec, &id, &ok)) == 0)
		return;
	if (r == -1 || !w->busy || (w->job != NULL && w->job->id != id)) {
		/* A fault may have been an attack: a fresh image, not a fork of this one. */
		log_error("worker why=\"died\"");
		auth_stop(w->auth, EX_SOFTWARE);
		return;
	}
	j = w->job;
	w->job = NULL;
	w->busy = false;
	if (j != NULL)
		checked(j, ok);
	dispatch(w->auth);
}

static void
check_password(struct job *j)
{
	struct auth	*a = j->auth;
	const char	*text;

	if (check_prepare(a, j, &text) == -1) {
		job_say_temp(j, text);
		return;
	}
	j->state = JOB_WAITING;
	dispatch(a);
}

static enum sasl_result
salt(struct job *j, struct buf *out, const char **text)
{
	unsigned char		 random[NONCE_BYTES];
	struct scram_keys	 keys;
	struct buf		 nonce;
	enum sasl_result	 r = SASL_WRONG;

	if (check_prepare(j->auth, j, text) == -1)
		return r;
	*text = "temporary failure";
	arc4random_buf(random, sizeof(random));
	buf_init(&nonce, 2 * NONCE_BYTES);
	if (base64_encode(&nonce, (struct str){ (char *)random,
	    sizeof(random) }) == 0 && check_salt(j->auth, j, &keys) == 0)
		r = sasl_salt(&j->sasl, buf_view(&nonce), &keys, out);
	buf_free(&nonce);
	explicit_bzero(&keys, sizeof(keys));
	return r;
}

/* The one thing that SCRAM computes for a while is done for nobody, too. */
static void
prove(struct job *j, struct buf *out)
{
	struct scram_keys	 keys;
	enum sasl_result	 r;

	if (check_keys(j->auth, j, &keys) == -1) {
		job_say_temp(j, "temporary failure");
		return;
	}
	r = sasl_prove(&j->sasl, &keys, out);
	explicit_bzero(&keys, sizeof(keys));
	if (!j->known)
		job_fail(j, "unknown user");
	else if (r == SASL_PROVEN)
		proven(j, buf_view(out));
	else
		job_fail(j, j->sasl.why);
}

static void
go_on(struct job *j, enum sasl_result r, struct buf *out)
{
	const char	*text;

	switch (r) {
	case SASL_MORE:
		job_say_more(j, buf_view(out));
		break;
	case SASL_PASSWORD:
		check_password(j);
		break;
	case SASL_SALT:
		if (salt(j, out, &text) == SASL_MORE)
			job_say_more(j, buf_view(out));
		else
			job_say_temp(j, text);
		break;
	case SASL_PROOF:
		prove(j, out);
		break;
	case SASL_SYNTAX:
		log_failure(j, j->sasl.why);
		job_say_fail(j, AUTH_SYNTAX);
		break;
	case SASL_TYPE:
		log_failure(j, j->sasl.why);
		job_say_fail(j, AUTH_MECHANISM_UNKNOWN);
		break;
	case SASL_CERTIFICATE:
	case SASL_TOKEN:
	case SASL_PROVEN:
	case SASL_WRONG:
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
