/* auth/backoff.c - a bounded memory of failures; the oldest is forgotten first. */
#include "auth/backoff.h"

#include <stddef.h>
#include <string.h>

void
backoff_init(struct backoff *b, uint64_t secret)
{
	memset(b, 0, sizeof(*b));
	b->secret = secret;
}

static uint64_t
key_of(const struct backoff *b, char kind, struct str s)
{
	uint64_t	h = b->secret ^ (unsigned char)kind;
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
find(const struct backoff *b, uint64_t key)
{
	size_t	i, from = first_way(key);

	for (i = from; i < from + BACKOFF_WAYS; i++)
		if (b->entries[i].key == key)
			return &b->entries[i];
	return NULL;
}

unsigned
backoff_failures(const struct backoff *b, char kind, struct str s, int64_t now)
{
	const struct backoff_entry	*e = find(b, key_of(b, kind, s));

	return e == NULL || now - e->last > BACKOFF_FORGET ? 0 : e->failures;
}

void
backoff_failed(struct backoff *b, char kind, struct str s, int64_t now)
{
	uint64_t		 key = key_of(b, kind, s);
	unsigned		 failures = backoff_failures(b, kind, s, now);
	size_t			 i, from = first_way(key);
	struct backoff_entry	*e = &b->entries[from];

	for (i = from; i < from + BACKOFF_WAYS; i++) {
		if (b->entries[i].key == key) {
			e = &b->entries[i];
			break;
		}
		if (b->entries[i].key == 0 || (e->key != 0 &&
		    b->entries[i].last < e->last))
			e = &b->entries[i];
	}
	*e = (struct backoff_entry){ key, now, failures + 1 };
}

void
backoff_succeeded(struct backoff *b, char kind, struct str s)
{
	uint64_t	key = key_of(b, kind, s);
	size_t		i, from = first_way(key);

	for (i = from; i < from + BACKOFF_WAYS; i++)
		if (b->entries[i].key == key)
			b->entries[i] = (struct backoff_entry){ .key = 0 };
}

int64_t
backoff_delay(unsigned failures, int64_t base)
{
	int64_t	delay = base;

	if (failures == 0)
		return 0;
	while (--failures > 0 && delay < BACKOFF_MAX)
		delay *= 2;
	return delay < BACKOFF_MAX ? delay : BACKOFF_MAX;
}
