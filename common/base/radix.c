/* common/base/radix.c - a byte of the keys after the other, the lowest first. */
#include "common/base/radix.h"

#include <stdlib.h>
#include <string.h>

#define BYTES	sizeof(uint64_t)
#define VALUES	256

static unsigned
byte_of(uint64_t key, size_t i)
{
	return key >> (8 * i) & 0xff;
}

/* How many have each value of each byte. */
static void
count(const struct radix_place *p, size_t n, size_t (*counts)[VALUES])
{
	size_t	i, b;

	memset(counts, 0, BYTES * sizeof(*counts));
	for (i = 0; i < n; i++)
		for (b = 0; b < BYTES; b++)
			counts[b][byte_of(p[i].key, b)]++;
}

/* Where those of each value begin. */
static void
add_up(size_t *counts)
{
	size_t	v, at = 0, n;

	for (v = 0; v < VALUES; v++) {
		n = counts[v];
		counts[v] = at;
		at += n;
	}
}

int
radix_sort(struct radix_place *p, size_t n)
{
	struct radix_place	*from = p, *to, *room;
	size_t			 counts[BYTES][VALUES], b, i;

	if (n < 2)
		return 0;
	if ((room = calloc(n, sizeof(*room))) == NULL)
		return -1;
	to = room;
	count(p, n, counts);
	for (b = 0; b < BYTES; b++) {
		if (counts[b][byte_of(p[0].key, b)] == n)
			continue;	/* it is the same in all */
		add_up(counts[b]);
		for (i = 0; i < n; i++)
			to[counts[b][byte_of(from[i].key, b)]++] = from[i];
		to = from;
		from = from == p ? room : p;
	}
	if (from != p)
		memcpy(p, from, n * sizeof(*p));
	free(room);
	return 0;
}
