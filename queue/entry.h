/* queue/entry.h - what mailq shows of a message, read from its files; for the daemon and, when it is down, for mailq. */
#ifndef QUEUE_ENTRY_H
#define QUEUE_ENTRY_H

#include "common/base/buf.h"
#include "common/store/spool.h"

#define ENTRY_RCPTS_MAX	20u	/* shown */
#define ENTRY_SIZE_MAX	16384u	/* of the record */

/* Adds the record's fields. -1: it cannot be read (errno; ENOENT: it has gone on). */
int	entry_read(const struct spool *, struct id, bool held, int64_t due, const char *place, struct buf *) must_check;

#endif
