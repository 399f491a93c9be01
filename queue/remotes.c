/*
 * queue/remotes.c - workers of remote: each is a connection to a server, kept
 * for further mail as long as it is wanted. Results come recipient by recipient.
 * A worker that dies over a job leaves the recipients without a result waiting:
 * they may get it twice, they never lose it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_remote.h"
#include "queue/remotes.h"

#define SOCKET		"sock/remote"
#define DESTS_MAX	20000u		/* remembered */
#define PAUSE_MS	1000
#define HURRY_MS	200		/* between two searches of all that waits */
#define LOOK_MS		1000
#define PIECE		65536		/* of content: a block-timeout each */

static void	readable(evutil_socket_t, short, void *);

static struct schedule_limits
limits(const struct queue *q)
{
	const struct settings	*set = q->settings;

	return (struct schedule_limits){
		.workers = (size_t)set->remote.workers,
		.concurrency = (size_t)set->queue.destination_concurrency,
		.running = (size_t)set->queue.running, .dests = DESTS_MAX,
		.retry_first = set->queue.retry_first,
		.retry_max = set->queue.retry_max
	};
}

int
remotes_new(struct queue *q)
{
	struct schedule_limits	 l = limits(q);
	struct remotes		*rs;

	if ((rs = calloc(1, sizeof(*rs))) == NULL)
		return -1;
	arc4random_buf(&rs->seed, sizeof(rs->seed));
	if (schedule_new(&rs->schedule, &l, rs->seed) == -1) {
		free(rs);
		return -1;
	}
	rs->q = q;
	TAILQ_INIT(&rs->busy);
	TAILQ_INIT(&rs->idle);
	buf_init(&rs->rec, MSG_MAX);
	q->remotes = rs;
	return 0;
}

/* ---- connections */

static void
hang_up(struct remote *w)
{
	if (w->event != NULL)
		event_free(w->event);
	w->event = NULL;
	fdio_close(&w->fd);
}

static int
dial(struct remote *w)
{
	if ((w->fd = msg_connect_now(SOCKET)) == -1)
		return -1;
	if ((w->event = event_new(w->q->base, w->fd, EV_READ | EV_PERSIST,
	    readable, w)) == NULL || event_add(w->event, NULL) == -1) {
		hang_up(w);
		errno = ENOMEM;
		return -1;
	}
	w->used = 0;
	return 0;
}

static void
set_job(struct remotes *rs, struct remote *w, struct job *j)
{
	if (w->job != NULL) {
		TAILQ_REMOVE(&rs->busy, w, link);
		rs->nbusy--;
	} else {
		TAILQ_REMOVE(&rs->idle, w, link);
		rs->nidle--;
	}
	w->job = j;
	w->since = now_ms();
	if (j != NULL) {
		TAILQ_INSERT_TAIL(&rs->busy, w, link);
		rs->nbusy++;
	} else {
		TAILQ_INSERT_TAIL(&rs->idle, w, link);
		rs->nidle++;
	}
}

/* It has no job; its destination has one connection less. */
static void
let_go(struct remotes *rs, struct remote *w)
{
	set_job(rs, w, NULL);
	TAILQ_REMOVE(&rs->idle, w, link);
	rs->nidle--;
	hang_up(w);
	hop_release(&w->hop);
	schedule_closed(rs->schedule, w->dest);
	free(w);
}

static struct remote *
remote_new(struct remotes *rs, struct schedule_dest *d)
{
	struct remote	*w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	w->q = rs->q;
	w->fd = -1;
	w->dest = d;
	TAILQ_INSERT_TAIL(&rs->idle, w, link);
	rs->nidle++;
	return w;
}

static int
put_job(struct remotes *rs, struct remote *w, const struct job *j)
{
	struct msg_fds	fds = { .fd = { j->m->fd }, .n = 1 };

	buf_reset(&rs->rec);
	remote_packet_put(j, &rs->rec);
	return buf_ok(&rs->rec) ? msg_send(w->fd, &rs->rec, &fds) : -1;
}

/* The worker has gone or makes no sense, or never was there. */
static void
lose(struct remotes *rs, struct remote *w, struct str why, bool soon)
{
	struct job	*j = w->job;

	set_job(rs, w, NULL);
	if (j != NULL) {
		schedule_ended(rs->schedule, w->dest, j->sj.hosts,
		    SCHEDULE_LOST, why, w->begun, now_ms());
		job_fail(rs->q, &j, why, soon);
	}
	let_go(rs, w);
	queue_kick(rs->q);
}

/* Remote cannot take it now: it stays the next of its destination. */
static void
postpone(struct remotes *rs, struct remote *w)
{
	struct job	*j = w->job;

	rs->pause_until = now_ms() + PAUSE_MS;
	set_job(rs, w, NULL);
	TAILQ_INSERT_HEAD(&j->m->jobs, j, link);
	schedule_undo(rs->schedule, &j->sj, now_ms());
	let_go(rs, w);
}

/*
 * Gives the job to the worker, over a new connection if its session is for other
 * servers, or was closed meanwhile: then nothing of the job was done.
 */
