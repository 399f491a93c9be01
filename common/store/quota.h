/*
 * common/store/quota.h - how much a store may hold, and does. The limit is the user's or the configuration's; where there is
 * none, that of a "maildirsize" which Courier or Dovecot keep ("1000000S,1000C" in its first line). What lies there is counted
 * from the names of files, which carry the sizes, at need and then kept up to date for a while; a maildirsize that others
 * keep gets its lines from us.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/store/store.h"

struct quota {
	uint64_t	bytes_max, count_max;	/* 0: no limit */
	uint64_t	bytes, count;		/* of messages, in all folders */
};

/* The limit in bytes by the settings or the user's own; 0: maildirsize's. */
void	quota_set(struct store *, uint64_t bytes);
/* Only the limits: cheap. Does anything limit this store? */
bool	quota_limits(struct store *, struct quota *);
/* All of it, counted unless it was a short while ago. -1: errno. */
int	quota_usage(struct store *, struct quota *) must_check;
/* Is there room for so much more? Costs nothing where there is no limit. -1: EDQUOT, or another errno: nobody can say. */
int	quota_room(struct store *, uint64_t bytes, uint64_t count) must_check;
/* So much came, or went (negative): by whoever puts messages in or removes them. */
void	quota_changed(struct store *, int64_t bytes, int64_t count);

/* Pure: the first line of maildirsize. False: it is none. */
bool	quota_parse(struct str, struct quota *);

#endif
