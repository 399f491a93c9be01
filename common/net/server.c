/*
 * common/net/server.c - the listener of a pool. Runs as the service's user in
 * its chroot; accepts, counts and passes on, and reads not one byte from
 * outside. Its workers talk to the network, so they are distrusted: all that
 * they say is which of their connections are over.
 */
#include "common/net/server.h"

#include <sys/resource.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/net/server_impl.h"
#include "common/proc/link.h"
#include "common/proc/msg.h"
#include "common/proc/sig.h"

#define ACCEPT_BATCH	32	/* before the others are looked at again */
#define SHRINK_MS	5000
#define ORPHAN_MS	10000	/* without a master nobody else ends them */

void
server_raise_limits(void)
{
	struct rlimit	rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return;
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		log_debug("limits why=\"%s\"", strerror(errno));
}

/* An empty buffer takes a line at once; a client that has gone is found out by its worker. */
static void
say(int fd, const char *text)
{
	if (*text != '\0' && send(fd, text, strlen(text),
	    MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
		log_debug("first words not sent why=\"%s\"", strerror(errno));
}

static void
refuse(struct pool *p, int fd, const char *service, bool total)
{
	p->refused++;
	say(fd, p->ops->refusal(p->arg, service, total));
}

/* NULL if the client may be served, else "total", "client" or "rate". */
static const char *
over_limit(struct pool *p, const struct addr *peer, struct server_client **out)
{
	const struct server_limits	*l = &p->limits;
	const struct pool_load		 load = pool_load(p);
	struct server_client		*c;

	*out = NULL;
	/* Those that were dismissed are about to end, but still there. */
	if (load.connections >= l->max_workers ||
	    (load.ready == 0 && p->n >= l->max_workers))
		return "total";
	if (!peer->valid)
		return NULL;
	if ((c = clients_enter(&p->clients, peer)) == NULL)
		return "total";
	if (l->client_connections != 0 &&
	    atomic_load(&c->connections) > l->client_connections) {
		clients_leave(c);
		return "client";
	}
	if (l->client_connection_rate != 0 &&
	    atomic_load(&c->connects) > l->client_connection_rate) {
		clients_leave(c);
		return "rate";
	}
	*out = c;
	return NULL;
}

static void
admit(struct pool *p, int fd, const struct addr *peer, const char *service)
{
	struct server_client	*c;
	const char		*why, *text;
	char			 ip[ADDR_TEXT_SIZE];
	int			 on = 1;

	if ((why = over_limit(p, peer, &c)) != NULL) {
		log_info("refused-connection service=%s client=%s limit=%s",
		    service, addr_text(peer, false, ip), why);
		refuse(p, fd, service, strcmp(why, "total") == 0);
		return;
	}
	/* Answers are written whole; waiting to fill a packet only delays them. */
	if (peer->valid && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
	    sizeof(on)) == -1)
		log_debug("nodelay why=\"%s\"", strerror(errno));
	/* First, or the answer to one who does not wait for it could be in front of it. */
	if (p->ops->greeting != NULL &&
	    (text = p->ops->greeting(p->arg, service)) != NULL)
		say(fd, text);
	if (!pool_give(p, fd, c, service))
		refuse(p, fd, service, true);
}

static void
accept_some(struct pool *p, const struct child_fd *listener)
{
	struct sockaddr_storage	ss;
	struct addr		peer;
	socklen_t		len;
	int			fd, i;

	for (i = 0; i < ACCEPT_BATCH; i++) {
		len = sizeof(ss);
		memset(&ss, 0, sizeof(ss));
		fd = accept4(listener->fd, (struct sockaddr *)&ss, &len,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd == -1) {
			/* what the client did is not our failure */
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				pool_complain(p, "accept");
			return;
		}
		addr_from_sockaddr((struct sockaddr *)&ss, &peer);
		admit(p, fd, &peer, listener->name);
		fdio_close(&fd);
	}
}

static void
begin_stop(struct pool *p, bool orphan)
{
	size_t	i;

	if (!p->stopping && orphan)
		p->stop_due = now_ms() + ORPHAN_MS;
	p->stopping = true;
	for (i = 0; i < p->nlisten; i++)
		fdio_close(&p->listen[i].fd);
	p->nlisten = 0;
	for (i = 0; i < p->n; i++) {
		if (p->workers[i].used > 0)
			kill(p->workers[i].pid, SIGTERM);
		else
			pool_dismiss(&p->workers[i]);
	}
}

static void
take_listen(struct pool *p, struct link_event *ev)
{
	size_t	i;

	for (i = 0; i < p->nlisten; i++)
		fdio_close(&p->listen[i].fd);
	p->nlisten = 0;
	for (i = 0; i < ev->nfds && p->nlisten < SERVER_LISTEN_MAX; i++)
		if (ev->fds[i].fd != -1) {
			p->listen[p->nlisten++] = ev->fds[i];
			ev->fds[i].fd = -1;	/* ours now */
		}
}

/* Those at work finish with the settings that they have. */
static void
reload(void *arg, struct link_event *ev)
{
	struct pool		*p = arg;
	struct server_limits	limits = p->limits;
	size_t			i;

	if (p->ops->reload(p->arg, ev, &limits) == -1) {
		log_error("reload service=%s why=\"the old settings stay\"",
		    p->name);
		return;
	}
	p->limits = limits;
	p->generation++;
	take_listen(p, ev);
	for (i = 0; i < p->n; i++)
		if (!p->workers[i].busy)
			pool_dismiss(&p->workers[i]);
	log_info("reloaded service=%s", p->name);
}

static void
status(void *arg, char *dst, size_t size)
{
	const struct pool	*p = arg;
	const struct pool_load	 load = pool_load(p);

	snprintf(dst, size, "workers=%zu busy=%zu relays=%zu sessions=%llu "
	    "refused=%llu faults=%llu", p->n, load.busy, load.relays,
	    p->sessions, p->refused, p->faults);
}

static void
stop(void *arg, bool orphan)
{
	struct pool	*p = arg;

	if (orphan)
		fdio_close(&p->link);
	begin_stop(p, orphan);
}

static void
link_readable(struct pool *p)
{
	static const struct link_ops	ops = { status, reload, stop, NULL };

	link_serve(p->link, &p->rec, &ops, p);
}

/* Workers that could end: those with connections cost nothing by being ready for more. */
static size_t
surplus(const struct pool *p)
{
	const struct pool_load	load = pool_load(p);
	size_t			more;

	if (load.ready <= p->limits.min_spare)
		return 0;
	more = load.ready - p->limits.min_spare;
	return more < load.empty ? more : load.empty;
}

/* After a busy time the spare workers go, half of them at a time. */
static void
shrink(struct pool *p, int64_t now)
{
	struct worker	*w;
	size_t		 n;

	if (now < p->shrink_due)
		return;
	p->shrink_due = now + SHRINK_MS;
	n = (surplus(p) + 1) / 2;
	for (w = p->workers; w < p->workers + p->n && n > 0; w++)
		if (w->fd != -1 && !w->ending && w->used == 0) {
			pool_dismiss(w);
			n--;
		}
}

static int
timeout(const struct pool *p, int64_t now)
{
	int64_t	t = -1;

	if (surplus(p) > 0)
		t = p->shrink_due;
	if (p->stop_due != 0 && (t == -1 || p->stop_due < t))
		t = p->stop_due;
	if (p->pause_until > now && (t == -1 || p->pause_until < t))
		t = p->pause_until;
	if (t == -1)
		return -1;
	return t <= now ? 0 : (int)(t - now) + 1;
}

/* Workers first in the list, at their own index; then the others. */
static void
wait_and_act(struct pool *p, int64_t now)
{
	size_t		i, n = p->n, at;
	unsigned	came, nlisten = now < p->pause_until ? 0 : p->nlisten;

	for (i = 0; i < n; i++)
		p->polls[i] = (struct pollfd){ p->workers[i].fd, POLLIN, 0 };
	at = n;
	p->polls[at++] = (struct pollfd){ p->link, POLLIN, 0 };
	p->polls[at++] = (struct pollfd){ p->sig, POLLIN, 0 };
	for (i = 0; i < nlisten; i++)
		p->polls[at++] = (struct pollfd){ p->listen[i].fd, POLLIN, 0 };
	if (poll(p->polls, (nfds_t)at, timeout(p, now)) <= 0)
		return;
	/* Places do not move before pool_reap(); what adds workers adds behind. */
	for (i = 0; i < n; i++)
		if (p->polls[i].revents != 0 && p->workers[i].fd != -1)
			pool_worker_said(p, &p->workers[i]);
	for (i = 0; i < nlisten && !p->stopping; i++)
		if (p->polls[n + 2 + i].revents != 0)
			accept_some(p, &p->listen[i]);
	if (p->link != -1 && p->polls[n].revents != 0)
		link_readable(p);
	if (p->polls[n + 1].revents == 0)
		return;
	came = sig_take();
	if (came & SIG_EV_TERM)
		begin_stop(p, false);
	if (came & SIG_EV_CHLD)
		pool_reap(p);
}

static void
loop(struct pool *p)
{
	int64_t	now;

	while (p->status == EX_OK && !(p->stopping && p->n == 0)) {
		now = now_ms();
		if (p->stop_due != 0 && now >= p->stop_due)
			break;
		if (now >= p->pause_until)
			pool_keep_spare(p);
		shrink(p, now);
		wait_and_act(p, now);
	}
}

static void
cleanup(struct pool *p)
{
	size_t	i;

	/* Those that still serve read the end of their control and finish. */
	for (i = 0; i < p->n; i++) {
		fdio_close(&p->workers[i].fd);
		free(p->workers[i].places);
	}
	for (i = 0; i < p->nlisten; i++)
		fdio_close(&p->listen[i].fd);
	free(p->workers);
	free(p->polls);
	buf_free(&p->rec);
}

int
server_run(const char *name, int link_fd, const struct child_fd *listen,
    unsigned n, const struct server_limits *limits,
    const struct server_ops *ops, void *arg)
{
	struct pool	p = {
		.name = name, .ops = ops, .arg = arg, .limits = *limits,
		.link = link_fd, .giving = -1, .nlisten = n, .status = EX_OK
	};

	if (n > SERVER_LISTEN_MAX)
		return EX_SOFTWARE;
	memcpy(p.listen, listen, n * sizeof(*listen));
	buf_init(&p.rec, MSG_MAX);
	if ((p.sig = sig_init(SIG_EV_TERM | SIG_EV_CHLD)) == -1 ||
	    fdio_nonblock(link_fd, 1) == -1 || pool_room(&p) == -1 ||
	    clients_init(&p.clients, limits->max_workers) == -1) {
		log_error("start service=%s why=\"%s\"", name, strerror(errno));
		cleanup(&p);
		return EX_OSERR;
	}
	pool_keep_spare(&p);
	if (link_ready(link_fd) == -1)
		p.status = EX_TEMPFAIL;
	loop(&p);
	cleanup(&p);
	return p.status;
}
