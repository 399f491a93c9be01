/* route/answer.h - records of proto_route.h to questions, decisions to records. Pure. */
#ifndef ROUTE_ANSWER_H
#define ROUTE_ANSWER_H

#include "route/engine.h"

enum route_role { ROLE_SMTP, ROLE_QUEUE, ROLE_COUNT };

struct question {
	struct engine_ask	ask;
	struct str		tag;		/* p NULL: none */
	bool			paged;		/* the client can ask for the rest */
	size_t			skip;
};

/* Views into the record. False: malformed, or not this client's business. */
bool	question_parse(struct str rec, enum route_role, struct question *);
/* The answer; always fits in a packet. False: out of memory. */
bool	answer_build(struct buf *, const struct question *, const struct decision *);

#endif