static void
hand_over(struct remotes *rs, struct remote *w, struct job *j)
{
	bool	sent = false;

	job_begin(j);
	set_job(rs, w, j);
	w->begun = now_ms();
	if (w->fd != -1 && hop_alike(w->hop, j->hop))
		sent = put_job(rs, w, j) == 0;
	if (!sent) {
		hang_up(w);
		if (dial(w) == -1) {
			if (errno == EAGAIN) {
				postpone(rs, w);
				return;
			}
			log_warn("remote why=\"%s\"", strerror(errno));
			lose(rs, w, STR("the program that sends mail cannot be "
			    "reached"), true);
			return;
		}
		sent = put_job(rs, w, j) == 0;
	}
	hop_release(&w->hop);
	w->hop = hop_hold(j->hop);
	if (!sent)
		lose(rs, w, STR("the program that sends mail went away"), true);
}

/* ---- what is to be done now */

static void
open_more(struct remotes *rs, int64_t now)
{
	struct schedule_job	*sj;
	struct remote		*w;
	struct job		*j;

	for (;;) {
		/* Who waits for nothing makes room. */
		if (schedule_is_full(rs->schedule) &&
		    (w = TAILQ_FIRST(&rs->idle)) != NULL)
			let_go(rs, w);
		if (now < rs->pause_until ||
		    (sj = schedule_next(rs->schedule, now)) == NULL)
			return;
		j = (struct job *)sj;
		if ((w = remote_new(rs, sj->dest)) != NULL) {
			hand_over(rs, w, j);
			continue;
		}
		job_begin(j);
		schedule_ended(rs->schedule, sj->dest, sj->hosts, SCHEDULE_LOST,
		    STR(""), now, now);
		schedule_closed(rs->schedule, sj->dest);
		job_fail(rs->q, &j, STR("no memory for a connection"), true);
	}
}

/* False: it has gone. */
static bool
go_on(struct remotes *rs, struct remote *w, int64_t now)
{
	struct schedule_job	*sj;
	bool			 yield;

	sj = schedule_again(rs->schedule, w->dest, w->used, now, &yield);
	if (sj != NULL)
		hand_over(rs, w, (struct job *)sj);
	else if (yield || now - w->since >=
	    rs->q->settings->remote.idle_timeout)
		let_go(rs, w);
	else
		return true;
	return false;
}

/*
 * How long a worker may say nothing: every address may take all its time, then
 * every command, then every piece of the content.
 */
static int64_t
patience(const struct remote *w)
{
	const struct remote_settings	*s = &w->q->settings->remote;
	const struct job		*j = w->job;
	int64_t				 pieces = 1;

	if (!TAILQ_EMPTY(&j->tasks))
		pieces += (int64_t)(j->m->env.content_len / PIECE);
	return s->addresses * (s->connect_timeout + s->greeting_timeout +
	    4 * s->command_timeout) +
	    (int64_t)(j->ntasks + 4) * s->command_timeout + s->data_timeout +
	    pieces * s->block_timeout + s->end_timeout;
}

static void
drop_silent(struct remotes *rs, int64_t now)
{
	struct remote	*w, *next;
	char		 host[LOG_SAFE_MAX];

	if (now - rs->looked_at < LOOK_MS)
		return;
	rs->looked_at = now;
	TAILQ_FOREACH_SAFE(w, &rs->busy, link, next) {
		if (now - w->since <= patience(w))
			continue;
		log_error("remote dest=%s why=\"no answer in %llds\"",
		    log_safe(host, sizeof(host), schedule_key(w->dest)),
		    (long long)((now - w->since) / 1000));
		lose(rs, w, STR("the program that sends mail does not answer"),
		    false);
	}
}

/* Destinations that have room again: what was sent away comes now. */
static void
hurry(struct remotes *rs, int64_t now)
{
	struct waiting_heap	*h = &rs->q->waiting;
	int64_t			 due = now_real_ms();
	size_t			 i, n = 0;

	if (!schedule_hurries(rs->schedule) ||
	    now - rs->hurried_at < HURRY_MS)
		return;
	rs->hurried_at = now;
	for (i = 0; i < h->n; i++)
		if (h->w[i].dest != 0 && h->w[i].due > due &&
		    schedule_hurry(rs->schedule, h->w[i].dest)) {
			h->w[i].due = due;
			n++;
		}
	schedule_hurried(rs->schedule);
	if (n > 0) {
		waiting_order(h);
		queue_kick(rs->q);
	}
}

void
remotes_work(struct queue *q)
{
	struct remotes		*rs = q->remotes;
	struct schedule_limits	 l = limits(q);
	size_t			 room;
	struct remote		*w, *next;
	int64_t			 now = now_ms();

	schedule_set_limits(rs->schedule, &l);
	room = l.running > q->nrunning ? l.running - q->nrunning : 0;
	drop_silent(rs, now);
	TAILQ_FOREACH_SAFE(w, &rs->idle, link, next)
		(void)go_on(rs, w, now);
	open_more(rs, now);
	schedule_shed(rs->schedule, room, now);
	jobs_refused(q);
	hurry(rs, now);
}

