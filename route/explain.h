/* route/explain.h - route -v. */
#ifndef ROUTE_EXPLAIN_H
#define ROUTE_EXPLAIN_H

#include "common/proc/settings.h"

struct explain {
	const char	*address;	/* NULL: may the user send as the sender? */
	const char	*sender;	/* NULL: not given; "" or "<>": nobody */
	const char	*client;	/* NULL: submitted on this host */
	const char	*user;		/* who has logged in, or NULL */
};
/*
 * Prints steps, recipients, the next hops of those on other hosts (hop -v says
 * them, with the configuration of this path) and, as the last line, the reply. Exit status.
 */
int	explain_run(const char *conf, const struct settings *, const struct explain *);

#endif
