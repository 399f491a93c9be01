/*
 * common/store/quota.h - how much a store may hold, and does. The limits are those that an administrator has set by IMAP, kept in
 * "posthouse-quota"; else the user's or the configuration's; where there is none, those of a "maildirsize" which Courier or Dovecot
 * keep ("1000000S,1000C" in its first line). What lies there is counted from the names of files, which carry the sizes, at need and
 * then kept up to date for a while; a maildirsize that others keep gets its lines from us.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/store/store.h"

#define QUOTA_NONE	UINT64_MAX	/* no limit; 0 is one that lets nothing in */
#define QUOTA_UNIT	1024		/* octets, of STORAGE (RFC 9208 5.1) */
#define QUOTA_UNITS_MAX	(INT64_MAX / QUOTA_UNIT)

struct quota {
	uint64_t	bytes_max, count_max;
	uint64_t	bytes, count;		/* of messages, in all folders */
	bool		is_bad;			/* what was set cannot be understood, and was passed over */
};

/* The limit in bytes by the settings or the user's own; 0: none. */
void	quota_set(struct store *, uint64_t bytes);
/* Only the limits: cheap. Does anything limit this store? */
bool	quota_limits(struct store *, struct quota *);
/* All of it, counted unless it was a short while ago. -1: errno. */
int	quota_usage(struct store *, struct quota *) must_check;
/* Is there room for so much more? Costs nothing where there is no limit. -1: EDQUOT, or another errno: nobody can say. */
int	quota_room(struct store *, uint64_t bytes, uint64_t count) must_check;
/* So much came, or went (negative): by whoever puts messages in or removes them. */
void	quota_changed(struct store *, int64_t bytes, int64_t count);
/* From now on these are the limits of the store, and no others; both QUOTA_NONE: those that it has without. Durable. -1: errno. */
int	quota_change(struct store *, const struct quota *) must_check;

/* quota_limits.c, pure: is there room for so much more than bytes and count? */
bool	quota_fits(const struct quota *, uint64_t bytes, uint64_t count);
/* Would less than a sixteenth be left of a limit? Then it matters what others do, and how long ago it was counted. What fits, only. */
bool	quota_is_tight(const struct quota *, uint64_t bytes, uint64_t count);
/* The same of a Maildir that is open; bytes as in quota_set. */
bool	quota_find(int root, uint64_t bytes, struct quota *);
int	quota_set_write(int root, const struct quota *) must_check;
/* Pure: the text of posthouse-quota, records (record.h) with V version, 1; S units of STORAGE, M messages, one of them or both. */
bool	quota_set_parse(struct str, struct quota *);
int	quota_set_put(struct buf *, const struct quota *) must_check;
/* Pure: the first line of maildirsize. False: it is none. */
bool	quota_parse(struct str, struct quota *);

#endif
