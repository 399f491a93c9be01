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
	bool			waits;	/* it was looked at, and has a time when it is again; it may lie in incoming still */
	int64_t			due;	/* ms since 1970, or: */
#define ENTRY_DUE_FILE	INT64_MIN	/* what its file says */
};

/* For qsort: the oldest first. */
int	entry_order(const void *, const void *);
/* Does the filter's place match? That is known without a look at the file. */
bool	entry_is_in_place(const struct entry *, const struct filter *);
/* Adds what is known without a look at the file: id, place, due. */
void	entry_bare(const struct entry *, struct buf *out);
/* The same read back; of one that is running the place is not known. False: it makes no sense. */
bool	entry_parse(struct str, struct entry *);
/*
 * Adds the record's fields, wherever in the queue the message lies by now, or nothing if the filter does not
 * match. -1: it cannot be read (errno; ENOENT: it is done with). scratch is for the status file; NULL: that is
 * not looked at, reasons are left out and a filter for them matches.
 */
int	entry_read(const struct spool *, const struct entry *, const struct filter *, struct buf *scratch,
	    struct buf *out) must_check;

#endif
