/*
 * route/hop_lookup.h - the questions to DNS that one set of facts needs: MX,
 * then the addresses of all hosts at once, within one time limit.
 */
#ifndef ROUTE_HOP_LOOKUP_H
#define ROUTE_HOP_LOOKUP_H

#include <event2/event.h>

#include "route/hop_choose.h"
#include "route/hop_facts.h"
#include "route/hop_hosts.h"

struct hop_lookup;

struct hop_lookup_conf {
	struct event_base	*base;
	struct dns		*dns;
	const struct hosts	*hosts;
	bool			 v4, v6;
	int64_t			 timeout;	/* ms */
	hop_chance		*chance;
};

/* Called once, never from within hop_lookup_start; the facts are the callee's from then on. */
typedef void	hop_lookup_done(void *, struct facts *);

/* NULL: ENOMEM. The conf is copied. */
struct hop_lookup *hop_lookup_start(const struct hop_lookup_conf *, bool is_mx, const char *name,
	    hop_lookup_done *, void *) must_check;
void	hop_lookup_cancel(struct hop_lookup **);

#endif
