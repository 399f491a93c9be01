/*
 * auth/introspect_cache.h - what a provider has said is good, for a while: a mail program logs in several times in a row.
 * Tokens are known by their SHA-256 alone; what was refused is not kept. Of fixed size. Pure: time is an argument.
 */
#ifndef AUTH_INTROSPECT_CACHE_H
#define AUTH_INTROSPECT_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/claims.h"
#include "common/base/attr.h"
#include "common/store/digest.h"

struct cache;

struct cache	*cache_new(void) must_check;	/* NULL: ENOMEM */
void		 cache_free(struct cache **);
void		 cache_clear(struct cache *);
/* until: seconds since 1970, as now. The one that would have ended soonest makes room. */
void		 cache_put(struct cache *, const char hex[DIGEST_HEX + 1], const struct claims *, int64_t until);
/* false: not there, or not any more. */
bool		 cache_get(struct cache *, const char hex[DIGEST_HEX + 1], int64_t now, struct claims *);

#endif
