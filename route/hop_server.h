/* route/hop_server.h - hop as a daemon, and as the command of route -v. */
#ifndef ROUTE_HOP_SERVER_H
#define ROUTE_HOP_SERVER_H

#include "common/proc/settings.h"

/* Serves until the master says stop; owns the settings. Exit status. */
int	hop_serve(struct settings *);
/* Prints the next hop of a domain, as the running daemon says or else by the engine itself. Exit status. */
int	hop_explain(const struct settings *, const char *domain);

#endif
