/*
 * queue/agents_watch.c - delivery agents that hang, and those that are so slow
 * that mail for others would have to wait for them.
 */
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_local.h"
#include "queue/agents.h"

#define SLOW_MS		500		/* for a delivery, on the average */
#define SILENT_MS	10000		/* without a result */

/*
 * How long it may work without a word: a command has its own time, and each
 * of a batch for an mbox may wait for the lock.
 */
static int64_t
patience(const struct agent *a)
{
	const struct settings	*set = a->q->settings;

	return set->queue.local_timeout + set->local.lock_timeout *
	    (a->command ? 1 : (int64_t)a->nsent) +
	    (a->command ? set->local.pipe_timeout : 0);
}

/* It would hang for ever, and each attempt would leave one more. */
static void
have_killed(struct agents *as, const struct agent *a)
{
	if (as->fd == -1 || a->pid == 0)
		return;
	buf_reset(&as->rec);
	record_puts(&as->rec, LOCAL_VERB, "kill");
	record_putu(&as->rec, LOCAL_WORKER, a->pid);
	if (!buf_ok(&as->rec) || msg_send(as->fd, &as->rec, NULL) == -1)
		log_warn("local user=%s why=\"it cannot be killed\"", a->user);
}

/* One that hangs has nothing to tell; what it was given must not hang with it. */
static void
drop_silent(struct agents *as)
{
	struct agent	*a, *next;
	int64_t		 now = now_ms();

	TAILQ_FOREACH_SAFE(a, &as->open, link, next) {
		if (a->nsent == 0 || now - a->since <= patience(a))
			continue;
		log_error("local user=%s why=\"no answer in %llds\"", a->user,
		    (long long)((now - a->since) / 1000));
		have_killed(as, a);
		agent_fail(as, a, "4.4.1",
		    STR("the delivery agent does not answer"), false);
	}
	a = TAILQ_FIRST(&as->opening);
	if (a != NULL && now - a->since > as->q->settings->queue.local_timeout)
		agents_parent_gone(as, "no answer");
}

/* ms that one delivery takes; 0 if that is not worth a thought. */
static int64_t
slowness(const struct agent *a)
{
	int64_t	silent = 0;

	if (a->state != AGENT_OPEN || a->nsent > 0)
		silent = now_ms() - a->since;
	if (a->pace >= SLOW_MS)
		return a->pace;
	return silent >= SILENT_MS ? silent : 0;
}

/*
 * Room for messages is short, and many wait for this user: those beyond a
 * small part of it come back when their turn may have come.
 */
static void
give_way(struct queue *q, struct agent *a)
{
	int64_t		 pace = slowness(a), most = q->settings->queue.retry_max,
			 wait;
	size_t		 keep = (size_t)q->settings->queue.running / 32 + 1,
			 n = 0;
	struct task	*t;

	if (pace == 0)
		return;
	TAILQ_FOREACH(t, &a->ready, link)
		n++;
	if (n > keep)
		log_info("gives-way user=%s deliveries=%zu pace=%lldms",
		    a->user, n - keep, (long long)pace);
	for (; n > keep; n--) {
		t = TAILQ_LAST(&a->ready, task_list);
		TAILQ_REMOVE(&a->ready, t, link);
		wait = (int64_t)n * pace;
		if (wait < SILENT_MS)
			wait = SILENT_MS;
		task_later(q, t, now_real_ms() + (wait < most ? wait : most), 0,
		    STR("other mail for this user has to be stored first"));
	}
}

static void
make_way(struct queue *q)
{
	struct agents	*as = q->agents;
	struct agent	*a;
	size_t		 room = (size_t)q->settings->queue.running;

	if (q->nrunning < room - room / 4)
		return;
	TAILQ_FOREACH(a, &as->open, link)
		give_way(q, a);
	TAILQ_FOREACH(a, &as->wanted, link)
		give_way(q, a);
}

void
agents_watch(struct queue *q)
{
	drop_silent(q->agents);
	make_way(q);
}
