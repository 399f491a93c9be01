/*
 * common/base/arena.h - memory that is given back all at once, with a hard
 * maximum. What it gave out does not move.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/str.h"

struct arena_block;

struct arena {
	struct arena_block	*blocks;
	size_t			 used, max;	/* bytes over all blocks */
};

void	 arena_init(struct arena *, size_t max);	/* allocates nothing yet */
/* Aligned for any type, zeroed; NULL with ENOMEM, or EMSGSIZE beyond the maximum. */
void	*arena_get(struct arena *, size_t) must_check;
/* A copy of the bytes (and a NUL behind them, not counted). */
int	 arena_dup(struct arena *, struct str, struct str *) must_check;
void	 arena_free(struct arena *);	/* back to the state after arena_init */

#endif
