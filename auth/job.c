/*
 * auth/job.c - one login on its way: held if its client fails too often,
 * checked by a worker, then given to the master as a session or refused
 * after a delay. Nobody waits for anybody else's delay.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "auth/auth.h"
#include "auth/worker.h"
#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"

static void	dispatch(struct auth *);

static void
job_free(struct job *j)
{
	struct auth	*a = j->auth;
	size_t		 i;

	for (i = 0; i < AUTH_WORKERS; i++)
		if (a->workers[i].job == j)
			a->workers[i].job = NULL;
	if (j->peer != NULL)
		peer_set(j->peer, NULL);
	TAILQ_REMOVE(&a->jobs, j, link);
	a->njobs--;
	if (j->timer != NULL)
		event_free(j->timer);
	fdio_close(&j->fd);
	buf_wipe(&j->pending);
	buf_wipe(&j->record);
	explicit_bzero(j, sizeof(*j));
	free(j);
}

/* Tells the front and forgets the job. */
static void
answer(struct job *j, const char *verb, const char *text)
{
	struct peer	*p = j->peer;
	struct buf	 rec;

	buf_init(&rec, 1024);
	record_puts(&rec, AUTH_VERB, verb);
	if (text != NULL)
		record_puts(&rec, AUTH_TEXT, text);
	job_free(j);
	if (p != NULL && (!buf_ok(&rec) || peer_send(p, &rec) == -1))
		peer_drop(p);
	buf_free(&rec);
}

static void
answer_temp(struct job *j, const char *text)
{
	j->auth->temporary++;
	answer(j, "temp", text);
}

static int
wait_ms(struct job *j, int64_t ms)
{
	struct timeval	tv;

	if (ms < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	return event_add(j->timer, &tv);
}

static void
log_failure(const struct job *j, const char *why)
{
	char	user[LOG_SAFE_MAX], client[LOG_SAFE_MAX];

	log_info("login-failed service=%s user=%s client=%s why=\"%s\"",
	    j->req.service, log_safe(user, sizeof(user), str_from(j->req.user)),
	    log_safe(client, sizeof(client), str_from(j->req.client)), why);
}

/*
 * The answer is held back from when the question came, so that it does not
 * show how long the check took.
 */
static void
fail(struct job *j, const char *why)
{
	struct auth	*a = j->auth;
	int64_t		 now = now_ms(), delay;
	unsigned	 n, m;

	a->failures++;
	log_failure(j, why);
	backoff_failed(&a->backoff, 'c', str_from(j->req.unit), now);
	backoff_failed(&a->backoff, 'u', str_from(j->req.user), now);
	n = backoff_failures(&a->backoff, 'c', str_from(j->req.unit), now);
	m = backoff_failures(&a->backoff, 'u', str_from(j->req.user), now);
	delay = backoff_delay(n > m ? n : m, a->settings->pop3_login_delay);
	j->state = JOB_REFUSED;
	if (wait_ms(j, delay - (now - j->arrived)) == -1)
		answer(j, "fail", NULL);
}

static void
begin_session(struct job *j)
{
	struct auth	*a = j->auth;
	struct msg_fds	 fds = { .fd = { j->fd }, .n = 1 };
	const char	*text;
	struct buf	 rec;
	int		 r;

	buf_init(&rec, MSG_MAX);
	r = check_session(a, j, &rec, &text);
	if (r == 0 && (r = msg_send(FD_LINK, &rec, &fds)) == -1)
		log_error("session user=%s why=\"%s\"", j->user.name,
		    strerror(errno));
	buf_wipe(&rec);
	j->state = JOB_SESSION;
	if (r == -1 || wait_ms(j, AUTH_SESSION_MS) == -1)
		answer_temp(j, "temporary failure");
}

static void
checked(struct job *j, bool ok)
{
	struct auth	*a = j->auth;

	if (!j->known)
		fail(j, "unknown user");
	else if (!ok)
		fail(j, "wrong password");
	else if ((long long)j->user.uid < a->settings->local.min_uid)
		fail(j, "its number is below local.min-uid");
	else
		begin_session(j);
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
		    str_from(j->req.pass)) == -1) {
			log_error("worker why=\"%s\"", strerror(errno));
			auth_stop(a, EX_SOFTWARE);
			return;
		}
		explicit_bzero(j->req.pass, sizeof(j->req.pass));
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
check(struct job *j)
{
	struct auth	*a = j->auth;
	const char	*text;

	if (check_prepare(a, j, &text) == -1) {
		answer_temp(j, text);
		return;
	}
	j->state = JOB_WAITING;
	dispatch(a);
}

