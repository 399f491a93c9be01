/*
 * queue/remotes.c - deliveries to other hosts, as a whole: the scheduler and the
 * workers of remote that it has work for.
 */
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/proc/msg.h"
#include "queue/remotes.h"

#define DESTS_MAX	20000u		/* remembered */
#define HURRY_MS	200		/* between two searches of all that waits */
#define LOOK_MS		1000

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
			remote_close(rs, w);
		if (now < rs->pause_until ||
		    (sj = schedule_next(rs->schedule, now)) == NULL)
			return;
		j = (struct job *)sj;
		if ((w = remote_new(rs, sj->dest)) != NULL) {
			remote_begin(rs, w, j);
			continue;
		}
		job_begin(j);
		schedule_ended(rs->schedule, sj->dest, sj->hosts, SCHEDULE_LOST,
		    STR(""), now, now);
		schedule_closed(rs->schedule, sj->dest);
		job_fail(rs->q, &j, STR("no memory for a connection"), true);
	}
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
		if (now - w->since <= remote_patience(w))
			continue;
		log_error("remote dest=%s why=\"no answer in %llds\"",
		    log_safe(host, sizeof(host), schedule_key(w->dest)),
		    (long long)((now - w->since) / 1000));
		remote_lose(rs, w, STR("the program that sends mail does not answer"),
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
		(void)remote_go_on(rs, w, now);
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
	schedule_free(&rs->schedule);	/* it looks at the jobs */
	while ((w = TAILQ_FIRST(&rs->busy)) != NULL) {
		job_free(&w->job);
		TAILQ_REMOVE(&rs->busy, w, link);
		TAILQ_INSERT_TAIL(&rs->idle, w, link);
	}
	while ((w = TAILQ_FIRST(&rs->idle)) != NULL) {
		TAILQ_REMOVE(&rs->idle, w, link);
		remote_free(w);
	}
	TAILQ_FOREACH(m, &rs->q->running, link)
		while ((j = TAILQ_FIRST(&m->jobs)) != NULL) {
			job_begin(j);
			job_free(&j);
		}
	buf_free(&rs->rec);
	free(rs);
	*rsp = NULL;
}
