/*
 * common/fmt/parts_boundary.c - the boundaries of the open multiparts; pure. A line's prefixes are hashed one after the
 * other, each byte once, so that the work for a line does not grow with the number of boundaries.
 */
#include <string.h>

#include "common/fmt/parts_impl.h"

#define HASH_FIRST	2166136261u	/* FNV-1a */

static uint32_t
hash_byte(uint32_t h, char c)
{
	return (h ^ (unsigned char)c) * 16777619u;
}

static uint32_t
bucket_of(uint32_t h)
{
	return (h ^ h >> 16) % BUCKETS;
}

void
parts_boundary_push(struct boundaries *t, struct str s, uint32_t level)
{
	struct boundary	*b = &t->b[t->n++];
	uint32_t	 i;

	*b = (struct boundary){ s.p, (uint32_t)s.n, HASH_FIRST, level, 0 };
	for (i = 0; i < b->n; i++)
		b->hash = hash_byte(b->hash, s.p[i]);
	i = bucket_of(b->hash);
	b->older = t->bucket[i];
	t->bucket[i] = t->n;
	t->of_length[b->n]++;
	t->lengths[b->n / 64] |= UINT64_C(1) << b->n % 64;
	if (b->n > t->longest)
		t->longest = b->n;
}

void
parts_boundary_pop(struct boundaries *t)
{
	struct boundary	*b = &t->b[--t->n];

	t->bucket[bucket_of(b->hash)] = b->older;
	if (--t->of_length[b->n] == 0)
		t->lengths[b->n / 64] &= ~(UINT64_C(1) << b->n % 64);
	if (t->n == 0)
		t->longest = 0;
}

const struct boundary *
parts_boundary_find(const struct boundaries *t, struct str line, bool *end)
{
	const struct boundary	*found = NULL, *b;
	uint32_t		 h = HASH_FIRST, i, k;

	for (i = 1; i <= t->longest && i <= line.n; i++) {
		h = hash_byte(h, line.p[i - 1]);
		if ((t->lengths[i / 64] >> i % 64 & 1) == 0)
			continue;
		for (k = t->bucket[bucket_of(h)]; k != 0; k = b->older) {
			b = &t->b[k - 1];
			if (b->hash == h && b->n == i &&
			    memcmp(b->p, line.p, i) == 0) {
				found = b;
				break;
			}
		}
	}
	if (found != NULL)
		*end = line.n >= found->n + 2 &&
		    memcmp(line.p + found->n, "--", 2) == 0;
	return found;
}