static void
timed_out(evutil_socket_t fd, short what, void *arg)
{
	struct job	*j = arg;

	(void)fd;
	(void)what;
	switch (j->state) {
	case JOB_HELD:
		j->arrived = now_ms();
		check(j);
		break;
	case JOB_REFUSED:
		answer(j, "fail", NULL);
		break;
	case JOB_SESSION:
		log_error("session user=%s why=\"the master does not answer\"",
		    j->user.name);
		answer_temp(j, "temporary failure");
		break;
	case JOB_WAITING:
	case JOB_CHECKING:
		break;
	}
}

static struct job *
job_new(struct auth *a, struct peer *p)
{
	struct job	*j;

	if ((j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	j->auth = a;
	j->peer = p;
	j->fd = -1;
	j->id = ++a->next_id;
	j->arrived = now_ms();
	buf_init(&j->pending, REQUEST_PENDING_MAX);
	buf_init(&j->record, USER_PASSWORD_MAX);
	TAILQ_INSERT_TAIL(&a->jobs, j, link);
	a->njobs++;
	peer_set(p, j);
	if ((j->timer = evtimer_new(a->base, timed_out, j)) == NULL) {
		job_free(j);
		return NULL;
	}
	return j;
}

/* A client that guesses waits before it is even looked at. */
static void
begin(struct job *j)
{
	struct auth	*a = j->auth;
	unsigned	 n;

	if (a->njobs > AUTH_JOBS_MAX) {
		answer_temp(j, "too many logins at a time");
		return;
	}
	n = backoff_failures(&a->backoff, 'c', str_from(j->req.unit),
	    j->arrived);
	if (n >= AUTH_HELD_FROM && a->settings->pop3_login_delay > 0) {
		j->state = JOB_HELD;
		if (wait_ms(j, backoff_delay(n - AUTH_HELD_FROM + 1,
		    a->settings->pop3_login_delay)) == 0)
			return;
	}
	check(j);
}

int
job_packet(void *arg, struct peer *p, struct buf *rec, struct msg_fds *fds)
{
	struct auth	*a = arg;
	struct job	*j;
	int		 r = -1;

	/* One question at a time; the next one would come from a broken front. */
	if (peer_get(p) == NULL && fds->n == 1 && (j = job_new(a, p)) != NULL) {
		if (request_parse(buf_view(rec), &j->req) &&
		    buf_addstr(&j->pending, j->req.pending) == 0) {
			j->req.pending = STR("");
			j->fd = fds->fd[0];
			fds->n = 0;
			begin(j);
			r = 0;
		} else
			job_free(j);
	}
	if (rec->p != NULL)
		explicit_bzero(rec->p, rec->cap);
	if (r == -1)
		log_warn("peer-dropped why=\"malformed login\"");
	return r;
}

/* What its worker computes is thrown away; a session that is on its way stays. */
void
job_peer_gone(void *arg, struct peer *p)
{
	struct job	*j = peer_get(p);

	(void)arg;
	if (j == NULL)
		return;
	j->peer = NULL;
	job_free(j);
}

void
job_master_said(struct auth *a, struct str rec)
{
	struct job	*j;
	struct str	 verb;
	uint64_t	 id;
	char		 client[LOG_SAFE_MAX];

	if (!record_getu(rec, AUTH_TAG, UINT64_MAX, &id) ||
	    !record_get(rec, AUTH_VERB, &verb))
		return;
	TAILQ_FOREACH(j, &a->jobs, link)
		if (j->id == id && j->state == JOB_SESSION)
			break;
	if (j == NULL)
		return;
	if (!str_eq(verb, STR("ok"))) {
		answer_temp(j, "too many sessions, or no room for one more");
		return;
	}
	a->logins++;
	log_info("login service=%s user=%s client=%s", j->req.service,
	    j->user.name, log_safe(client, sizeof(client),
	    str_from(j->req.client)));
	backoff_succeeded(&a->backoff, 'c', str_from(j->req.unit));
	backoff_succeeded(&a->backoff, 'u', str_from(j->req.user));
	answer(j, "ok", NULL);
}

void
job_free_all(struct auth *a)
{
	struct job	*j;

	while ((j = TAILQ_FIRST(&a->jobs)) != NULL)
		job_free(j);
}
