/* queue/entry.h - what mailq shows of a message, read from its files; for the daemon and, when it is down, for mailq. */
#ifndef QUEUE_ENTRY_H
#define QUEUE_ENTRY_H

#include "common/base/buf.h"
#include "common/store/spool.h"
#include "queue/filter.h"

#define ENTRY_RCPTS_MAX	20u	/* shown */
#define ENTRY_SIZE_MAX	32768u	/* of the record */

struct entry {
	struct id		id;
	enum spool_place	place;
	bool			running;
	int64_t			due;	/* ms since 1970 */
};

/*
 * Adds the record's fields, or nothing if the filter does not match. -1: it cannot be read (errno; ENOENT:
 * it has gone on). scratch is for the status file.
 */
int	entry_read(const struct spool *, const struct entry *, const struct filter *, struct buf *scratch,
	    struct buf *out) must_check;

#endif
