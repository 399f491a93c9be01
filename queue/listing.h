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
/* Calls fn for each entry that queue tells of; bare: without what stands in the files. -1: queue does not answer (errno). */
int	listing_each(int fd, const struct filter *, bool bare, void (*fn)(void *, struct str), void *) must_check;

/* What is printed, and what was. */
struct printing {
	const struct listing_opts	*o;
	struct buf			 text;
	int64_t				 now;
	bool				 headed;	/* there is a heading already, or none is wanted */
	uint64_t			 messages, bytes, held;
};
void	listing_head(struct printing *);
void	listing_print(void *printing, struct str entry);

/* ---- listing_spool.c */
/*
 * Who may read the spool reads the files himself, in several processes if there are many: queue goes on with its
 * work. 1: not for us; 0; -1: errno.
 */
int	listing_direct(int fd, const struct settings *, struct printing *) must_check;
/* Without the daemon: what lies there. An exit status. */
int	listing_stopped(const struct settings *, struct printing *) must_check;

/* ---- listing_text.c: one entry (proto_queue.h) as text; pure */
void	listing_table(struct str entry, int64_t now_ms, bool brief, struct buf *);
void	listing_json(struct str entry, struct buf *);
/* "1.2K", "12m" */
const char *listing_size(uint64_t, char[32]);
const char *listing_age(int64_t ms, char[32]);

#endif
