/*
 * imapd/ordered.h - UIDs in the order of a result, from which messages are expunged one after the other, each with the place that it has
 * just then (RFC 5267 4.3.4). Whoever takes many out of many pays n log n. Pure.
 */
#ifndef IMAPD_ORDERED_H
#define IMAPD_ORDERED_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct ordered {
	uint32_t	*uids;		/* owned; none is 0 while nothing is taken out */
	size_t		 n;
	struct ordered_row *rows;	/* by UID, from the first ordered_take to ordered_settle */
	uint32_t	*gone;		/* sums of those taken out, as a Fenwick tree */
	size_t		 taken;
};

/* *place: from 1, as things are; 0: it is not among them. -1: ENOMEM. */
int	ordered_take(struct ordered *, uint32_t uid, size_t *place) must_check;
/* Those that were taken out leave uids and n. */
void	ordered_settle(struct ordered *);
/* Takes uids over, of n; what was there is freed. */
void	ordered_set(struct ordered *, uint32_t *uids, size_t n);
void	ordered_free(struct ordered *);

#endif
