/*
 * queue/control_order.c - what postq orders for a message: to hold it, to let
 * it go on, to try it now, to give it up, to throw it away.
 */
#include "queue/control.h"

#include <errno.h>
#include <stdio.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"

static void
log_held(struct id id)
{
	char	name[ID_SIZE];

	id_format(id, name);
	log_info("held id=%s why=\"an administrator said so\"", name);
}

static bool
is_held(const struct order *o)
{
	return spool_has(&o->q->spool, SPOOL_HOLD, o->id);
}

static bool
is_running(const struct order *o)
{
	return message_find(o->q, o->id) != NULL;
}

bool
order_hold(struct order *o)
{
	struct queue	*q = o->q;
	size_t		 at = waiting_find(&q->waiting, o->id);
	enum spool_place from = spool_has(&q->spool, SPOOL_QUEUE, o->id) ?
			    SPOOL_QUEUE : SPOOL_INCOMING;

	if (is_running(o))
		return order_say(o, false, "it is being delivered just now");
	if (at == q->waiting.n && is_held(o))
		return order_say(o, true, "is held already");
	if (spool_move(&q->spool, o->id, from, SPOOL_HOLD) == -1)
		return order_failed(o);
	log_held(o->id);
	if (at < q->waiting.n)
		waiting_remove(&q->waiting, at);
	return order_say(o, true, "held");
}

/* What the log says of a release. */
struct revival {
	bool	raw;		/* as a user wrote it: queue never took it over */
	size_t	nrcpts, revived;
};

/*
 * As a local user wrote it, and never taken over: who the user was is added
 * then. He may have written that, too, so the owner of the file counts first.
 */
static bool
is_raw(const struct queue *q, const struct envelope *env)
{
	return spool_is_users(&q->spool, env) ||
	    (str_eq(env->origin, STR("drop")) && env->auth.n == 0);
}

/* What failed for good is tried once more: that is why it is released. */
static int
revive(struct queue *q, struct id id, struct revival *out)
{
	struct envelope	env;
	struct diag	why;
	size_t		i;
	int		fd, r = 0;

	if ((fd = spool_file(&q->spool, SPOOL_HOLD, id, true)) == -1)
		return -1;
	if (envelope_load(fd, &env, &why) == -1) {
		fdio_close(&fd);
		return -1;
	}
	*out = (struct revival){ .nrcpts = env.nrcpts,
	    .raw = is_raw(q, &env) };
	for (i = 0; i < env.nrcpts && r == 0; i++)
		if (env.rcpts[i].state == RCPT_FAILED) {
			r = envelope_set_state(fd, &env.rcpts[i], RCPT_WAITING);
			out->revived += r == 0;
		}
	envelope_free(&env);
	fdio_close(&fd);
	return r;
}

static int
wait_now(struct queue *q, struct id id, enum spool_place place)
{
	return waiting_add(&q->waiting, (struct waiting){ .id = id,
	    .due = now_real_ms(), .place = (uint8_t)place });
}

static int
release(struct queue *q, struct id id)
{
	struct revival	v;
	char		name[ID_SIZE];

	if (revive(q, id, &v) == -1 || spool_move(&q->spool, id, SPOOL_HOLD,
	    v.raw ? SPOOL_DROP : SPOOL_QUEUE) == -1)
		return -1;
	id_format(id, name);
	log_info("released id=%s nrcpts=%zu revived=%zu", name, v.nrcpts,
	    v.revived);
	if (v.raw) {
		q->drop_more = true;
		return 0;
	}
	return wait_now(q, id, SPOOL_QUEUE);
}

bool
order_release(struct order *o)
{
	if (release(o->q, o->id) == 0)
		return order_say(o, true, "released");
	if (errno == ENOENT && (is_running(o) ||
	    spool_has(&o->q->spool, SPOOL_QUEUE, o->id) ||
	    spool_has(&o->q->spool, SPOOL_INCOMING, o->id)))
		return order_say(o, false, "it is not held");
	return order_failed(o);
}

/* A destination that could not be reached is tried all the same. */
static void
wake_hosts(const struct order *o)
{
	struct envelope	 env;
	struct diag	 why;
	enum spool_place place;
	int		 fd;

	if ((fd = order_open(o, &place)) == -1)
		return;
	if (envelope_load(fd, &env, &why) == 0) {
		schedule_wake_all_of(o->q, &env);
		envelope_free(&env);
	}
	fdio_close(&fd);
}

