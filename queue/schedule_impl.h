/* queue/schedule_impl.h - inside the scheduler: schedule.c, schedule_dest.c and schedule_flow.c only. */
#ifndef QUEUE_SCHEDULE_IMPL_H
#define QUEUE_SCHEDULE_IMPL_H

#include "queue/schedule.h"

#include <sys/tree.h>

#define DEST_BUCKETS	8192u
#define FLOW_BUCKETS	4096u
#define WINDOW_ONE	256u		/* a window is counted in 256ths of a connection */
#define WINDOW_FIRST	2u
#define WHY_MAX		300u

/* The jobs of one sender and class at one destination; there is one only while it has jobs. */
struct schedule_flow {
	TAILQ_ENTRY(schedule_flow)	 link;
	struct schedule_flow		*same;		/* bucket */
	struct schedule_dest		*dest;
	uint64_t			 sender;
	enum schedule_class		 class;
	struct schedule_jobs		 jobs;
};
TAILQ_HEAD(flow_list, schedule_flow);

enum dest_list { LIST_NONE, LIST_FRESH, LIST_MORE, LIST_TIMED, LIST_IDLE, LIST_DEAD };

struct schedule_dest {
	TAILQ_ENTRY(schedule_dest)	 link;		/* fresh, more or idle */
	TAILQ_ENTRY(schedule_dest)	 busy;		/* has jobs queued or active */
	TAILQ_ENTRY(schedule_dest)	 wanting;
	RB_ENTRY(schedule_dest)		 timed;
	struct schedule_dest		*same;		/* bucket */
	uint64_t			 hash;
	char				*key, *why;
	struct flow_list		 flows[SCHEDULE_CLASSES];
	unsigned			 credit[SCHEDULE_CLASSES];
	enum dest_list			 list;
	bool				 probing, booked, hurries, is_busy;
	size_t				 limit, window;	/* window in 256ths */
	size_t				 ceiling;	/* it refused more connections; 0: not known */
	int64_t				 ceiling_at;
	size_t				 queued, active, open, messages;
	size_t				 given_back;	/* jobs that schedule_refused has still */
	/* the rate: ms * 1000, see rate_ok */
	int64_t				 spacing, tolerance, arrival;
	/* how it fares */
	unsigned			 failures;	/* in a row; 0: alive */
	int64_t				 dead_until, back_off;
	int64_t				 ok_at, moved_at, used_at;	/* last success; last end of a job, or since when it has some; last use */
	uint64_t			 ok_hosts;
	int64_t				 took;		/* ms for a job, the average of late */
	/* messages that were sent away */
	size_t				 away, want, seen;
};
TAILQ_HEAD(dest_queue, schedule_dest);
RB_HEAD(dest_tree, schedule_dest);

struct schedule {
	struct schedule_limits	 limits;
	uint64_t		 seed, chance;
	struct schedule_dest	*by_hash[DEST_BUCKETS];
	struct schedule_flow	*flows[FLOW_BUCKETS];
	struct dest_queue	 fresh, more, busy, wanting;
	struct dest_queue	 idle, dead;	/* without jobs and connections; used longest ago first */
	struct dest_tree	 timed;
	struct schedule_jobs	 refused;
	size_t			 ndests, nbusy, open, queued, active, nflows;
	int64_t			 shed_at;
};

/* ---- schedule_flow.c: the jobs of one destination, in the order in which they go */
int	flow_add(struct schedule *, struct schedule_dest *, struct schedule_job *) must_check;
/* There is one. */
struct schedule_job *flow_take(struct schedule *, struct schedule_dest *);
/* The one that came last, of the largest class. */
struct schedule_job *flow_take_last(struct schedule *, struct schedule_dest *);

/* ---- schedule_dest.c: destinations and what is known of them */
struct schedule_dest *dest_get(struct schedule *, struct str key, int64_t now);
/* Puts it where its state says. */
void	dest_place(struct schedule *, struct schedule_dest *, int64_t now);
/* Its rate forbids the next job. */
bool	dest_must_pause(const struct schedule_dest *, int64_t now);
/* Connections that it may have now. */
size_t	dest_allowed(const struct schedule_dest *);
bool	dest_may_start(const struct schedule_dest *, int64_t now);
/* One more job of it is begun: the rate counts it. */
void	dest_began(struct schedule_dest *, int64_t now);
void	dest_set_rules(const struct schedule *, struct schedule_dest *, const struct schedule_rules *);
/* A failure that kills it for a while. */
void	dest_die(struct schedule *, struct schedule_dest *, struct str why, int64_t now);
void	dest_live(struct schedule *, struct schedule_dest *, int64_t now);
/* It has room for what was sent away. */
void	dest_want(struct schedule *, struct schedule_dest *);
/* ms until all its jobs are done, as it goes. */
int64_t	dest_backlog(const struct schedule_dest *, int64_t now);
void	dest_free(struct schedule *, struct schedule_dest *);
/* 0 to most - 1. */
int64_t	schedule_random(struct schedule *, int64_t most);
size_t	schedule_share(const struct schedule *);
void	schedule_send_away(struct schedule *, struct schedule_dest *, struct schedule_job *, int64_t now);
/* One that was sent away is the owner's again; the destination has to be placed. */
void	schedule_take_back(struct schedule *, struct schedule_job *);

RB_PROTOTYPE(dest_tree, schedule_dest, timed, dest_cmp)

#endif
