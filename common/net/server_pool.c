/*
 * common/net/server_pool.c - the workers of a pool: forked when they are
 * needed, given connections, missed when they die. Part of the listener.
 */
#include "common/net/server_impl.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/sig.h"

#define NICE_TRY_MS	1000	/* after accept or fork failed for want of something */

int
pool_room(struct pool *p)
{
	size_t		 cap = p->cap == 0 ? 16 : p->cap * 2;
	struct worker	*w;
	struct pollfd	*f;

	if (p->n < p->cap)
		return 0;
	if ((w = reallocarray(p->workers, cap, sizeof(*w))) == NULL)
		return -1;
	p->workers = w;
	f = reallocarray(p->polls, cap + SERVER_LISTEN_MAX + 2, sizeof(*f));
	if (f == NULL)
		return -1;
	p->polls = f;
	p->cap = cap;
	return 0;
}

/* In the child: what belongs to the listener and to other workers goes. */
static _Noreturn void
become_worker(struct pool *p, int control)
{
	struct worker_plan	plan = {
		.control = control, .sessions = p->limits.sessions_per_worker,
		.slots = p->clients.slots, .nslots = p->clients.n,
		.ops = p->ops, .arg = p->arg
	};
	size_t			i;

	for (i = 0; i < p->n; i++)
		fdio_close(&p->workers[i].fd);
	for (i = 0; i < p->nlisten; i++)
		fdio_close(&p->listen[i].fd);
	fdio_close(&p->link);
	/* it comes by the control, and must not be open twice */
	fdio_close(&p->giving);
	worker_run(&plan);
}

static int
add_worker(struct pool *p)
{
	int	pair[2];
	pid_t	pid;

	if (pool_room(p) == -1 || msg_pair(pair) == -1)
		return -1;
	if ((pid = fork()) == 0) {
		fdio_close(&pair[0]);
		become_worker(p, pair[1]);
	}
	fdio_close(&pair[1]);
	if (pid == -1 || fdio_nonblock(pair[0], 1) == -1) {
		fdio_close(&pair[0]);
		return -1;
	}
	p->workers[p->n++] = (struct worker){ .pid = pid, .fd = pair[0],
	    .generation = p->generation };
	p->idle++;
	return 0;
}

void
pool_complain(struct pool *p, const char *what)
{
	log_error("%s service=%s why=\"%s\"", what, p->name, strerror(errno));
	p->pause_until = now_ms() + NICE_TRY_MS;
}

void
pool_keep_spare(struct pool *p)
{
	while (!p->stopping && p->idle < p->limits.min_spare &&
	    p->n < p->limits.max_workers)
		if (add_worker(p) == -1) {
			pool_complain(p, "fork");
			return;
		}
}

/* It ends when it has read the end of file; a busy one, after its session. */
void
pool_dismiss(struct pool *p, struct worker *w)
{
	if (w->fd != -1 && !w->busy)
		p->idle--;
	fdio_close(&w->fd);
}

static void
session_over(struct worker *w)
{
	clients_leave(w->client);
	w->client = NULL;
	w->busy = false;
}

static struct worker *
idle_worker(struct pool *p)
{
	size_t	i;

	/* The one used last: the others' memory may grow cold. */
	for (i = p->n; i > 0; i--)
		if (p->workers[i - 1].fd != -1 && !p->workers[i - 1].busy)
			return &p->workers[i - 1];
	return NULL;
}

size_t
pool_busy(const struct pool *p)
{
	size_t	i, n = 0;

	for (i = 0; i < p->n; i++)
		n += p->workers[i].busy;
	return n;
}

static int
hand_over(struct pool *p, struct worker *w, int fd, struct server_client *c,
    const char *service)
{
	struct msg_fds	fds = { .fd = { fd }, .n = 1 };

	buf_reset(&p->rec);
	if (c != NULL)
		record_putu(&p->rec, POOL_CLIENT,
		    (uint64_t)(c - p->clients.slots));
	record_puts(&p->rec, POOL_SERVICE, service);
	record_putu(&p->rec, POOL_STRESS,
	    p->n * 4 > (size_t)p->limits.max_workers * 3);
	return buf_ok(&p->rec) ? msg_send(w->fd, &p->rec, &fds) : -1;
}

static struct worker *
new_worker(struct pool *p, int fd)
{
	int	r;

	p->giving = fd;
	r = add_worker(p);
	p->giving = -1;
	return r == -1 ? NULL : &p->workers[p->n - 1];
}

bool
pool_give(struct pool *p, int fd, struct server_client *c, const char *service)
{
	struct worker	*w;

	for (;;) {
		if ((w = idle_worker(p)) == NULL)
			w = new_worker(p, fd);
		if (w == NULL) {
			pool_complain(p, "fork");
			clients_leave(c);
			return false;
		}
		if (hand_over(p, w, fd, c, service) == 0)
			break;
		pool_dismiss(p, w);	/* it has died in the meantime */
	}
	w->client = c;
	w->busy = true;
	p->idle--;
	p->sessions++;
	return true;
}

void
pool_worker_said(struct pool *p, struct worker *w)
{
	struct str	what;
	int		r = msg_recv(w->fd, &p->rec, NULL);

	if (r == -1 && errno == EAGAIN)
		return;
	if (r == 1 && w->busy &&
	    record_get(buf_view(&p->rec), POOL_DONE, &what) &&
	    str_eq(what, STR("next"))) {
		session_over(w);
		p->idle++;
		if (p->stopping || w->generation != p->generation)
			pool_dismiss(p, w);
		return;
	}
	if (r == 1)
		session_over(w);	/* "end" */
	else if (!w->busy)
		p->idle--;
	fdio_close(&w->fd);
}

static void
worker_ended(struct pool *p, struct worker *w, int status)
{
	int	sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (sig != 0 && !(sig == SIGTERM && p->stopping))
		log_error("worker-died service=%s pid=%d signal=%d", p->name,
		    (int)w->pid, sig);
	else if (sig == 0 && WEXITSTATUS(status) != 0) {
		log_error("worker-ended service=%s pid=%d status=%d", p->name,
		    (int)w->pid, WEXITSTATUS(status));
		/* It could not even begin: no new one every millisecond. */
		p->pause_until = now_ms() + NICE_TRY_MS;
	}
	if (sig_is_fault(sig)) {
		p->faults++;
		p->status = EX_SOFTWARE;
	}
	if (w->fd != -1 && !w->busy)
		p->idle--;
	session_over(w);
	fdio_close(&w->fd);
	*w = p->workers[--p->n];
}

void
pool_reap(struct pool *p)
{
	size_t	i;
	pid_t	pid;
	int	status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < p->n; i++)
			if (p->workers[i].pid == pid) {
				worker_ended(p, &p->workers[i], status);
				break;
			}
}
