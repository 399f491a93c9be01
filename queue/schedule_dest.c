/*
 * queue/schedule_dest.c - what is known of destinations: where each stands, how
 * many connections it may have, how fast it takes jobs, whether it is dead. What
 * has neither jobs nor connections is forgotten after a while, or when there are
 * too many. Pure but for its memory.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/schedule_impl.h"

#define KEEP_MS		INT64_C(3600000)	/* beyond the longest back-off */
#define FAILURES_MAX	30u
#define MINUTE_US	INT64_C(60000000)

static int64_t
free_at(const struct schedule_dest *d)
{
	return d->arrival - d->tolerance;
}

static int
dest_cmp(const struct schedule_dest *a, const struct schedule_dest *b)
{
	if (free_at(a) != free_at(b))
		return free_at(a) < free_at(b) ? -1 : 1;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return strcmp(a->key, b->key);
}

RB_GENERATE(dest_tree, schedule_dest, timed, dest_cmp)

/* xorshift64* (Vigna 2016) */
int64_t
schedule_random(struct schedule *s, int64_t most)
{
	uint64_t	x = s->chance;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	s->chance = x;
	x *= UINT64_C(0x2545f4914f6cdd1d);
	return most <= 0 ? 0 : (int64_t)((x >> 1) % (uint64_t)most);
}

