/*
 * common/net/server_pool.c - the workers of a pool: forked when they are
 * needed, given connections, missed when they die. Part of the listener.
 */
#include "common/net/server_impl.h"

#include <sys/socket.h>
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
		.control = control, .places = p->workers[p->n].nplaces,
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

/* In the child it does not return. */
static int
start_worker(struct pool *p, struct worker *w)
{
	int	pair[2];

	if (msg_pair(pair) == -1)
		return -1;
	if ((w->pid = fork()) == 0) {
		fdio_close(&pair[0]);
		become_worker(p, pair[1]);
	}
	fdio_close(&pair[1]);
	w->fd = pair[0];
	if (w->pid != -1 && fdio_nonblock(w->fd, 1) == 0)
		return 0;
	fdio_close(&w->fd);
	return -1;
}

static int
add_worker(struct pool *p)
{
	const struct server_limits	*l = &p->limits;
	struct worker			*w;

	if (pool_room(p) == -1)
		return -1;
	w = &p->workers[p->n];
	*w = (struct worker){ .fd = -1, .generation = p->generation,
	    .left = l->sessions_per_worker,
	    .nplaces = l->relays_per_worker > 1 ? l->relays_per_worker : 1 };
	if ((w->places = calloc(w->nplaces, sizeof(*w->places))) == NULL)
		return -1;
	if (start_worker(p, w) == -1) {
		free(w->places);
		return -1;
	}
	p->n++;
	return 0;
}

/* Can it be given a connection? */
static bool
is_ready(const struct worker *w)
{
	return w->fd != -1 && !w->busy && !w->ending && w->used < w->nplaces;
}

struct pool_load
pool_load(const struct pool *p)
{
	struct pool_load	 load = { 0, 0, 0, 0, 0 };
	const struct worker	*w;

	for (w = p->workers; w < p->workers + p->n; w++) {
		load.busy += w->busy;
		load.connections += w->used;
		load.relays += w->used;
		if (w->busy && w->places[w->current].used)
			load.relays--;
		if (is_ready(w)) {
			load.ready++;
			load.empty += w->used == 0;
		}
	}
	return load;
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
	size_t	ready = pool_load(p).ready;

	for (; !p->stopping && ready < p->limits.min_spare &&
	    p->n < p->limits.max_workers; ready++)
		if (add_worker(p) == -1) {
			pool_complain(p, "fork");
			return;
		}
}

/* What it still has to say is heard: only our direction ends. */
void
pool_dismiss(struct worker *w)
{
	if (w->fd != -1 && !w->ending)
		(void)shutdown(w->fd, SHUT_WR);
	w->ending = true;
}

static void
free_place(struct worker *w, unsigned i)
{
	if (!w->places[i].used)
		return;
	clients_leave(w->places[i].client);
	w->places[i] = (struct place){ false, NULL };
	w->used--;
}

static unsigned
find_place(const struct worker *w)
{
	unsigned	i = 0;

	while (w->places[i].used)
		i++;
	return i;
}

/*
 * The one that is fullest, so that few have connections and the others can
 * end; of those always the last: the others' memory may grow cold.
 */
static struct worker *
best_worker(struct pool *p)
{
	struct worker	*w, *best = NULL;

	for (w = p->workers; w < p->workers + p->n; w++)
		if (is_ready(w) && (best == NULL || w->used >= best->used))
			best = w;
	return best;
}

static int
hand_over(struct pool *p, const struct worker *w, int fd,
    const struct server_client *c, const char *service)
{
	struct msg_fds	fds = { .fd = { fd }, .n = 1 };
	size_t		connections = pool_load(p).connections;

	buf_reset(&p->rec);
	if (c != NULL)
		record_putu(&p->rec, POOL_CLIENT,
		    (uint64_t)(c - p->clients.slots));
	record_puts(&p->rec, POOL_SERVICE, service);
	record_putu(&p->rec, POOL_PLACE, find_place(w));
	record_putu(&p->rec, POOL_STRESS,
	    connections * 4 > (size_t)p->limits.max_workers * 3);
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
		if ((w = best_worker(p)) == NULL)
			w = new_worker(p, fd);
		if (w == NULL) {
			pool_complain(p, "fork");
			clients_leave(c);
			return false;
		}
		if (hand_over(p, w, fd, c, service) == 0)
			break;
		pool_dismiss(w);	/* it has died in the meantime */
	}
	w->current = find_place(w);
	w->places[w->current] = (struct place){ true, c };
	w->used++;
	w->left--;
	w->busy = true;
	p->sessions++;
	return true;
}

static void
session_done(struct pool *p, struct worker *w, struct str how)
{
	if (!str_eq(how, STR("kept")))
		free_place(w, w->current);
	w->busy = false;
	if (p->stopping || w->left == 0 || w->generation != p->generation)
		pool_dismiss(w);
}

void
pool_worker_said(struct pool *p, struct worker *w)
{
	struct str	how;
	uint64_t	place;
	int		r = msg_recv(w->fd, &p->rec, NULL);

	if (r == -1 && errno == EAGAIN)
		return;
	/* "gone" may come before "kept": the place is free then, and stays so */
	if (r == 1 && record_getu(buf_view(&p->rec), POOL_GONE,
	    w->nplaces - 1, &place))
		free_place(w, (unsigned)place);
	else if (r == 1 && w->busy &&
	    record_get(buf_view(&p->rec), POOL_DONE, &how))
		session_done(p, w, how);
	else
		fdio_close(&w->fd);	/* what it had is counted until it ends */
}

static void
worker_ended(struct pool *p, struct worker *w, int status)
{
	int		sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	unsigned	i;

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
	for (i = 0; i < w->nplaces; i++)
		free_place(w, i);
	free(w->places);
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
