/* auth/backoff.c - a bounded memory of failures; of a few neighbours the oldest that is not blocked is forgotten first. */
#include "auth/backoff.h"

#include <stddef.h>
#include <string.h>

#define ONE		1000u	/* failure */
#define LEVEL_MAX	(200u * ONE)	/* where nothing is blocked */
#define COUNT_MAX	1000000u
#define DEFAULT_FAILURES 10	/* for the pace of forgiving where nothing is blocked */

void
backoff_init(struct backoff *b, uint64_t secret)
{
	memset(b, 0, sizeof(*b));
	b->secret = secret;
}

static uint64_t
key_of(const struct backoff *b, enum backoff_kind kind, struct str s)
{
	uint64_t	h = b->secret ^ (uint64_t)kind;
	size_t		i;

	for (i = 0; i < s.n; i++) {
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
		h ^= h >> 29;
	}
	h *= 0x9e3779b97f4a7c15u;
	h ^= h >> 32;
	return h == 0 ? 1 : h;
}

/* Where a key may live: a few neighbours. */
static size_t
first_way(uint64_t key)
{
	return (size_t)(key % (BACKOFF_ENTRIES / BACKOFF_WAYS)) * BACKOFF_WAYS;
}

static const struct backoff_entry *
find(const struct backoff *b, enum backoff_kind kind, struct str s)
{
	uint64_t	key = key_of(b, kind, s);
	size_t		i, from = first_way(key);

	for (i = from; i < from + BACKOFF_WAYS; i++)
		if (b->entries[kind][i].key == key)
			return &b->entries[kind][i];
	return NULL;
}

/* Rather a than b? */
static bool
is_staler(const struct backoff_entry *a, const struct backoff_entry *b,
    int64_t now)
{
	if (a->key == 0 || b->key == 0)
		return a->key == 0;
	if ((a->until > now) != (b->until > now))
		return b->until > now;
	return a->last < b->last;
}

/* Its own, or a new one in the place of another. */
static struct backoff_entry *
place(struct backoff *b, enum backoff_kind kind, struct str s, int64_t now)
{
	uint64_t		 key = key_of(b, kind, s);
	size_t			 i, from = first_way(key);
	struct backoff_entry	*best = &b->entries[kind][from];

	for (i = from; i < from + BACKOFF_WAYS; i++) {
		struct backoff_entry *e = &b->entries[kind][i];

		if (e->key == key)
			return e;
		if (is_staler(e, best, now))
			best = e;
	}
	*best = (struct backoff_entry){ .key = key, .last = now };
	return best;
}

/* What of it is not forgiven by now. */
static uint32_t
level(const struct backoff_entry *e, const struct backoff_limits *lim,
    int64_t now)
{
	long long	all = lim->failures > 0 ? lim->failures : DEFAULT_FAILURES;
	int64_t		gone = now - e->last;

	if (gone >= lim->block_time * (int64_t)(e->level / ONE + 1) / all)
		return 0;
	gone = gone * all * (int64_t)ONE / lim->block_time;
	return gone >= (int64_t)e->level ? 0 : e->level - (uint32_t)gone;
}

unsigned
backoff_failures(const struct backoff *b, enum backoff_kind kind, struct str s,
    const struct backoff_limits *lim, int64_t now)
{
	const struct backoff_entry	*e = find(b, kind, s);

	return e == NULL ? 0 : (level(e, lim, now) + ONE - 1) / ONE;
}

bool
backoff_blocked(const struct backoff *b, enum backoff_kind kind, struct str s,
    int64_t now)
{
	const struct backoff_entry	*e = find(b, kind, s);

	return e != NULL && e->until > now;
}

/* Half of the failures stay, so that who goes on is blocked again sooner. */
static void
block(struct backoff_entry *e, const struct backoff_limits *lim, int64_t now)
{
	int64_t	longest = lim->block_time << BACKOFF_DOUBLED;

	if (e->blocks > 0 && now - e->until > longest)
		e->blocks = 0;
	e->until = now + (lim->block_time <<
	    (e->blocks < BACKOFF_DOUBLED ? e->blocks : BACKOFF_DOUBLED));
	e->blocks++;
	e->level = (uint32_t)(lim->failures * ONE / 2);
}

bool
backoff_failed(struct backoff *b, enum backoff_kind kind, struct str s,
    const struct backoff_limits *lim, int64_t now)
{
	struct backoff_entry	*e = place(b, kind, s, now);

	e->level = level(e, lim, now);
	if (lim->failures > 0 || e->level < LEVEL_MAX)
		e->level += ONE;
	e->last = now;
	/* those that were on their way when it began count for the next one */
	if (lim->failures == 0 || e->until > now ||
	    e->level + ONE / 2 < lim->failures * ONE)
		return false;
	block(e, lim, now);
	return true;
}

void
backoff_forgive(struct backoff *b, enum backoff_kind kind, struct str s,
    const struct backoff_limits *lim, unsigned n, int64_t now)
{
	struct backoff_entry	*e;
	uint32_t		 have;

	if (find(b, kind, s) == NULL)
		return;
	e = place(b, kind, s, now);
	have = level(e, lim, now);
	e->level = n < COUNT_MAX && n * ONE < have ? have - n * ONE : 0;
	e->last = now;
}

void
backoff_remember(struct backoff *b, struct str s, int64_t now)
{
	place(b, BACKOFF_KNOWN, s, now)->last = now;
}

bool
backoff_is_known(const struct backoff *b, struct str s, int64_t now)
{
	const struct backoff_entry	*e = find(b, BACKOFF_KNOWN, s);

	return e != NULL && now - e->last < BACKOFF_FRIEND;
}

int64_t
backoff_delay(unsigned failures, int64_t base)
{
	int64_t	delay = base;

	if (failures == 0)
		return 0;
	while (--failures > 0 && delay > 0 && delay < BACKOFF_MAX)
		delay *= 2;
	return delay < BACKOFF_MAX ? delay : BACKOFF_MAX;
}
