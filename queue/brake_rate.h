/*
 * queue/brake_rate.h - how much an account sends in an hour, and how much that is for it. Pure; the rules stand in
 * posthouse-queue(8), The brake. Time is an argument, in seconds since 1970, and may jump.
 */
#ifndef QUEUE_BRAKE_RATE_H
#define QUEUE_BRAKE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

/* What is counted. */
enum brake_kind { BRAKE_MESSAGES, BRAKE_RCPTS, BRAKE_NEW, BRAKE_BOUNCES, BRAKE_KINDS };

struct brake_limits {
	uint32_t	free[BRAKE_KINDS];	/* in an hour, for everybody; 0: no limit */
	uint32_t	factor;			/* times what is usual */
};

struct brake_rate {
	int64_t		hour, day;		/* the present ones, by number since 1970; 0: none yet */
	uint32_t	now[BRAKE_KINDS];	/* in this hour of the clock */
	uint32_t	before[BRAKE_KINDS];	/* in the one before */
	uint32_t	peak[BRAKE_KINDS];	/* most in any hour of the day */
	uint64_t	usual[BRAKE_KINDS];	/* most in any hour of the weeks before, fading; thousandths */
};

/* How the peak of a day that is over becomes usual. */
enum brake_learning {
	LEARN_SLOWLY,	/* at most twice what was usual or free */
	LEARN_ALL,
	LEARN_NOTHING	/* the peak stays, for a person to judge */
};

/* To be called before the others. */
void		brake_rate_move(struct brake_rate *, const struct brake_limits *, int64_t now, enum brake_learning);
void		brake_rate_add(struct brake_rate *, enum brake_kind, uint32_t, int64_t now);
/* In the hour that ends now. */
uint32_t	brake_rate_hour(const struct brake_rate *, enum brake_kind, int64_t now);
/* How many it may be; UINT32_MAX: any. */
uint32_t	brake_rate_limit(const struct brake_rate *, const struct brake_limits *, enum brake_kind);
/* Is it more than it may be? The first of them into the last argument. */
bool		brake_rate_exceeds(const struct brake_rate *, const struct brake_limits *, int64_t now, enum brake_kind *);
/* Would it be judged otherwise than one that nothing is known of? */
bool		brake_rate_matters(const struct brake_rate *, const struct brake_limits *, int64_t now);
/* A person said that it is right. */
void		brake_rate_accept(struct brake_rate *);
/* A person said that it is not: what there was is not to count. */
void		brake_rate_forget(struct brake_rate *);

/* The last few hundred recipients of an account, roughly: a stranger may be taken for one of them. */
#define KNOWN_WORDS	32u	/* of 64 bits, for half of them */
struct brake_known {
	uint64_t	bits[2][KNOWN_WORDS];	/* the newer, the older half */
	uint32_t	n;			/* recipients in the newer one */
};
/* True: it is not among them, and is now. Case is ignored. */
bool		brake_known_add(struct brake_known *, struct str addr);

#endif
