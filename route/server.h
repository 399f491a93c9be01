/* route/server.h - the daemon. */
#ifndef ROUTE_SERVER_H
#define ROUTE_SERVER_H

#include "common/proc/settings.h"

/* Takes the settings over; serves until the master says stop. Exit status. */
int	server_serve(struct settings *);

#endif
