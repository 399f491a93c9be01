/* route/explain.h - route -v. */
#ifndef ROUTE_EXPLAIN_H
#define ROUTE_EXPLAIN_H

#include "common/proc/settings.h"

/* client NULL: submitted on this host. Prints steps, recipients and, as the last line, the reply. Exit status. */
int	explain_run(const struct settings *, const char *address, const char *sender, const char *client);

#endif
