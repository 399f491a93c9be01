/*
 * common/net/server_detach.c - connections that go on in threads of their
 * worker, each with a stack of its own and nothing else: a process would cost
 * more memory than all that such a connection has to remember.
 */
#include "common/net/server_impl.h"

#include <sys/eventfd.h>

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/sig.h"

#ifdef PH_SANITIZE
#define STACK	(1024u * 1024u)
#else
#define STACK	(64u * 1024u)	/* of which TLS uses a fifth */
#endif

struct detached {
	struct server_worker	*worker;
	unsigned		 place;
	void			(*run)(void *);
	void			*arg;
};

int
detach_init(struct server_worker *w, const struct worker_plan *plan)
{
	*w = (struct server_worker){ .plan = plan, .wake = -1 };
	if (plan->places <= 1)
		return 0;
#ifdef __GLIBC__
	/* A heap for each thread would cost more than what lies in it. */
	(void)mallopt(M_ARENA_MAX, 1);
#endif
	w->wake = eventfd(0, EFD_CLOEXEC);
	return w->wake == -1 ? -1 : 0;
}

/* The listener counts it until it has read this. */
static void
say_gone(const struct server_worker *w, unsigned place)
{
	struct buf	rec;

	buf_init(&rec, MSG_MAX);
	record_putu(&rec, POOL_GONE, place);
	if (!buf_ok(&rec) || msg_send(w->plan->control, &rec, NULL) == -1)
		log_debug("listener not told why=\"%s\"", strerror(errno));
	buf_free(&rec);
}

static void *
thread(void *arg)
{
	struct detached		*d = arg;
	struct server_worker	*w = d->worker;

	d->run(d->arg);
	say_gone(w, d->place);
	free(d);
	atomic_fetch_sub(&w->live, 1);
	/* If the worker has ended in between, so have we. */
	(void)eventfd_write(w->wake, 1);
	return NULL;
}

/* All signals are the main thread's, but those that tell of a fault. */
static void
not_ours(sigset_t *set)
{
	int	sig;

	sigfillset(set);
	for (sig = 1; sig < NSIG; sig++)
		if (sig_is_fault(sig))
			sigdelset(set, sig);
}

static int
start(struct detached *d)
{
	pthread_attr_t	attr;
	pthread_t	id;
	sigset_t	set, before;
	int		r;

	if ((r = pthread_attr_init(&attr)) != 0)
		return r;
	not_ours(&set);
	if ((r = pthread_attr_setstacksize(&attr, STACK)) == 0 &&
	    (r = pthread_attr_setdetachstate(&attr,
	    PTHREAD_CREATE_DETACHED)) == 0 &&
	    (r = pthread_sigmask(SIG_SETMASK, &set, &before)) == 0) {
		r = pthread_create(&id, &attr, thread, d);
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	(void)pthread_attr_destroy(&attr);
	return r;
}

int
server_detach(const struct server_session *s, void (*run)(void *), void *arg)
{
	struct server_worker	*w = s->worker;
	struct detached		*d;
	int			 r;

	if (w == NULL || w->plan->places <= 1 || w->detached) {
		errno = ENOTSUP;
		return -1;
	}
	if ((d = malloc(sizeof(*d))) == NULL)
		return -1;
	*d = (struct detached){ w, w->place, run, arg };
	atomic_fetch_add(&w->live, 1);
	if ((r = start(d)) != 0) {
		atomic_fetch_sub(&w->live, 1);
		free(d);
		errno = r;
		return -1;
	}
	w->detached = true;
	return 0;
}

void
detach_wait(struct server_worker *w)
{
	eventfd_t	n;

	while (atomic_load(&w->live) > 0)
		if (eventfd_read(w->wake, &n) == -1 && errno != EINTR)
			return;
}
