/* route/hop_cache.c - facts by name, within bounds. */
#include "route/hop_cache.h"

#include <stdlib.h>
#include <string.h>

void
hop_cache_init(struct hop_cache *c, uint32_t seed, size_t max_n,
    size_t max_bytes)
{
	size_t	i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < HOP_CACHE_BUCKETS; i++)
		LIST_INIT(&c->buckets[i]);
	TAILQ_INIT(&c->used);
	c->seed = seed;
	c->max_n = max_n;
	c->max_bytes = max_bytes;
}

/* FNV-1a, from a start that nobody knows */
static struct hop_chain *
bucket(struct hop_cache *c, bool is_mx, const char *name)
{
	uint32_t	h = (2166136261u ^ c->seed) + is_mx;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return &c->buckets[(h ^ h >> 16) % HOP_CACHE_BUCKETS];
}

struct hop_entry *
hop_cache_find(struct hop_cache *c, bool is_mx, const char *name)
{
	struct hop_entry	*e;

	LIST_FOREACH(e, bucket(c, is_mx, name), chain)
		if (e->facts.is_mx == is_mx &&
		    strcmp(e->facts.name, name) == 0) {
			TAILQ_REMOVE(&c->used, e, used);
			TAILQ_INSERT_HEAD(&c->used, e, used);
			return e;
		}
	return NULL;
}

struct hop_entry *
hop_cache_add(struct hop_cache *c, bool is_mx, const char *name)
{
	struct hop_entry	*e;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	facts_init(&e->facts, is_mx, name);
	TAILQ_INIT(&e->waiters);
	LIST_INSERT_HEAD(bucket(c, is_mx, name), e, chain);
	TAILQ_INSERT_HEAD(&c->used, e, used);
	c->n++;
	return e;
}

void
hop_cache_remove(struct hop_cache *c, struct hop_entry *e)
{
	LIST_REMOVE(e, chain);
	TAILQ_REMOVE(&c->used, e, used);
	c->n--;
	c->bytes -= e->bytes;
	hop_lookup_cancel(&e->lookup);
	facts_free(&e->facts);
	free(e);
}

static void
shrink(struct hop_cache *c, const struct hop_entry *keep)
{
	struct hop_entry	*e = TAILQ_LAST(&c->used, hop_entries), *prev;

	for (; e != NULL && (c->n > c->max_n || c->bytes > c->max_bytes);
	    e = prev) {
		prev = TAILQ_PREV(e, hop_entries, used);
		if (e->lookup == NULL && e != keep)
			hop_cache_remove(c, e);
	}
}

void
hop_cache_fill(struct hop_cache *c, struct hop_entry *e, struct facts *f,
    int64_t now)
{
	facts_free(&e->facts);
	e->facts = *f;
	c->bytes -= e->bytes;
	e->bytes = sizeof(*e) + facts_size(f);
	c->bytes += e->bytes;
	e->until = e->stale ? now : now + (int64_t)facts_expire(f) * 1000;
	e->stale = false;
	shrink(c, e);
}

void
hop_cache_clear(struct hop_cache *c)
{
	struct hop_entry	*e, *next;

	for (e = TAILQ_FIRST(&c->used); e != NULL; e = next) {
		next = TAILQ_NEXT(e, used);
		if (e->lookup == NULL)
			hop_cache_remove(c, e);
		else
			e->stale = true;
	}
}

void
hop_cache_free(struct hop_cache *c)
{
	struct hop_entry	*e;

	while ((e = TAILQ_FIRST(&c->used)) != NULL)
		hop_cache_remove(c, e);
}
