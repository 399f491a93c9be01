/*
 * common/net/server_worker.c - a worker of a pool: forked by the listener,
 * serves one connection after the other until no more come. Those that go on
 * in threads are its last: it ends with them.
 */
#include "common/net/server_impl.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/sig.h"

struct task {
	int			 fd;
	unsigned		 place;
	struct server_client	*client;
	bool			 stress;
	char			 service[CHILD_NAME_MAX];
};

/* False: told to stop, or the listener has gone. */
static bool
wait_task(int control, int sig)
{
	struct pollfd	p[2] = { { control, POLLIN, 0 }, { sig, POLLIN, 0 } };

	while (*sig_stop_flag() == 0) {
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			return false;
		if (p[0].revents != 0)
			return true;
	}
	return false;
}

static bool
take_task(const struct worker_plan *plan, struct buf *rec, struct task *t)
{
	struct msg_fds	fds;
	uint64_t	n;

	if (msg_recv(plan->control, rec, &fds) != 1)
		return false;
	if (fds.n != 1 || !record_getu(buf_view(rec), POOL_PLACE,
	    plan->places - 1, &n)) {
		msg_close_fds(&fds);
		return false;
	}
	t->place = (unsigned)n;
	if (!record_gets(buf_view(rec), POOL_SERVICE, t->service,
	    sizeof(t->service)))
		t->service[0] = '\0';
	t->fd = fds.fd[0];
	t->client = record_getu(buf_view(rec), POOL_CLIENT, plan->nslots - 1,
	    &n) ? &plan->slots[n] : NULL;
	t->stress = record_getu(buf_view(rec), POOL_STRESS, 1, &n) && n == 1;
	return true;
}

static void
serve(struct server_worker *w, const struct task *t)
{
	const struct worker_plan *plan = w->plan;
	struct sockaddr_storage	 ss;
	struct server_session	 s = {
		.fd = t->fd, .client = t->client, .stress = t->stress,
		.greeted = plan->ops->greeting != NULL &&
		    plan->ops->greeting(plan->arg, t->service) != NULL,
		.stop = sig_stop_flag(), .worker = w
	};
	socklen_t		 n = sizeof(ss);

	strlcpy(s.service, t->service, sizeof(s.service));
	memset(&ss, 0, sizeof(ss));
	/* A client that has gone already is found out by the first read. */
	if (getpeername(t->fd, (struct sockaddr *)&ss, &n) == 0)
		addr_from_sockaddr((struct sockaddr *)&ss, &s.peer);
	n = sizeof(ss);
	if (getsockname(t->fd, (struct sockaddr *)&ss, &n) == 0)
		addr_from_sockaddr((struct sockaddr *)&ss, &s.local);
	w->place = t->place;
	w->detached = false;
	plan->ops->session(plan->arg, &s);
}

static bool
say_done(int control, struct buf *rec, bool kept)
{
	buf_reset(rec);
	record_puts(rec, POOL_DONE, kept ? "kept" : "over");
	return buf_ok(rec) && msg_send(control, rec, NULL) == 0;
}

_Noreturn void
worker_run(const struct worker_plan *plan)
{
	struct server_worker	w;
	struct buf		rec;
	struct task		t;
	int			sig;

	buf_init(&rec, MSG_MAX);
	if ((sig = sig_after_fork(SIG_EV_TERM)) == -1 ||
	    detach_init(&w, plan) == -1) {
		log_error("worker why=\"%s\"", strerror(errno));
		_exit(EX_OSERR);
	}
	if (plan->ops->worker_init(plan->arg) == -1)
		_exit(EX_UNAVAILABLE);
	while (wait_task(plan->control, sig) && take_task(plan, &rec, &t)) {
		/* what a packet may need is much; what it did need is little */
		buf_free(&rec);
		serve(&w, &t);
		if (!say_done(plan->control, &rec, w.detached))
			break;
	}
	buf_free(&rec);
	detach_wait(&w);
	_exit(EX_OK);
}
