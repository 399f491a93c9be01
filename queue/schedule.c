/*
 * queue/schedule.c - the scheduler's face: jobs come in, are given to
 * connections, end. Every call is cheap; none depends on how many destinations
 * are dead or how much waits for them. Pure but for its memory.
 */
#include <stdlib.h>

#include "queue/schedule_impl.h"

#define LOOKS_MAX	16u		/* destinations with connections, in one search */
#define BATCH		10u		/* jobs over a connection that others wait for */
#define SHED_MS		250
#define SLOW_MS		10000		/* a backlog that is done with sooner is none */
#define LOST_MS		30000		/* a fault of ours costs a dead destination so much more */
#define HEALTHY_MS	60000		/* others talk to it: one failure is no death */
#define CEILING_MS	1800000		/* how long it is believed that it takes no more connections */
#define STRANGER_MS	600000		/* likewise if this one names servers of his own */
#define COOL_MS		600000		/* after so long without use a window is a small one again */

int
schedule_new(struct schedule **out, const struct schedule_limits *limits,
    uint64_t seed)
{
	struct schedule	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return -1;
	s->limits = *limits;
	s->seed = seed;
	s->chance = seed == 0 ? 1 : seed;
	TAILQ_INIT(&s->fresh);
	TAILQ_INIT(&s->more);
	TAILQ_INIT(&s->idle);
	TAILQ_INIT(&s->dead);
	TAILQ_INIT(&s->busy);
	TAILQ_INIT(&s->wanting);
	RB_INIT(&s->timed);
	TAILQ_INIT(&s->refused);
	*out = s;
	return 0;
}

void
schedule_free(struct schedule **sp)
{
	struct schedule	*s = *sp;
	size_t		 i;

	if (s == NULL)
		return;
	for (i = 0; i < DEST_BUCKETS; i++)
		while (s->by_hash[i] != NULL) {
			while (s->by_hash[i]->queued > 0)
				(void)flow_take(s, s->by_hash[i]);
			dest_free(s, s->by_hash[i]);
		}
	free(s);
	*sp = NULL;
}

void
schedule_set_limits(struct schedule *s, const struct schedule_limits *limits)
{
	s->limits = *limits;
}

/* Too much for a destination that is slow, when others may need the room? */
static bool
is_too_much(const struct schedule *s, const struct schedule_dest *d,
    const struct schedule_job *j, size_t room, int64_t now)
{
	return j->first && d->queued > 0 && room < s->limits.running / 2 &&
	    d->messages + d->active >= schedule_share(s) &&
	    dest_backlog(d, now) > SLOW_MS;
}

int
schedule_add(struct schedule *s, struct schedule_job *j, struct str key,
    const struct schedule_rules *rules, size_t room, int64_t now)
{
	struct schedule_dest	*d;

	if ((d = dest_get(s, key, now)) == NULL)
		return -1;
	if (!d->is_busy && now - d->used_at > COOL_MS &&
	    d->window > WINDOW_FIRST * WINDOW_ONE)
		d->window = WINDOW_FIRST * WINDOW_ONE;
	dest_set_rules(s, d, rules);
	if ((d->failures > 0 && (now < d->dead_until || d->probing)) ||
	    is_too_much(s, d, j, room, now)) {
		schedule_send_away(s, d, j, now);
		schedule_take_back(s, j);
		dest_place(s, d, now);
		return 1;
	}
	if (flow_add(s, d, j) == -1) {
		dest_place(s, d, now);
		return -1;
	}
	if (d->failures > 0)
		d->probing = true;
	dest_place(s, d, now);
	return 0;
}

static struct schedule_job *
begin(struct schedule *s, struct schedule_dest *d, int64_t now)
{
	struct schedule_job	*j = flow_take(s, d);

	d->active++;
	s->active++;
	dest_began(d, now);
	return j;
}

/*
 * The first that has no connection; else one that has few as measured by what is
 * free, so that slow ones never take the last.
 */
static struct schedule_dest *
choose(struct schedule *s)
{
	struct schedule_dest	*d = TAILQ_FIRST(&s->fresh);
	size_t			 unused = s->limits.workers - s->open, i;

	if (d != NULL)
		return d;
	for (i = 0; i < LOOKS_MAX; i++) {
		if ((d = TAILQ_FIRST(&s->more)) == NULL)
			return NULL;
		if (d->open < 2 * unused)
			return d;
		TAILQ_REMOVE(&s->more, d, link);
		TAILQ_INSERT_TAIL(&s->more, d, link);
	}
	return NULL;
}

struct schedule_job *
schedule_next(struct schedule *s, int64_t now)
{
	struct schedule_dest	*d;
	struct schedule_job	*j;

	while ((d = RB_MIN(dest_tree, &s->timed)) != NULL &&
	    !dest_must_pause(d, now))
		dest_place(s, d, now);
	if (s->open >= s->limits.workers || (d = choose(s)) == NULL)
		return NULL;
	j = begin(s, d, now);
	d->open++;
	s->open++;
	dest_place(s, d, now);
	return j;
}

bool
schedule_is_full(const struct schedule *s)
{
	return s->open >= s->limits.workers &&
	    (!TAILQ_EMPTY(&s->fresh) || !TAILQ_EMPTY(&s->more));
}

/* All connections are taken and somebody waits: is it time for this one to go? */
static bool
must_yield(const struct schedule *s, const struct schedule_dest *d,
    size_t used)
{
	size_t	fair = s->nbusy == 0 ? 1 : s->limits.workers / s->nbusy;

	if (!schedule_is_full(s))
		return false;
	if (d->open > (fair < 1 ? 1 : fair))
		return true;
	return !TAILQ_EMPTY(&s->fresh) && (d->queued == 0 ||
	    (used > 0 && used % BATCH == 0));
}