/* FNV-1a, begun with a number that nobody outside knows; the lower half is the tag, never 0. */
static uint64_t
hash_of(const struct schedule *s, struct str key)
{
	uint64_t	h = UINT64_C(0xcbf29ce484222325) ^ s->seed;
	size_t		i;

	for (i = 0; i < key.n; i++)
		h = (h ^ (unsigned char)key.p[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 29;
	return (uint32_t)h == 0 ? h | 1 : h;
}

static struct schedule_dest *
find(const struct schedule *s, struct str key)
{
	uint64_t		 h = hash_of(s, key);
	struct schedule_dest	*d;

	for (d = s->by_hash[(uint32_t)h % DEST_BUCKETS]; d != NULL; d = d->same)
		if (d->hash == h && str_eq(str_from(d->key), key))
			return d;
	return NULL;
}

static void
unplace(struct schedule *s, struct schedule_dest *d)
{
	switch (d->list) {
	case LIST_FRESH:
		TAILQ_REMOVE(&s->fresh, d, link);
		break;
	case LIST_MORE:
		TAILQ_REMOVE(&s->more, d, link);
		break;
	case LIST_IDLE:
		TAILQ_REMOVE(&s->idle, d, link);
		break;
	case LIST_DEAD:
		TAILQ_REMOVE(&s->dead, d, link);
		break;
	case LIST_TIMED:
		RB_REMOVE(dest_tree, &s->timed, d);
		break;
	case LIST_NONE:
		break;
	}
	d->list = LIST_NONE;
}

static void
set_busy(struct schedule *s, struct schedule_dest *d, bool busy, int64_t now)
{
	if (busy == d->is_busy)
		return;
	d->is_busy = busy;
	if (busy) {
		TAILQ_INSERT_TAIL(&s->busy, d, busy);
		s->nbusy++;
		d->moved_at = now;
	} else {
		TAILQ_REMOVE(&s->busy, d, busy);
		s->nbusy--;
	}
}

void
dest_free(struct schedule *s, struct schedule_dest *d)
{
	struct schedule_dest	**at;

	unplace(s, d);
	set_busy(s, d, false, 0);
	if (d->hurries)
		TAILQ_REMOVE(&s->wanting, d, wanting);
	for (at = &s->by_hash[(uint32_t)d->hash % DEST_BUCKETS]; *at != d; )
		at = &(*at)->same;
	*at = d->same;
	s->ndests--;
	free(d->key);
	free(d->why);
	free(d);
}

static bool
forget_one(struct schedule *s, struct dest_queue *list, int64_t now)
{
	struct schedule_dest	*d = TAILQ_FIRST(list);

	if (d == NULL || (s->ndests < s->limits.dests &&
	    now - d->used_at <= KEEP_MS + 2 * s->limits.retry_max))
		return false;
	dest_free(s, d);
	return true;
}

/* That one is dead is worth more than that one is well. */
static void
forget_old(struct schedule *s, int64_t now)
{
	while (forget_one(s, &s->idle, now) || forget_one(s, &s->dead, now))
		continue;
}

struct schedule_dest *
dest_get(struct schedule *s, struct str key, int64_t now)
{
	struct schedule_dest	*d = find(s, key), **b;
	size_t			 c;

	if (d != NULL)
		return d;
	forget_old(s, now);
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	if ((d->key = str_dup(key)) == NULL) {
		free(d);
		return NULL;
	}
	d->hash = hash_of(s, key);
	for (c = 0; c < SCHEDULE_CLASSES; c++)
		TAILQ_INIT(&d->flows[c]);
	d->window = WINDOW_FIRST * WINDOW_ONE;
	d->ok_at = INT64_MIN / 2;
	d->arrival = INT64_MIN / 2;
	d->used_at = now;
	b = &s->by_hash[(uint32_t)d->hash % DEST_BUCKETS];
	d->same = *b;
	*b = d;
	s->ndests++;
	return d;
}

/*
 * Of so many a minute a tenth may come at once; the rest is spread so that there
 * are never more in any minute (a leaky bucket).
 */
void
dest_set_rules(const struct schedule *s, struct schedule_dest *d,
    const struct schedule_rules *r)
{
	int64_t	rate = (int64_t)r->rate, burst = rate / 10;

	d->limit = r->connections > 0 ? r->connections : s->limits.concurrency;
	if (d->window > d->limit * WINDOW_ONE)
		d->window = d->limit * WINDOW_ONE;
	d->spacing = rate == 0 ? 0 : (MINUTE_US + rate - burst - 1) /
	    (rate - burst);
	d->tolerance = burst * d->spacing;
}

size_t
dest_allowed(const struct schedule_dest *d)
{
	size_t	n = d->window / WINDOW_ONE;

	return d->failures > 0 ? 1 : n < 1 ? 1 : n;
}

bool
dest_must_pause(const struct schedule_dest *d, int64_t now)
{
	return d->spacing != 0 && free_at(d) > now * 1000;
}

bool
dest_may_start(const struct schedule_dest *d, int64_t now)
{
	return d->queued > 0 && d->open <= dest_allowed(d) &&
	    !dest_must_pause(d, now);
}

void
dest_began(struct schedule_dest *d, int64_t now)
{
	if (d->arrival < now * 1000)
		d->arrival = now * 1000;
	d->arrival += d->spacing;
}

void
dest_place(struct schedule *s, struct schedule_dest *d, int64_t now)
{
	unplace(s, d);
	set_busy(s, d, d->queued + d->active > 0, now);
	d->used_at = now;
	if (d->queued == 0) {
		/* Who has a job that was given back looks at it: it must not be forgotten. */
		if (d->open == 0 && d->active == 0 && d->given_back == 0) {
			d->list = d->failures > 0 ? LIST_DEAD : LIST_IDLE;
			TAILQ_INSERT_TAIL(d->failures > 0 ? &s->dead : &s->idle,
			    d, link);
		}
	} else if (dest_must_pause(d, now)) {
		d->list = LIST_TIMED;
		RB_INSERT(dest_tree, &s->timed, d);
	} else if (d->open == 0) {
		d->list = LIST_FRESH;
		TAILQ_INSERT_TAIL(&s->fresh, d, link);
	} else if (d->open < dest_allowed(d)) {
		d->list = LIST_MORE;
		TAILQ_INSERT_TAIL(&s->more, d, link);
	}
}

static void
keep_why(struct schedule_dest *d, struct str why)
{
	if (why.n > WHY_MAX)
		why.n = WHY_MAX;
	free(d->why);
	d->why = str_dup(why);	/* it helps, no more */
}

void
dest_die(struct schedule *s, struct schedule_dest *d, struct str why,
    int64_t now)
{
	unsigned	doublings = d->failures;
	int64_t		most = s->limits.retry_max;

	if (d->failures < FAILURES_MAX)
		d->failures++;
	d->back_off = s->limits.retry_first;
	while (doublings-- > 0 && d->back_off < most)
		d->back_off *= 2;
	if (d->back_off > most)
		d->back_off = most;
	d->probing = d->booked = false;
	d->window = WINDOW_ONE;
	d->dead_until = now + d->back_off * 3 / 4 +
	    schedule_random(s, d->back_off / 2);
	keep_why(d, why);
	while (d->queued > 0)
		schedule_send_away(s, d, flow_take(s, d), now);
}

void
dest_live(struct schedule *s, struct schedule_dest *d, int64_t now)
{
	d->failures = 0;
	d->dead_until = now;
	d->probing = d->booked = false;
	free(d->why);
	d->why = NULL;
	dest_want(s, d);
}

int64_t
dest_backlog(const struct schedule_dest *d, int64_t now)
{
	int64_t	took = now - d->moved_at, jobs, ms, paced;

	if (took < d->took)
		took = d->took;
	jobs = (int64_t)(d->queued + d->active);
	ms = jobs * took / (int64_t)(d->open > 0 ? d->open : 1);
	paced = (int64_t)d->queued * d->spacing / 1000;
	return ms > paced ? ms : paced;
}

/* Each busy destination may have so many messages under way when there is little room. */
size_t
schedule_share(const struct schedule *s)
{
	size_t	n = s->limits.running / (2 * (s->nbusy + 1));

	return n < 1 ? 1 : n;
}
