/* queue/brake_rate.c - counting what an account sends; pure. */
#include "queue/brake_rate.h"

#include <string.h>

#include "common/base/attr.h"

#define HOUR		3600
#define DAY		86400
#define FADE		9755u	/* of 10000, each day: the half is left after 28 */
#define FADE_DAYS	56	/* the most at once: a clock that jumped must not make us forget all */
#define KNOWN_HALF	340u	/* recipients that set half of the bits */

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Day after day, so that it does not matter how often one looks. */
static void
next_day(struct brake_rate *r, const struct brake_limits *l,
    enum brake_learning how)
{
	uint64_t	peak, cap;
	size_t		i;

	for (i = 0; i < BRAKE_KINDS; i++) {
		peak = (uint64_t)r->peak[i] * 1000;
		cap = 2 * most(r->usual[i], (uint64_t)l->free[i] * 1000);
		r->usual[i] = r->usual[i] * FADE / 10000;
		if (how == LEARN_NOTHING)
			continue;
		if (how == LEARN_SLOWLY)
			peak = least(peak, cap);
		r->usual[i] = most(r->usual[i], peak);
		r->peak[i] = 0;
	}
}

static void
move_days(struct brake_rate *r, const struct brake_limits *l, int64_t day,
    enum brake_learning how)
{
	int64_t	n = day - r->day;

	r->day = day;
	if (n > FADE_DAYS)
		n = FADE_DAYS;
	for (; n > 0; n--)
		next_day(r, l, how);
}

void
brake_rate_move(struct brake_rate *r, const struct brake_limits *l,
    int64_t now, enum brake_learning how)
{
	int64_t	hour = now / HOUR, day = now / DAY;

	if (r->hour == 0) {
		r->hour = hour;
		r->day = day;
	}
	/* The clock was put back: what was counted just now is still so. */
	if (hour < r->hour - 1) {
		r->hour = hour;
		r->day = day;
	}
	if (hour > r->hour) {
		if (hour == r->hour + 1)
			memcpy(r->before, r->now, sizeof(r->before));
		else
			memset(r->before, 0, sizeof(r->before));
		memset(r->now, 0, sizeof(r->now));
		r->hour = hour;
	}
	if (day > r->day)
		move_days(r, l, day, how);
}

/* As much of the hour before as belongs to the last sixty minutes, if it was spread evenly. */
uint32_t
brake_rate_hour(const struct brake_rate *r, enum brake_kind kind, int64_t now)
{
	int64_t		into = now - r->hour * HOUR;
	uint64_t	n;

	if (into < 0)
		into = 0;
	if (into > HOUR)
		into = HOUR;
	n = r->now[kind] +
	    (uint64_t)r->before[kind] * (uint64_t)(HOUR - into) / HOUR;
	return (uint32_t)least(n, UINT32_MAX);
}

void
brake_rate_add(struct brake_rate *r, enum brake_kind kind, uint32_t n,
    int64_t now)
{
	uint32_t	hour;

	r->now[kind] = (uint32_t)least((uint64_t)r->now[kind] + n, UINT32_MAX);
	hour = brake_rate_hour(r, kind, now);
	if (hour > r->peak[kind])
		r->peak[kind] = hour;
}

uint32_t
brake_rate_limit(const struct brake_rate *r, const struct brake_limits *l,
    enum brake_kind kind)
{
	if (l->free[kind] == 0)
		return UINT32_MAX;
	/* a number of the file may be any */
	return (uint32_t)least(most(l->free[kind],
	    least(r->usual[kind] / 1000, UINT32_MAX) * l->factor), UINT32_MAX);
}

bool
brake_rate_exceeds(const struct brake_rate *r, const struct brake_limits *l,
    int64_t now, enum brake_kind *which)
{
	size_t	i;

	for (i = 0; i < BRAKE_KINDS; i++) {
		*which = (enum brake_kind)i;
		if (brake_rate_hour(r, *which, now) >
		    brake_rate_limit(r, l, *which))
			return true;
	}
	return false;
}

bool
brake_rate_matters(const struct brake_rate *r, const struct brake_limits *l,
    int64_t now)
{
	enum brake_kind	k;
	size_t		i;

	for (i = 0; i < BRAKE_KINDS; i++) {
		k = (enum brake_kind)i;
		if (l->free[i] > 0 && (brake_rate_limit(r, l, k) > l->free[i] ||
		    r->peak[i] > l->free[i] / l->factor ||
		    brake_rate_hour(r, k, now) > l->free[i] / 8))
			return true;
	}
	return false;
}

void
brake_rate_accept(struct brake_rate *r)
{
	size_t	i;

	for (i = 0; i < BRAKE_KINDS; i++)
		r->usual[i] = most(r->usual[i], (uint64_t)r->peak[i] * 1000);
}

void
brake_rate_forget(struct brake_rate *r)
{
	memset(r->now, 0, sizeof(r->now));
	memset(r->before, 0, sizeof(r->before));
	memset(r->peak, 0, sizeof(r->peak));
}

/* ---- recipients */

/* FNV-1a, then mixed (MurmurHash3's end): three numbers of 11 bits are taken from it. */
static uint64_t
hash(struct str addr)
{
	uint64_t	h = UINT64_C(0xcbf29ce484222325);
	size_t		i;
	unsigned char	c;

	for (i = 0; i < addr.n; i++) {
		c = (unsigned char)addr.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + 32);
		h = (h ^ c) * UINT64_C(0x100000001b3);
	}
	h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ (h >> 33);
}

/* How many of its three bits are not set yet in this half; they are afterwards if set. */
static unsigned
missing(uint64_t *bits, uint64_t h, bool set)
{
	unsigned	i, n = 0;
	uint64_t	bit, *word;

	for (i = 0; i < 3; i++, h >>= 11) {
		word = &bits[(h >> 6) % KNOWN_WORDS];
		bit = UINT64_C(1) << (h & 63);
		n += (*word & bit) == 0;
		if (set)
			*word |= bit;
	}
	return n;
}

bool
brake_known_add(struct brake_known *k, struct str addr)
{
	uint64_t	h = hash(addr);
	bool		fresh;

	if (missing(k->bits[0], h, false) == 0)
		return false;
	fresh = missing(k->bits[1], h, false) > 0;
	if (k->n >= KNOWN_HALF) {
		memcpy(k->bits[1], k->bits[0], sizeof(k->bits[1]));
		memset(k->bits[0], 0, sizeof(k->bits[0]));
		k->n = 0;
	}
	/* who is written to again stays known */
	(void)missing(k->bits[0], h, true);
	k->n++;
	return fresh;
}