struct schedule_job *
schedule_again(struct schedule *s, struct schedule_dest *d, size_t used,
    int64_t now, bool *yield)
{
	struct schedule_job	*j;

	*yield = must_yield(s, d, used) || d->open > dest_allowed(d);
	if (*yield || !dest_may_start(d, now))
		return NULL;
	j = begin(s, d, now);
	dest_place(s, d, now);
	return j;
}

void
schedule_undo(struct schedule *s, struct schedule_job *j, int64_t now)
{
	struct schedule_dest	*d = j->dest;

	d->active--;
	s->active--;
	d->arrival -= d->spacing;
	if (flow_add(s, d, j) == -1) {
		/* It was to find out whether the destination lives: another one has to. */
		d->probing = d->probing && d->queued + d->active > 0;
		schedule_send_away(s, d, j, now);
	} else {
		TAILQ_REMOVE(&j->flow->jobs, j, link);
		TAILQ_INSERT_HEAD(&j->flow->jobs, j, link);
	}
	dest_place(s, d, now);
}

static void
succeeded(struct schedule *s, struct schedule_dest *d, uint64_t hosts,
    int64_t took, int64_t now)
{
	size_t	most = d->limit * WINDOW_ONE;

	if (d->ceiling > 0 && now - d->ceiling_at > CEILING_MS)
		d->ceiling = 0;
	if (d->ceiling > 0 && most > d->ceiling * WINDOW_ONE)
		most = d->ceiling * WINDOW_ONE;
	d->took = d->took == 0 ? took : (3 * d->took + took) / 4;
	d->ok_at = now;
	d->ok_hosts = hosts;
	d->window += WINDOW_ONE * WINDOW_ONE / d->window;
	if (d->window > most)
		d->window = most;
	if (d->failures > 0)
		dest_live(s, d, now);
	else if (d->queued < d->window / WINDOW_ONE)
		dest_want(s, d);
}

static void
broke(struct schedule *s, struct schedule_dest *d, uint64_t hosts,
    struct str why, int64_t now)
{
	int64_t	since = now - d->ok_at;
	bool	stranger = hosts != d->ok_hosts && since < STRANGER_MS;
	size_t	least = stranger ? WINDOW_FIRST * WINDOW_ONE : WINDOW_ONE;

	if (d->window > least)
		d->window = d->window / 2 < least ? least : d->window / 2;
	if (d->open > 1 && since < HEALTHY_MS && !stranger) {
		d->ceiling = d->open - 1;
		d->ceiling_at = now;
	}
	/* Several that began before it died say the same. */
	if (d->failures > 0 && !d->probing)
		return;
	if (d->failures == 0 &&
	    (stranger || (d->open > 1 && since < HEALTHY_MS)))
		return;
	dest_die(s, d, why, now);
}

void
schedule_ended(struct schedule *s, struct schedule_dest *d, uint64_t hosts,
    enum schedule_end end, struct str why, int64_t begun, int64_t now)
{
	d->active--;
	s->active--;
	d->moved_at = now;
	switch (end) {
	case SCHEDULE_DONE:
		succeeded(s, d, hosts, now - begun, now);
		break;
	case SCHEDULE_FAILED:
		broke(s, d, hosts, why, now);
		break;
	case SCHEDULE_LOST:
		if (d->probing && d->active + d->queued == 0) {
			d->probing = d->booked = false;
			d->dead_until = now + LOST_MS;
		}
		break;
	}
	dest_place(s, d, now);
}

void
schedule_closed(struct schedule *s, struct schedule_dest *d)
{
	d->open--;
	s->open--;
	dest_place(s, d, d->used_at);
}

void
schedule_shed(struct schedule *s, size_t room, int64_t now)
{
	size_t			 share = schedule_share(s);
	struct schedule_dest	*d, *next;

	if (room >= s->limits.running / 4 || now - s->shed_at < SHED_MS)
		return;
	s->shed_at = now;
	TAILQ_FOREACH_SAFE(d, &s->busy, busy, next) {
		if (d->failures > 0 || dest_backlog(d, now) <= SLOW_MS)
			continue;
		while (d->queued > 1 && d->messages + d->active > share)
			schedule_send_away(s, d, flow_take_last(s, d), now);
		dest_place(s, d, now);
	}
}

int64_t
schedule_wait(struct schedule *s, int64_t now)
{
	struct schedule_dest	*d = RB_MIN(dest_tree, &s->timed);
	int64_t			 at;

	if (d == NULL || s->open >= s->limits.workers)
		return -1;
	at = (d->arrival - d->tolerance + 999) / 1000;
	return at <= now ? 0 : at - now;
}

void
schedule_revive(struct schedule *s, struct str key, int64_t now)
{
	struct schedule_dest	*d;
	size_t			 i;

	for (i = 0; i < DEST_BUCKETS; i++)
		for (d = s->by_hash[i]; d != NULL; d = d->same)
			if ((key.p == NULL || str_eq(str_from(d->key), key)) &&
			    d->failures > 0) {
				dest_live(s, d, now);
				dest_place(s, d, now);
			}
}

struct str
schedule_why(const struct schedule_dest *d)
{
	return str_from(d->why);
}

struct str
schedule_key(const struct schedule_dest *d)
{
	return str_from(d->key);
}

void
schedule_count(const struct schedule *s, struct schedule_counts *c)
{
	const struct schedule_dest	*d;
	size_t				 i;

	*c = (struct schedule_counts){ .dests = s->ndests,
	    .queued = s->queued, .active = s->active, .open = s->open,
	    .flows = s->nflows };
	for (i = 0; i < DEST_BUCKETS; i++)
		for (d = s->by_hash[i]; d != NULL; d = d->same)
			c->dead += d->failures > 0;
}
