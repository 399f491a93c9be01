/* route/seen.h - a set of byte strings: has this been here before? */
#ifndef ROUTE_SEEN_H
#define ROUTE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

struct seen {
	struct buf	 bytes;		/* of all members, one after the other */
	uint32_t	*slots;		/* index into ends + 1, 0 = free */
	uint32_t	*ends;		/* where each member ends in bytes */
	size_t		 nslots, n;
};

void	seen_init(struct seen *);
void	seen_reset(struct seen *);	/* empty, keeps its memory unless it is much */
void	seen_free(struct seen *);
/* 1: new and added, 0: it was there, -1: errno. */
int	seen_add(struct seen *, struct str) must_check;
bool	seen_has(const struct seen *, struct str);

#endif
