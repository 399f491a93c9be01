/*
 * queue/schedule.h - which job goes next, to which destination, over which
 * connection. A job is one message for one destination; a destination is a set
 * of servers that hop(8) gave one name. Pure but for its memory: the time is an
 * argument (ms of any clock that does not go back), chance comes from a seed.
 *
 * A destination has a window of connections, which grows with each success and
 * is halved by each failure. One that cannot be reached is dead for a while that
 * grows; its jobs are given back, and after the while one of them tries.
 * Destinations take turns whatever their backlog is; within one classes have
 * shares (4:2:1) and the senders of a class take turns.
 */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/attr.h"
#include "common/base/str.h"

enum schedule_class { SCHEDULE_SMALL, SCHEDULE_NORMAL, SCHEDULE_BULK, SCHEDULE_CLASSES };

struct schedule;
struct schedule_dest;
struct schedule_flow;

/* The owner has it within something of his own; between add and next (or refused) it is the schedule's. */
struct schedule_job {
	TAILQ_ENTRY(schedule_job) link;
	struct schedule_dest	*dest;
	struct schedule_flow	*flow;
	uint64_t		 sender;	/* a hash: who shares a turn */
	uint64_t		 hosts;		/* a hash of the servers that may be tried */
	enum schedule_class	 class;
	bool			 first;		/* of its message at this destination */
	bool			 dead;		/* given back since the destination is; else since it has too many */
	int64_t			 until;		/* when it was given back: not before */
};
TAILQ_HEAD(schedule_jobs, schedule_job);

struct schedule_limits {
	size_t	workers;		/* connections to all destinations */
	size_t	concurrency;		/* to one that has no limit of its own */
	size_t	running;		/* messages under way, at the most */
	size_t	dests;			/* so many are remembered */
	int64_t	retry_first, retry_max;	/* ms: how long a destination is dead */
};

/* Of one destination; 0: none. */
struct schedule_rules {
	size_t	connections;
	size_t	rate;			/* jobs a minute */
};

enum schedule_end {
	SCHEDULE_DONE,		/* its server took part, whatever it said of the recipients */
	SCHEDULE_FAILED,	/* it could not be reached or would not talk */
	SCHEDULE_LOST		/* nobody knows: the fault was ours */
};

int	schedule_new(struct schedule **, const struct schedule_limits *, uint64_t seed) must_check;
/* Jobs that are in it are the owner's again. */
void	schedule_free(struct schedule **);
void	schedule_set_limits(struct schedule *, const struct schedule_limits *);

/*
 * sender, hosts, class and first are set. room: how many more messages may be under way. 0: it will come from
 * schedule_next, schedule_again or schedule_refused. 1: not now, see until and dead. -1: no memory.
 */
int	schedule_add(struct schedule *, struct schedule_job *, struct str key, const struct schedule_rules *, size_t room,
	    int64_t now) must_check;
/* Opens a connection: the job that it is for; or NULL. */
struct schedule_job *schedule_next(struct schedule *, int64_t now);
/*
 * An open connection to the destination has nothing to do and has carried so many jobs: its next one. NULL: there
 * is none, or *yield: others need the connection more and it is to be closed.
 */
struct schedule_job *schedule_again(struct schedule *, struct schedule_dest *, size_t used, int64_t now, bool *yield);
/* The job was not begun after all; it is the next of its destination again. */
void	schedule_undo(struct schedule *, struct schedule_job *, int64_t now);
/* The job that next or again gave has ended, begun ms ago; why is kept for those that come meanwhile. The connection is still counted. */
void	schedule_ended(struct schedule *, struct schedule_dest *, uint64_t hosts, enum schedule_end, struct str why,
	    int64_t begun, int64_t now);
void	schedule_closed(struct schedule *, struct schedule_dest *);
/* Takes excess jobs from slow destinations if there is little room for others: schedule_refused has them. */
void	schedule_shed(struct schedule *, size_t room, int64_t now);
/* A job that is not done now after all; until and dead are set. NULL: no more. */
struct schedule_job *schedule_refused(struct schedule *);

/* Is somebody waiting for a connection that only the limit of all forbids? */
bool	schedule_is_full(const struct schedule *);
/* ms until next may have something without anything else happening; -1: never. */
int64_t	schedule_wait(struct schedule *, int64_t now);

/*
 * Messages that were sent away are found again by a number of their destination, which is not 0. When it has room
 * for them, hurries is true; then hurry is asked about each that waits: true, let it come now. hurried ends that.
 */
uint32_t schedule_tag(const struct schedule_dest *);
bool	schedule_hurries(const struct schedule *);
bool	schedule_hurry(struct schedule *, uint32_t tag);
void	schedule_hurried(struct schedule *);

/* Forgets that it is dead. NULL p: all of them. */
void	schedule_revive(struct schedule *, struct str key, int64_t now);

/* What the last failure of the destination was; empty: nothing. Lives until the next call. */
struct str schedule_why(const struct schedule_dest *);
struct str schedule_key(const struct schedule_dest *);

struct schedule_counts {
	size_t	dests, dead, queued, active, open, flows;
};
void	schedule_count(const struct schedule *, struct schedule_counts *);

#endif
