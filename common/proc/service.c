/* common/proc/service.c - what every event-driven daemon does besides its work. */
#include "common/proc/service.h"

#include <sys/resource.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/proc/child.h"
#include "common/proc/sig.h"

#define FILES_LEAST	256u	/* if nobody says how many there may be */

struct service {
	const struct service_ops	*ops;
	void				*arg;
	struct event_base		*base;
	struct event			*link, *term;
	struct buf			 rec;
	int				 status;
	void	(*files)(void *, struct link_event *);	/* NULL: ops->reload */
};

static void
status(void *arg, char *dst, size_t size)
{
	const struct service	*s = arg;

	s->ops->status(s->arg, dst, size);
}

static void
reload(void *arg, struct link_event *ev)
{
	const struct service	*s = arg;

	if (s->files != NULL)
		s->files(s->arg, ev);
	else
		s->ops->reload(s->arg, ev->conf);
}

static void
stop(void *arg, bool orphan)
{
	(void)orphan;
	service_stop(arg, EX_OK);
}

static void
answer(void *arg, struct str rec)
{
	const struct service	*s = arg;

	if (s->ops->answer != NULL)
		s->ops->answer(s->arg, rec);
}

static void
link_readable(evutil_socket_t fd, short what, void *arg)
{
	static const struct link_ops	ops = { status, reload, stop, answer };
	struct service			*s = arg;

	(void)what;
	link_serve(fd, &s->rec, &ops, s);
}

/* SIGTERM of an administrator; the master asks by its link. */
static void
signalled(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	if (sig_take() & SIG_EV_TERM)
		service_stop(arg, EX_OK);
}

int
service_watch(const struct service *s, int fd, event_callback_fn fn, void *arg,
    struct event **out)
{
	*out = event_new(s->base, fd, EV_READ | EV_PERSIST, fn, arg);
	return *out == NULL ? -1 : event_add(*out, NULL);
}

int
service_new(struct service **out, const struct service_ops *ops, void *arg,
    struct diag *why)
{
	struct service	*s;
	int		 sig;

	if ((s = *out = calloc(1, sizeof(*s))) == NULL)
		return diag_errno(why, "event loop");
	s->ops = ops;
	s->arg = arg;
	buf_init(&s->rec, MSG_MAX);
	if ((sig = sig_init(SIG_EV_TERM)) == -1 ||
	    fdio_nonblock(FD_LINK, 1) == -1)
		return diag_errno(why, "signals and link");
	if ((s->base = event_base_new()) == NULL ||
	    service_watch(s, FD_LINK, link_readable, s, &s->link) == -1 ||
	    service_watch(s, sig, signalled, s, &s->term) == -1)
		return diag_set(why, "event loop");
	return 0;
}

void
service_on_files(struct service *s, void (*fn)(void *, struct link_event *))
{
	s->files = fn;
}

void
service_free(struct service **sp)
{
	struct service	*s = *sp;

	if (s == NULL)
		return;
	if (s->link != NULL)
		event_free(s->link);
	if (s->term != NULL)
		event_free(s->term);
	if (s->base != NULL)
		event_base_free(s->base);
	buf_wipe(&s->rec);	/* the master speaks of log-ins to some */
	free(s);
	*sp = NULL;
}

struct event_base *
service_base(const struct service *s)
{
	return s->base;
}

int
service_listen(struct peers *peers, const char *name, unsigned role,
    struct diag *why)
{
	struct child_fd	fds[CHILD_FDS];
	int		fd, n;

	if ((n = child_fds(fds)) == -1)
		return diag_errno(why, "descriptors from the master");
	if ((fd = child_fd_find(fds, (size_t)n, name, 0)) == -1)
		return diag_set(why, "no socket %s from the master", name);
	return peers_listen(peers, fd, role) == -1 ?
	    diag_errno(why, "%s", name) : 0;
}

size_t
service_raise_files(void)
{
	struct rlimit	rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return FILES_LEAST;
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1 ||
	    getrlimit(RLIMIT_NOFILE, &rl) == -1) {
		log_debug("limits why=\"%s\"", strerror(errno));
		return FILES_LEAST;
	}
	return (size_t)rl.rlim_cur;
}

int
service_run(struct service *s)
{
	if (link_ready(FD_LINK) == -1)
		return EX_TEMPFAIL;
	if (event_base_dispatch(s->base) == -1)
		return EX_SOFTWARE;
	return s->status;
}

void
service_stop(struct service *s, int status)
{
	s->status = status;
	event_base_loopbreak(s->base);
}
