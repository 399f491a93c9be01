/* queue/listing.h - the client's side of the list: mailq, sendmail -bp, and postq, which picks messages from it. */
#ifndef QUEUE_LISTING_H
#define QUEUE_LISTING_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/proc/settings.h"
#include "queue/filter.h"

struct listing_opts {
	struct filter	filter;
	bool		brief;		/* one line for each message */
	bool		json;
};

/* mailq: prints the list. An exit status. */
int	listing_show(const struct settings *, const struct listing_opts *) must_check;
/* Calls fn for each entry that queue tells of. -1: queue does not answer (errno). */
int	listing_each(int fd, const struct filter *, void (*fn)(void *, struct str), void *) must_check;

/* ---- listing_text.c: one entry (proto_queue.h) as text; pure */
void	listing_table(struct str entry, int64_t now_ms, bool brief, struct buf *);
void	listing_json(struct str entry, struct buf *);
/* "1.2K", "12m" */
const char *listing_size(uint64_t, char[32]);
const char *listing_age(int64_t ms, char[32]);

#endif
