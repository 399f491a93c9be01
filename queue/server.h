/* queue/server.h - the daemon queue(8). */
#ifndef QUEUE_SERVER_H
#define QUEUE_SERVER_H

#include "common/proc/settings.h"

/* Runs until the master says stop; frees the settings; a sysexits(3) status. */
int	server_serve(struct settings *);

#endif
