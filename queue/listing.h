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
enum listing_detail {
	LIST_BARE,	/* id, place and due: nothing that stands in the files */
	LIST_BRIEF,	/* no reasons why it waits */
	LIST_FULL
};
/* Calls fn for each entry that queue tells of. -1: queue does not answer (errno). */
int	listing_each(int fd, const struct filter *, enum listing_detail, void (*fn)(void *, struct str), void *) must_check;
/* What has to be known for such a list. */
enum listing_detail listing_detail(const struct listing_opts *);

/* What is printed, and what was. */
struct printing {
	const struct listing_opts	*o;
	struct buf			 text;		/* printed once there is enough of it */
	int64_t				 now;
	bool				 headed;	/* there is a heading already, or none is wanted */
	uint64_t			 messages, bytes, held;
};
void	listing_head(struct printing *);
/* Of more entries than one in a while: listing_flush ends it. */
void	listing_print(void *printing, struct str entry);
void	listing_flush(struct printing *);

/* ---- listing_spool.c */
/*
 * Who may read the spool reads the files himself, in several processes if there are many: queue goes on with its
 * work. 1: not for us; 0; -1: errno.
 */
int	listing_direct(int fd, const struct settings *, struct printing *) must_check;
/* Without the daemon: what lies there, likewise. An exit status. */
int	listing_stopped(const struct settings *, struct printing *) must_check;

/* ---- listing_text.c: one entry (proto_queue.h) as text; pure */
struct shown {
	struct str	entry;		/* all of it; the other views look into it */
	struct str	id, place, sender;
	uint64_t	size, nrcpts;
	int64_t		arrival, due;	/* ms since 1970 */
};
/* False: it is not whole. */
bool	listing_parse(struct str entry, struct shown *) must_check;
void	listing_table(const struct shown *, int64_t now_ms, bool brief, struct buf *);
void	listing_json(const struct shown *, struct buf *);
/* "1.2K", "12m" */
const char *listing_size(uint64_t, char[32]);
const char *listing_age(int64_t ms, char[32]);

#endif
