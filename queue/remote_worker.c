/*
 * queue/remote_worker.c - one worker of remote: a connection to a server, kept
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
#define PAUSE_MS	1000
#define COMPLAIN_MS	10000
#define PIECE		65536		/* of content: a block-timeout each */

static void	readable(evutil_socket_t, short, void *);

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

void
remote_free(struct remote *w)
{
	hang_up(w);
	hop_release(&w->hop);
	free(w);
}

void
remote_close(struct remotes *rs, struct remote *w)
{
	set_job(rs, w, NULL);
	TAILQ_REMOVE(&rs->idle, w, link);
	rs->nidle--;
	schedule_closed(rs->schedule, w->dest);
	remote_free(w);
}

struct remote *
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

void
remote_lose(struct remotes *rs, struct remote *w, struct str why, bool soon)
{
	struct job	*j = w->job;

	set_job(rs, w, NULL);
	if (j != NULL) {
		schedule_ended(rs->schedule, w->dest, j->sj.hosts,
		    SCHEDULE_LOST, why, w->begun, now_ms());
		job_fail(rs->q, &j, why, soon);
	}
	remote_close(rs, w);
	queue_kick(rs->q);
}

/* Once in a while, not for each job. */
static void
complain(struct remotes *rs, const char *why)
{
	int64_t	now = now_ms();

	if (rs->complained_at != 0 && now - rs->complained_at < COMPLAIN_MS)
		return;
	rs->complained_at = now;
	log_warn("remote why=\"%s\"", why);
}

/* The job is not begun after all: it stays the next of its destination. */
static void
take_back(struct remotes *rs, struct remote *w)
{
	struct job	*j = w->job;

	set_job(rs, w, NULL);
	TAILQ_INSERT_HEAD(&j->m->jobs, j, link);
	schedule_undo(rs->schedule, &j->sj, now_ms());
	remote_close(rs, w);
}

void
remote_begin(struct remotes *rs, struct remote *w, struct job *j)
{
	bool	sent = false;

	job_begin(j);
	set_job(rs, w, j);
	w->begun = now_ms();
	w->answered = false;
	if (w->fd != -1 && hop_alike(w->hop, j->hop))
		sent = put_job(rs, w, j) == 0;
	if (!sent) {
		hang_up(w);
		if (dial(w) == -1) {
			if (errno == EAGAIN) {
				rs->pause_until = now_ms() + PAUSE_MS;
				take_back(rs, w);
				return;
			}
			complain(rs, strerror(errno));
			remote_lose(rs, w, STR("the program that sends mail "
			    "cannot be reached"), true);
			return;
		}
		sent = put_job(rs, w, j) == 0;
	}
	hop_release(&w->hop);
	w->hop = hop_hold(j->hop);
	if (!sent)
		remote_lose(rs, w,
		    STR("the program that sends mail went away"), true);
}

bool
remote_go_on(struct remotes *rs, struct remote *w, int64_t now)
{
	struct schedule_job	*sj;
	bool			 yield;

	sj = schedule_again(rs->schedule, w->dest, w->used, now, &yield);
	if (sj != NULL)
		remote_begin(rs, w, (struct job *)sj);
	else if (yield || now - w->since >=
	    rs->q->settings->remote.idle_timeout)
		remote_close(rs, w);
	else
		return true;
	return false;
}

/*
 * How long a worker may say nothing: every address may take all its time, then
 * every command, then every piece of the content.
 */
int64_t
remote_patience(const struct remote *w)
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
		remote_close(rs, w);
	else
		(void)remote_go_on(rs, w, now);
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
		w->answered = true;
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
	/* A kept worker may end just when it is given more: that was no attempt. */
	if ((r == 0 || (r == -1 && errno == ECONNRESET)) && w->job != NULL &&
	    w->used > 0 && !w->answered && !w->job->again) {
		w->job->again = true;
		take_back(rs, w);
		queue_kick(rs->q);
		return;
	}
	if (w->job != NULL)
		log_warn("remote id=%s why=\"a worker died over it\"",
		    TAILQ_EMPTY(&w->job->tasks) ? "" : w->job->m->env.id);
	remote_lose(rs, w, STR("the program that sends mail died over it"), false);
}
