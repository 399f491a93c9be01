/* deliver/remote_workers.c - the workers of remote(8), as their parent sees them. */
#include "deliver/remote_workers.h"

#include <sys/resource.h>

#include <signal.h>

#include "common/base/fdio.h"
#include "common/base/log.h"

#define FDS_OWN		32	/* for all that is no worker's */

void
workers_init(struct workers *ws)
{
	struct rlimit	rl;

	ws->n = 0;
	ws->room = WORKERS_MAX;
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 &&
	    rl.rlim_cur < WORKERS_MAX + FDS_OWN)
		ws->room = rl.rlim_cur > 2 * FDS_OWN ?
		    (size_t)rl.rlim_cur - FDS_OWN : FDS_OWN;
}

void
workers_add(struct workers *ws, pid_t pid, int queue)
{
	ws->list[ws->n].pid = pid;
	ws->list[ws->n].queue = queue;
	ws->list[ws->n++].due = 0;
}

void
workers_forget(struct workers *ws, pid_t pid)
{
	size_t	i;

	for (i = 0; i < ws->n; i++)
		if (ws->list[i].pid == pid) {
			fdio_close(&ws->list[i].queue);
			ws->list[i] = ws->list[--ws->n];
			return;
		}
}

void
workers_leave(struct workers *ws)
{
	while (ws->n > 0)
		fdio_close(&ws->list[--ws->n].queue);
}

void
workers_gather(const struct workers *ws, struct pollfd *p)
{
	size_t	i;

	/* no events: but for its end, what queue says is the worker's */
	for (i = 0; i < ws->n; i++)
		p[i] = (struct pollfd){ ws->list[i].queue, 0, 0 };
}

void
workers_look(struct workers *ws, const struct pollfd *p, int64_t now,
    int64_t patience)
{
	size_t	i;

	for (i = 0; i < ws->n; i++) {
		if (p[i].revents != 0 && ws->list[i].due == 0) {
			fdio_close(&ws->list[i].queue);
			ws->list[i].due = now + patience;
		}
		if (ws->list[i].due == 0 || now < ws->list[i].due)
			continue;
		log_warn("worker-killed pid=%d why=\"it hangs\"",
		    (int)ws->list[i].pid);
		(void)kill(ws->list[i].pid, SIGKILL);
		ws->list[i].due = now + patience;	/* if need be again */
	}
}

int64_t
workers_due(const struct workers *ws)
{
	int64_t	due = -1;
	size_t	i;

	for (i = 0; i < ws->n; i++)
		if (ws->list[i].due != 0 &&
		    (due == -1 || ws->list[i].due < due))
			due = ws->list[i].due;
	return due;
}

void
workers_signal(const struct workers *ws, int sig)
{
	size_t	i;

	for (i = 0; i < ws->n; i++)
		(void)kill(ws->list[i].pid, sig);
}
