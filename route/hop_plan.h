/*
 * route/hop_plan.h - what has to be looked up for a domain: the transport
 * line, the literal, or MX. Pure.
 */
#ifndef ROUTE_HOP_PLAN_H
#define ROUTE_HOP_PLAN_H

#include <stdbool.h>
#include <sys/un.h>

#include "route/hop_site.h"

enum hop_kind {
	HOP_KIND_BAD,		/* no such domain can exist */
	HOP_KIND_NONE,		/* transport none */
	HOP_KIND_MX,		/* the MX hosts of name */
	HOP_KIND_HOST,		/* the addresses of name */
	HOP_KIND_ADDR,		/* addr */
	HOP_KIND_PATH		/* path */
};

struct hop_plan {
	enum hop_kind	 kind;
	char		 domain[HOP_NAME_MAX + 3];	/* asked for: A-labels, or "[192.0.2.1]" */
	char		 name[HOP_NAME_MAX + 1];
	struct addr	 addr;
	char		 path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	unsigned	 port;
	bool		 lmtp, implicit_tls;
	bool		 literal;	/* addr came from the mail address */
	const struct setting_item *item;	/* the transport line, or NULL */
};

/* Can the targets of all transport lines exist? -1: *why. */
int	hop_plan_prove(const struct hop_site *, struct diag *) must_check;
void	hop_plan_make(const struct hop_site *, struct str domain, struct hop_plan *);

#endif