bool
order_flush(struct order *o)
{
	struct waiting_heap	*h = &o->q->waiting;
	int64_t			 now = now_real_ms();
	struct waiting		 w;
	char			 text[64];
	size_t			 i;

	recent_clear(o->q->recent);
	if (o->all) {
		schedule_wake(o->q, STR(""));
		for (i = 0; i < h->n; i++)
			h->w[i].due = now;
		if (h->n == 0)
			return order_say(o, true, "no message waits");
		snprintf(text, sizeof(text), "%zu message%s tried now", h->n,
		    h->n == 1 ? " is" : "s are");
		return order_say(o, true, text);
	}
	if ((i = waiting_find(h, o->id)) == h->n)
		return order_say(o, false, is_running(o) ?
		    "it is being delivered just now" : is_held(o) ?
		    "it is held" : "no such message waits");
	wake_hosts(o);
	w = h->w[i];
	w.due = now;
	waiting_remove(h, i);
	if (waiting_add(h, w) == -1)
		return order_failed(o);
	return order_say(o, true, "it is tried now");
}

bool
order_requeue(struct order *o)
{
	if (release(o->q, o->id) == 0)
		return order_say(o, true, "released");
	return errno == ENOENT ? order_flush(o) : order_failed(o);
}

/* How many have not got it: 0 of a file that nobody understands. */
static size_t
count_waiting(int fd)
{
	struct envelope	env;
	struct diag	why;
	size_t		i, n = 0;

	if (envelope_load(fd, &env, &why) == -1)
		return 0;
	for (i = 0; i < env.nrcpts; i++)
		n += envelope_rcpt_waits(&env.rcpts[i]);
	envelope_free(&env);
	return n;
}

bool
order_remove(struct order *o)
{
	struct queue	*q = o->q;
	size_t		 at = waiting_find(&q->waiting, o->id);
	char		 name[ID_SIZE];
	enum spool_place place;
	size_t		 waited;
	int		 fd;

	if (is_running(o))
		return order_say(o, false, "it is being delivered just now");
	if ((fd = order_open(o, &place)) == -1)
		return order_failed(o);
	waited = count_waiting(fd);
	fdio_close(&fd);
	if (spool_remove(&q->spool, place, o->id) == -1)
		return order_failed(o);
	if (at < q->waiting.n)
		waiting_remove(&q->waiting, at);
	id_format(o->id, name);
	log_warn("removed id=%s nrcpts=%zu why=\"an administrator said so\"",
	    name, waited);
	return order_say(o, true, "removed");
}

/* Out of hold: what a user wrote and nobody took over has no sender yet whom one could tell. */
static bool
take_from_hold(struct order *o)
{
	struct envelope	env;
	struct diag	why;
	bool		raw;
	int		fd, r;

	if ((fd = spool_file(&o->q->spool, SPOOL_HOLD, o->id, false)) == -1)
		return order_failed(o);
	r = envelope_load(fd, &env, &why);
	fdio_close(&fd);
	if (r == -1)
		return order_failed(o);
	raw = is_raw(o->q, &env);
	envelope_free(&env);
	if (raw)
		return order_say(o, false, "it was never taken over, release "
		    "it first");
	if (spool_move(&o->q->spool, o->id, SPOOL_HOLD, SPOOL_QUEUE) == -1)
		return order_failed(o);
	return true;
}

bool
order_expire(struct order *o)
{
	struct queue	*q = o->q;
	size_t		 at = waiting_find(&q->waiting, o->id);
	enum spool_place place;
	int		 fd;

	if (is_running(o))
		return order_say(o, false, "it is being delivered just now");
	if ((fd = order_open(o, &place)) == -1)
		return order_failed(o);
	fdio_close(&fd);
	if (place == SPOOL_HOLD) {
		if (!take_from_hold(o))
			return false;
		place = SPOOL_QUEUE;
	}
	if (at < q->waiting.n)
		waiting_remove(&q->waiting, at);
	if (message_expire(q, place, o->id) == -1) {
		/* It is there still, and must not be forgotten. */
		if ((place == SPOOL_QUEUE || place == SPOOL_INCOMING) &&
		    errno != EBADMSG && errno != ELOOP && errno != ENOENT &&
		    wait_now(q, o->id, place) == -1)
			errno = ENOMEM;
		return order_failed(o);
	}
	return order_say(o, true, "given up, its sender is told");
}
