/* common/base/id.c - the one name of a message. */
#include "common/base/id.h"

#include <stdlib.h>

#define TIME_BITS	52
#define RANDOM_BITS	48
#define MASK(bits)	((UINT64_C(1) << (bits)) - 1)

static const char alphabet[] = ID_ALPHABET;

static int
digit_value(char c)
{
	static const signed char	letters[26] = {
		10, 11, 12, 13, 14, 15, 16, 17, -1, 18, 19, -1, 20,
		21, -1, 22, 23, 24, 25, 26, -1, 27, 28, 29, 30, 31
	};

	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'z' ? letters[c - 'a'] : -1;
}

/* The n-th group of five bits of the hundred, 0 the most significant. */
static unsigned
group(struct id id, unsigned n)
{
	unsigned	low = 95 - n * 5;	/* bits below the group */

	if (low >= RANDOM_BITS)
		return (unsigned)(id.time_us >> (low - RANDOM_BITS)) & 31;
	if (low + 5 <= RANDOM_BITS)
		return (unsigned)(id.random >> low) & 31;
	return (unsigned)((id.time_us << (RANDOM_BITS - low)) |
	    (id.random >> low)) & 31;
}

struct id
id_make(const struct timespec *now)
{
	struct id	id;

	id.time_us = ((uint64_t)now->tv_sec * 1000000 +
	    (uint64_t)now->tv_nsec / 1000) & MASK(TIME_BITS);
	arc4random_buf(&id.random, sizeof(id.random));
	id.random &= MASK(RANDOM_BITS);
	return id;
}

void
id_format(struct id id, char out[ID_SIZE])
{
	unsigned	i;

	for (i = 0; i < ID_LEN; i++)
		out[i] = alphabet[group(id, i)];
	out[ID_LEN] = '\0';
}

bool
id_parse(struct str s, struct id *out)
{
	struct id	id = { 0, 0 };
	size_t		i;
	int		v;

	if (s.n != ID_LEN)
		return false;
	for (i = 0; i < ID_LEN; i++) {
		if ((v = digit_value(s.p[i])) == -1)
			return false;
		id.time_us = (id.time_us << 5) | (id.random >> 43);
		id.random = ((id.random << 5) | (uint64_t)v) & MASK(RANDOM_BITS);
	}
	id.time_us &= MASK(TIME_BITS);
	*out = id;
	return true;
}

bool
id_eq(struct id a, struct id b)
{
	return a.time_us == b.time_us && a.random == b.random;
}

int
id_cmp(const void *x, const void *y)
{
	const struct id	*a = x, *b = y;

	if (a->time_us != b->time_us)
		return a->time_us < b->time_us ? -1 : 1;
	return (a->random > b->random) - (a->random < b->random);
}

/*
 * Bits 20 to 29 of the microseconds: a new shard each 1.05 s, all of them in
 * 18 minutes.
 */
void
id_shard(struct id id, char out[SHARD_LEN + 1])
{
	id_shard_name((unsigned)(id.time_us >> 20) & (SHARD_COUNT - 1), out);
}

void
id_shard_name(unsigned n, char out[SHARD_LEN + 1])
{
	out[0] = alphabet[(n >> 5) & 31];
	out[1] = alphabet[n & 31];
	out[2] = '\0';
}
