/* deliver/worker.h - the user's side of local(8). */
#ifndef DELIVER_WORKER_H
#define DELIVER_WORKER_H

#include "common/proc/settings.h"

/* Serves the connection named "queue" for the user of the record "who"; a sysexits(3) status. */
int	worker_serve(const struct settings *);

#endif
