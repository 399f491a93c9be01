/* queue/hops.h - between hops.c, which asks hop, and hops_known.c, which keeps the answers. */
#ifndef QUEUE_HOPS_H
#define QUEUE_HOPS_H

#include <event2/event.h>

#include "common/base/buf.h"
#include "queue/hop.h"
#include "queue/queue.h"

#define HOPS_BUCKETS	4096u

enum entry_state { ENTRY_WANTED, ENTRY_ASKED, ENTRY_KNOWN };

struct entry {
	TAILQ_ENTRY(entry)	 link;		/* wanted, asked or known */
	struct entry		*same;		/* bucket */
	char			*domain;
	enum entry_state	 state;
	uint64_t		 number;	/* of the question */
	int64_t			 since;		/* asked, or known; ms */
	unsigned		 lost;		/* times that hop went away over it */
	struct hop		*hop;
	struct task_list	 tasks;		/* that want to know */
};
TAILQ_HEAD(entry_list, entry);

struct hops {
	struct queue		*q;
	int			 fd;
	struct event		*event;
	struct entry		*by_domain[HOPS_BUCKETS];
	struct entry_list	 wanted, asked, known;	/* known: the one used last at the end */
	size_t			 nasked, nknown, bytes;
	size_t			 ntasks;	/* that want to know, in all */
	uint64_t		 number, seed;
	bool			 fresh;		/* nothing was answered on this connection */
	struct buf		 rec;
};

/* ---- hops_known.c */
struct entry *known_find(struct hops *, const char *domain);
/* A new one, wanted. NULL: ENOMEM */
struct entry *known_new(struct hops *, const char *domain);
/* It becomes the last of the others in that state. */
void	known_set_state(struct hops *, struct entry *, enum entry_state);
void	known_forget_answer(struct hops *, struct entry *);
void	known_free(struct hops *, struct entry *);
/* So that there are not too many. */
void	known_forget_oldest(struct hops *);

#endif
