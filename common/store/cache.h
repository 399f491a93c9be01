/*
 * common/store/cache.h - what was parsed of a folder's messages, once: two files per folder, rows of fixed size
 * ("posthouse.cache", found by UID) and the texts that they lead to ("posthouse.texts"); both are only appended to, mapped into memory,
 * and thrown away when they are damaged, belong to another UIDVALIDITY, or have more of dead messages than of living ones.
 * Nothing is only there. posthouse-cache(5) has the format.
 */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/fmt/parts.h"

/* Of the header. Views: valid until the next call with this cache that is not const. Texts may lie in the mapping, where whoever shares the folder can write over them. */
struct cache_head {
	int64_t		sent;		/* of Date:, seconds since 1970 UTC, if has_date */
	int16_t		zone;		/* minutes east, as written there */
	bool		has_date;
	struct str	envelope;	/* as structure.h writes it */
	struct str	references;	/* "<a> <b>": of References, else the first of In-Reply-To; normalized */
	struct str	message_id;	/* "<a@b>", normalized; empty: none */
};
/* Of the whole message. */
struct cache_body {
	uint64_t	wire, size;
	struct str	bodystructure;	/* as structure.h writes it, extended */
	const struct part *parts;	/* numbers and places are in order */
	size_t		nparts;
};

struct cache;	/* opaque */

/* dir: the folder. Missing or unusable files are made anew at the first put. Does nothing but remember; files are opened at first need. NULL: no memory. */
struct cache *cache_open(int dir, uint32_t uidvalidity, bool read_only);
void	cache_close(struct cache **);
/* False: not there. */
bool	cache_head(struct cache *, uint32_t uid, struct cache_head *);
bool	cache_body(struct cache *, uint32_t uid, struct cache_body *);
/* Several sessions may put the same: the last one counts. Buffered: written by cache_flush (also at close, and when much has gathered), under the cache's lock. -1: errno; the cache is then as if nothing had been put. */
int	cache_put_head(struct cache *, uint32_t uid, const struct cache_head *) must_check;
int	cache_put_body(struct cache *, uint32_t uid, const struct cache_body *) must_check;
int	cache_flush(struct cache *) must_check;
/* So many messages are in the folder: time to throw dead ones away? Does so. is_alive answers for a UID. */
int	cache_tidy(struct cache *, size_t messages, bool (*is_alive)(void *, uint32_t uid), void *) must_check;

/*
 * From a file: parsed whole (body) or as far as its header (head only). What they are made of is in the arena, which needs room
 * for PARTS_ARENA_MAX, and for texts of up to 128 MiB if the mail is hostile. -1: errno.
 */
struct arena;
int	cache_parse_head(int fd, struct arena *, struct cache_head *) must_check;
int	cache_parse(int fd, struct arena *, struct cache_head *, struct cache_body *) must_check;

#endif
