/*
 * queue/waiting.h - the messages that wait, by the time of their next attempt:
 * a heap of 32 bytes for each, which grows by half.
 */
#ifndef QUEUE_WAITING_H
#define QUEUE_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/id.h"

struct waiting {
	struct id	id;
	int64_t		due;	/* ms since 1970 */
	uint32_t	dest;	/* tag of a destination that it waits for (schedule.h), or 0 */
	uint8_t		place;	/* of its file: an enum spool_place */
	bool		fresh;	/* it could not be read yet */
};

struct waiting_heap {
	struct waiting	*w;	/* w[0] is the first that is due */
	size_t		 n, cap;
};

int	waiting_add(struct waiting_heap *, struct waiting) must_check;	/* -1 ENOMEM */
/* Some have another time now: puts all in their order. */
void	waiting_order(struct waiting_heap *);
/* The n-th of the array goes. */
void	waiting_remove(struct waiting_heap *, size_t);
/* Its place in the array; n if it is not there. Looks at all of them. */
size_t	waiting_find(const struct waiting_heap *, struct id);
void	waiting_free(struct waiting_heap *);

/* When to try again: the age of the message, within bounds, and up to a tenth more by chance. */
int64_t	waiting_delay(int64_t age_ms, int64_t first_ms, int64_t max_ms, uint32_t chance);

#endif