int64_t
remotes_wait(const struct queue *q)
{
	struct remotes		*rs = q->remotes;
	const struct remote	*w;
	int64_t			 now = now_ms(), wait, left;

	wait = schedule_wait(rs->schedule, now);
	if (rs->pause_until > now && (wait == -1 ||
	    wait < rs->pause_until - now))
		wait = rs->pause_until - now;
	if ((w = TAILQ_FIRST(&rs->idle)) != NULL) {
		left = w->since + q->settings->remote.idle_timeout - now;
		if (wait == -1 || left < wait)
			wait = left;
	}
	if (schedule_hurries(rs->schedule) &&
	    (wait == -1 || wait > HURRY_MS))
		wait = HURRY_MS;
	if (!TAILQ_EMPTY(&rs->busy) && (wait == -1 || wait > LOOK_MS))
		wait = LOOK_MS;
	return wait;
}

/* ---- answers */

static struct task *
find_task(const struct job *j, uint64_t rcpt)
{
	struct task	*t;

	TAILQ_FOREACH(t, &j->tasks, link)
		if (t->rcpt == rcpt)
			return t;
	return NULL;
}

/* -1: it makes no sense, the worker is dropped. */
static int
one_result(struct remotes *rs, struct remote *w, struct str rec)
{
	struct verdict	 v;
	struct task	*t;
	uint64_t	 n;

	if (!remote_packet_result(rec, &n, &v) ||
	    (t = find_task(w->job, n)) == NULL)
		return -1;
	v.lmtp = w->job->hop->lmtp;
	TAILQ_REMOVE(&w->job->tasks, t, link);
	w->since = now_ms();
	task_ended(rs->q, t, &v);
	return 0;
}

/* The job is over; the connection may serve for the next. */
static void
job_over(struct remotes *rs, struct remote *w, struct str rec)
{
	struct job	*j = w->job;
	struct str	 failure, text;
	int64_t		 now = now_ms();
	bool		 keep, failed = record_get(rec, REMOTE_FAILURE,
			    &failure);

	keep = record_get(rec, REMOTE_KEEP, &text) && !failed &&
	    ++w->used < (size_t)rs->q->settings->remote.session_messages;
	if (!record_get(rec, REMOTE_TEXT, &text))
		text = STR("");
	set_job(rs, w, NULL);
	schedule_ended(rs->schedule, w->dest, j->sj.hosts,
	    failed ? SCHEDULE_FAILED : SCHEDULE_DONE, text, w->begun, now);
	job_fail(rs->q, &j, STR("it was not said what became of it"), false);
	if (!keep)
		let_go(rs, w);
	else
		(void)go_on(rs, w, now);
	queue_kick(rs->q);
}

/* False: it is over with this worker, or makes no sense. */
static bool
packet(struct remotes *rs, struct remote *w, struct str rec)
{
	struct str	verb;

	if (!record_ok(rec) || !record_get(rec, REMOTE_VERB, &verb) ||
	    w->job == NULL)
		return false;
	if (str_eq(verb, STR("result")))
		return one_result(rs, w, rec) == 0;
	return str_eq(verb, STR("done"));
}

static void
readable(evutil_socket_t fd, short what, void *arg)
{
	struct remote	*w = arg;
	struct remotes	*rs = w->q->remotes;
	struct str	 rec, verb;
	int		 r;

	(void)what;
	while ((r = msg_recv(fd, &rs->rec, NULL)) == 1) {
		rec = buf_view(&rs->rec);
		if (!packet(rs, w, rec)) {
			log_error("remote why=\"malformed answer\"");
			break;
		}
		if (record_get(rec, REMOTE_VERB, &verb) &&
		    str_eq(verb, STR("done"))) {
			job_over(rs, w, rec);
			return;
		}
	}
	if (r == -1 && errno == EAGAIN)
		return;
	if (w->job != NULL)
		log_warn("remote id=%s why=\"a worker died over it\"",
		    TAILQ_EMPTY(&w->job->tasks) ? "" : w->job->m->env.id);
	lose(rs, w, STR("the program that sends mail died over it"), false);
}

size_t
remotes_count(const struct queue *q)
{
	return q->remotes->nbusy + q->remotes->nidle;
}

void
remotes_free(struct remotes **rsp)
{
	struct remotes	*rs = *rsp;
	struct remote	*w;
	struct message	*m;
	struct job	*j;

	if (rs == NULL)
		return;
	while ((w = TAILQ_FIRST(&rs->busy)) != NULL) {
		job_free(&w->job);
		TAILQ_REMOVE(&rs->busy, w, link);
		TAILQ_INSERT_TAIL(&rs->idle, w, link);
	}
	while ((w = TAILQ_FIRST(&rs->idle)) != NULL) {
		TAILQ_REMOVE(&rs->idle, w, link);
		hang_up(w);
		hop_release(&w->hop);
		free(w);
	}
	TAILQ_FOREACH(m, &rs->q->running, link)
		while ((j = TAILQ_FIRST(&m->jobs)) != NULL) {
			job_begin(j);
			job_free(&j);
		}
	schedule_free(&rs->schedule);
	buf_free(&rs->rec);
	free(rs);
	*rsp = NULL;
}
