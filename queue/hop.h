/*
 * queue/hop.h - an answer of hop (proto_hop.h) as far as queue understands it. Pure but for its memory; who
 * holds one counts himself.
 */
#ifndef QUEUE_HOP_H
#define QUEUE_HOP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/str.h"
#include "queue/schedule.h"

#define HOP_ANSWER_MAX	40000u	/* bytes: with a message's data it must fit in a packet */
#define HOP_KEY_MAX	300u

struct hop {
	unsigned		 refs;
	struct str		 rec;		/* the whole answer, which remote gets; the others are views of it */
	unsigned		 code;		/* 250, 4xx or 5xx */
	char			 status[16];
	struct str		 text, key;	/* key: of a 250 */
	struct schedule_rules	 rules;
	uint64_t		 hosts;		/* a hash of their names, whatever their order */
	bool			 lmtp;		/* the last stop: what is taken there is delivered */
	int64_t			 seconds;	/* it may be used for */
};

/* A copy, held once. NULL: it makes no sense (EPROTO) or ENOMEM. */
struct hop *hop_new(struct str rec, uint64_t seed) must_check;
struct hop *hop_hold(struct hop *);
/* NULL is allowed. */
void	hop_release(struct hop **);
/* May a session that was opened for the one be used for the other: the same servers, reached in the same way? */
bool	hop_alike(const struct hop *, const struct hop *);

#endif
