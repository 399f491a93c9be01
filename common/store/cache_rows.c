/*
 * common/store/cache_rows.c - rows of a cache, and what they lead to. Nothing that is read from the files is believed: a
 * row counts only with its sum, a text only with its own and within the file.
 */
#include <stdlib.h>
#include <string.h>

#include "common/store/cache_impl.h"

#define TABLE_FIRST	1024u
#define BROKEN_MAX	10000u	/* rows one behind the other that no crash leaves */

/* Fast, and enough against what crashes and torn writes leave; no defence against somebody who can write the files. */
uint64_t
cache_sum(uint64_t h, const void *data, size_t n)
{
	const char	*p = data;
	uint64_t	 w;

	h ^= n;
	for (; n > 0; n -= n < 8 ? n : 8) {
		w = 0;
		if (n >= 8)
			memcpy(&w, p, 8);
		else
			memcpy(&w, p, n);
		h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
		p += 8;
	}
	return h;
}

uint64_t
cache_row_sum(const struct cache_row *r, uint64_t generation)
{
	return cache_sum(generation, r, offsetof(struct cache_row, sum));
}

static size_t
rows_in(const struct cache *c)
{
	size_t	n = c->rows.n < sizeof(struct cache_header) ? 0 :
		    (c->rows.n - sizeof(struct cache_header)) /
		    sizeof(struct cache_row);

	return n < CACHE_ROWS_MAX ? n : CACHE_ROWS_MAX;
}

static const char *
row_at(const struct cache *c, size_t i)
{
	return c->rows.p + sizeof(struct cache_header) +
	    i * sizeof(struct cache_row);
}

static uint32_t
uid_at(const struct cache *c, size_t i)
{
	uint32_t	uid;

	memcpy(&uid, row_at(c, i) + offsetof(struct cache_row, uid),
	    sizeof(uid));
	return uid;
}

bool
cache_rows_get(const struct cache *c, size_t i, struct cache_row *out)
{
	if (i >= rows_in(c))
		return false;
	memcpy(out, row_at(c, i), sizeof(*out));
	return out->uid != 0 && out->sum == cache_row_sum(out, c->generation);
}

void
cache_rows_forget(struct cache *c)
{
	free(c->table);
	c->table = NULL;
	c->ntable = c->table_cap = 0;
	c->nrows = c->nsorted = c->hint = 0;
}

static size_t
slot_of(const struct cache *c, uint32_t uid)
{
	size_t	i = (uid * UINT32_C(2654435761)) & (c->table_cap - 1);

	while (c->table[i] != 0 && uid_at(c, c->table[i] - 1) != uid)
		i = (i + 1) & (c->table_cap - 1);
	return i;
}

static bool
table_grow(struct cache *c)
{
	uint32_t	*old = c->table, *new;
	size_t		 cap = c->table_cap, i;
	size_t		 more = cap == 0 ? TABLE_FIRST : cap * 2;

	if ((new = calloc(more, sizeof(*new))) == NULL)
		return false;
	c->table = new;
	c->table_cap = more;
	for (i = 0; i < cap; i++)
		if (old[i] != 0)
			c->table[slot_of(c, uid_at(c, old[i] - 1))] = old[i];
	free(old);
	return true;
}

/* The later one of a UID counts. No memory: it is as if it were not there. */
static void
table_add(struct cache *c, uint32_t uid, size_t number)
{
	size_t	i;

	if (c->ntable * 2 >= c->table_cap && !table_grow(c))
		return;
	i = slot_of(c, uid);
	if (c->table[i] == 0)
		c->ntable++;
	c->table[i] = (uint32_t)number + 1;
}

bool
cache_rows_scan(struct cache *c)
{
	struct cache_row	row;
	size_t			n = rows_in(c), broken = 0;

	for (; c->nrows < n && broken < BROKEN_MAX; c->nrows++) {
		if (!cache_rows_get(c, c->nrows, &row)) {
			broken++;
			continue;
		}
		broken = 0;
		if (c->nsorted == c->nrows && (c->nrows == 0 ||
		    uid_at(c, c->nrows - 1) < row.uid))
			c->nsorted++;
		else
			table_add(c, row.uid, c->nrows);
	}
	return broken < BROKEN_MAX;
}

/* In the part that is in order; most callers ask for one after the other. */
static bool
find_sorted(struct cache *c, uint32_t uid, size_t *out)
{
	size_t	low = 0, high = c->nsorted, middle;

	if (c->hint < c->nsorted && uid_at(c, c->hint) == uid)
		low = high = c->hint;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (uid_at(c, middle) < uid)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == c->nsorted || uid_at(c, low) != uid)
		return false;
	c->hint = low + 1;
	*out = low;
	return true;
}

bool
cache_rows_find(struct cache *c, uint32_t uid, struct cache_row *out)
{
	size_t	i;

	if (c->ntable > 0 && (i = slot_of(c, uid), c->table[i] != 0))
		return cache_rows_get(c, c->table[i] - 1, out) &&
		    out->uid == uid;
	return find_sorted(c, uid, &i) && cache_rows_get(c, i, out) &&
	    out->uid == uid;
}

static bool
is_within(uint64_t at, uint64_t n, size_t size)
{
	return at <= size && n <= size - at;
}

bool
cache_row_head(const struct cache_row *r, const char *texts, size_t n,
    struct cache_head *out)
{
	const uint64_t	size = (uint64_t)r->envelope_n + r->references_n +
			    r->message_id_n;
	const char	*p;

	if ((r->flags & CACHE_HEAD) == 0 || !is_within(r->head_at, size, n))
		return false;
	p = texts + r->head_at;
	if (cache_sum(r->uid, p, size) != r->head_sum)
		return false;
	out->sent = r->sent;
	out->zone = r->zone;
	out->has_date = (r->flags & CACHE_DATE) != 0;
	out->envelope = (struct str){ p, r->envelope_n };
	p += r->envelope_n;
	out->references = (struct str){ p, r->references_n };
	p += r->references_n;
	out->message_id = (struct str){ p, r->message_id_n };
	return true;
}

bool
cache_parts_ok(const struct part *p, size_t n, uint64_t size)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if ((i > 0 && p[i].parent >= i) || p[i].next >= n ||
		    p[i].child >= n || (p[i].next != 0 && p[i].next <= i) ||
		    (p[i].child != 0 && p[i].child <= i) ||
		    p[i].kind > PART_MESSAGE || p[i].encoding > MIME_UNKNOWN ||
		    p[i].header > p[i].body || p[i].body > p[i].end ||
		    p[i].end > size)
			return false;
	return true;
}

bool
cache_row_body(const struct cache_row *r, const char *texts, size_t n,
    struct cache_body *out)
{
	const uint64_t	parts_n = (uint64_t)r->nparts * sizeof(struct part);
	const char	*p;

	if ((r->flags & CACHE_BODY) == 0 || r->nparts == 0 ||
	    r->nparts > PARTS_MAX || r->body_at % 8 != 0 ||
	    !is_within(r->body_at, parts_n + r->structure_n, n))
		return false;
	p = texts + r->body_at;
	if (cache_sum(r->uid, p, parts_n + r->structure_n) != r->body_sum)
		return false;
	out->wire = r->wire;
	out->size = r->size;
	out->parts = (const struct part *)(const void *)p;
	out->nparts = r->nparts;
	out->bodystructure = (struct str){ p + parts_n, r->structure_n };
	return cache_parts_ok(out->parts, out->nparts, r->size);
}
