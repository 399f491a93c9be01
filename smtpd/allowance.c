/*
 * smtpd/allowance.c - how much each user has sent. The memory is shared with
 * workers that talk to the network: what one of them writes there can spoil
 * counts, and nothing else. Without locks; two who come at the same moment
 * may both be the last.
 */
#include "smtpd/allowance.h"

#include <sys/mman.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#define SLOTS	16384u	/* users; a power of two */
#define PROBES	16u
#define HOUR	INT64_C(3600000)
#define DAY	(24 * HOUR)

struct window {
	_Atomic int64_t	since;		/* its first message, 0: never */
	atomic_uint	used[ALLOWANCE_WHATS];
};

struct slot {
	_Atomic uint64_t key;		/* of the user's name, 0: free */
	struct window	 hour, day;
};

struct allowance {
	uint64_t	 secret;
	struct slot	*slots;
};

struct allowance *
allowance_new(void)
{
	struct allowance	*a = malloc(sizeof(*a));

	if (a == NULL)
		return NULL;
	arc4random_buf(&a->secret, sizeof(a->secret));
	a->slots = mmap(NULL, SLOTS * sizeof(*a->slots),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (a->slots != MAP_FAILED)
		return a;
	free(a);
	return NULL;
}

void
allowance_free(struct allowance **a)
{
	if (*a == NULL)
		return;
	munmap((*a)->slots, SLOTS * sizeof(*(*a)->slots));
	free(*a);
	*a = NULL;
}

/* FNV-1a with a secret start. */
static uint64_t
hash(const struct allowance *a, struct str user)
{
	uint64_t	h = a->secret;
	size_t		i;

	for (i = 0; i < user.n; i++) {
		h ^= (unsigned char)user.p[i];
		h *= UINT64_C(0x100000001b3);
	}
	h ^= h >> 32;
	return h == 0 ? 1 : h;
}

static struct slot *
find(struct allowance *a, uint64_t key)
{
	struct slot	*s;
	size_t		 i;

	for (i = 0; i < PROBES; i++) {
		s = &a->slots[(key + i) % SLOTS];
		if (atomic_load(&s->key) == key)
			return s;
	}
	return NULL;
}

static void
begin(struct window *w, int64_t now)
{
	size_t	i;

	for (i = 0; i < ALLOWANCE_WHATS; i++)
		atomic_store(&w->used[i], 0);
	atomic_store(&w->since, now);
}

/* The user's place, or the one whose day began first. */
static struct slot *
enter(struct allowance *a, uint64_t key, int64_t now)
{
	struct slot	*s = find(a, key), *old = &a->slots[key % SLOTS];
	size_t		 i;

	if (s != NULL)
		return s;
	for (i = 1; i < PROBES; i++) {
		s = &a->slots[(key + i) % SLOTS];
		if (atomic_load(&s->day.since) < atomic_load(&old->day.since))
			old = s;
	}
	atomic_store(&old->key, key);
	begin(&old->hour, now);
	begin(&old->day, now);
	return old;
}

/* A clock that was set back ends a window, too. */
static void
renew(struct window *w, int64_t length, int64_t now)
{
	int64_t	since = atomic_load(&w->since);

	if (now < since || now - since >= length)
		begin(w, now);
}

static bool
is_spent(struct window *w, enum allowance_what what, unsigned limit,
    int64_t length, int64_t now, struct allowance_spent *out)
{
	if (limit == 0 || atomic_load(&w->used[what]) < limit)
		return false;
	out->limit = limit;
	out->day = length == DAY;
	out->wait_ms = atomic_load(&w->since) + length - now;
	return true;
}

bool
allowance_take(struct allowance *a, struct str user, enum allowance_what what,
    const struct allowance_limits *l, int64_t now,
    struct allowance_spent *spent)
{
	struct slot	*s;

	if (l->hour[what] == 0 && l->day[what] == 0)
		return true;
	s = enter(a, hash(a, user), now);
	renew(&s->hour, HOUR, now);
	renew(&s->day, DAY, now);
	/* of two limits, the one that lasts longer */
	if (is_spent(&s->day, what, l->day[what], DAY, now, spent) ||
	    is_spent(&s->hour, what, l->hour[what], HOUR, now, spent))
		return false;
	atomic_fetch_add(&s->hour.used[what], 1);
	atomic_fetch_add(&s->day.used[what], 1);
	return true;
}

static void
one_less(struct window *w, enum allowance_what what)
{
	unsigned	n = atomic_load(&w->used[what]);

	while (n > 0 && !atomic_compare_exchange_weak(&w->used[what], &n,
	    n - 1))
		continue;
}

void
allowance_give_back(struct allowance *a, struct str user,
    enum allowance_what what)
{
	struct slot	*s = find(a, hash(a, user));

	if (s == NULL)
		return;
	one_less(&s->hour, what);
	one_less(&s->day, what);
}
