/* route/hop_answer.h - records of proto_hop.h: questions in, choices out. Pure. */
#ifndef ROUTE_HOP_ANSWER_H
#define ROUTE_HOP_ANSWER_H

#include "route/hop_choose.h"

/*
 * The answer is handed on to remote within a packet of its own, beside the
 * message's sender and recipients (proto_remote.h); what does not fit in this
 * many bytes are the last of the targets.
 */
#define HOP_ANSWER_MAX	24576u
#define HOP_ASK_MAX	1024u	/* bytes of a domain; more is no domain, and no question */

struct hop_ask {
	uint64_t	number;
	struct str	domain;		/* view */
};

bool	hop_ask_parse(struct str rec, struct hop_ask *);
/* Replaces the content of a buffer of MSG_MAX. False: ENOMEM. */
bool	hop_answer_build(struct buf *, const struct hop_ask *, const struct hop_choice *) must_check;

#endif
