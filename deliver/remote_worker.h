/* deliver/remote_worker.h - a worker of remote(8): one connection from queue, one to a server. */
#ifndef DELIVER_REMOTE_WORKER_H
#define DELIVER_REMOTE_WORKER_H

#include "deliver/remote.h"

/* Serves r->queue until it is closed, or r's stop flag is set; a sysexits(3) status. In its sandbox already. */
int	remote_serve(const struct remote *);

#endif
