/*
 * route/hop_cache.h - facts by name, the least used forgotten first; what is
 * still being looked up is never forgotten.
 */
#ifndef ROUTE_HOP_CACHE_H
#define ROUTE_HOP_CACHE_H

#include <sys/queue.h>

#include "route/hop_facts.h"
#include "route/hop_lookup.h"

struct hop_waiter {
	TAILQ_ENTRY(hop_waiter)	 link;
	void			*question;
};
TAILQ_HEAD(hop_waiters, hop_waiter);

struct hop_entry {
	TAILQ_ENTRY(hop_entry)	 used;		/* last one first */
	LIST_ENTRY(hop_entry)	 chain;
	struct facts		 facts;		/* its name and kind are the key */
	struct hop_lookup	*lookup;	/* under way, or NULL */
	struct hop_waiters	 waiters;
	int64_t			 until;		/* now_ms scale */
	size_t			 bytes;
	bool			 stale;		/* cleared while under way: good for those who wait */
	void			*owner;
};
TAILQ_HEAD(hop_entries, hop_entry);

#define HOP_CACHE_BUCKETS	4096u
LIST_HEAD(hop_chain, hop_entry);

struct hop_cache {
	struct hop_chain	 buckets[HOP_CACHE_BUCKETS];
	struct hop_entries	 used;
	uint32_t		 seed;
	size_t			 n, bytes, max_n, max_bytes;
};

/* seed: unknown to those who choose the names. */
void	hop_cache_init(struct hop_cache *, uint32_t seed, size_t max_n, size_t max_bytes);
/* All entries, also those under way; their waiters must be gone. */
void	hop_cache_free(struct hop_cache *);
/* All; what is under way will not be kept. */
void	hop_cache_clear(struct hop_cache *);
/* NULL: not there. Counts as a use. */
struct hop_entry *hop_cache_find(struct hop_cache *, bool is_mx, const char *name);
/* A new entry without facts. NULL: ENOMEM. */
struct hop_entry *hop_cache_add(struct hop_cache *, bool is_mx, const char *name) must_check;
void	hop_cache_remove(struct hop_cache *, struct hop_entry *);
/* The facts of an entry have come, and are the cache's from now on. */
void	hop_cache_fill(struct hop_cache *, struct hop_entry *, struct facts *, int64_t now);

#endif
