/* route/explain.h - route -v. */
#ifndef ROUTE_EXPLAIN_H
#define ROUTE_EXPLAIN_H

#include "common/proc/settings.h"

/*
 * client NULL: submitted on this host. Prints steps, recipients, the next hops of those on other hosts (hop -v says
 * them, with the configuration of this path) and, as the last line, the reply. Exit status.
 */
int	explain_run(const char *conf, const struct settings *, const char *address, const char *sender, const char *client);

#endif
