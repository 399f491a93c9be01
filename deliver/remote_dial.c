/*
 * deliver/remote_dial.c - connects, as ph-remote. Addresses of one host are
 * tried with a head start of 250 ms each, IPv6 and IPv4 in turn (RFC 8305 5);
 * those that lose the race may be tried again if the winner is no use.
 */
#include "deliver/remote_dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/proc/sig.h"
#include "deliver/remote_unix.h"

#define HEAD_START	250	/* ms */
#define SLICE		500	/* ms: then the stop flag is looked at */

/* The addresses of one host, in the order of their attempts. */
struct race {
	struct dial		*d;
	const struct remote	*r;
	size_t			 order[HOP_TARGETS];	/* targets */
	size_t			 n, begun;
	int			 fds[HOP_TARGETS];	/* of order[i]; -1: failed */
	int64_t			 due[HOP_TARGETS];
	int64_t			 next;			/* when the next one is begun */
};

void
dial_init(struct dial *d, const struct hop *hop, unsigned attempts)
{
	*d = (struct dial){ .hop = hop, .left = attempts };
}

bool
dial_untried(const struct dial *d)
{
	size_t	i;

	for (i = 0; i < d->hop->ntargets; i++)
		if (!d->tried[i])
			return true;
	return false;
}

const char *
target_text(const struct target *t, char *dst, size_t size)
{
	char	ip[ADDR_TEXT_SIZE];

	if (t->path.n > 0)
		snprintf(dst, size, "%.*s", STR_ARG(t->path));
	else
		snprintf(dst, size, "%s[%s]:%u", t->host,
		    addr_text(&t->addr, false, ip), (unsigned)t->addr.port);
	return dst;
}

static bool
same_host(const struct target *a, const struct target *b)
{
	return a->pref == b->pref && a->path.n == 0 && b->path.n == 0 &&
	    a->host[0] != '\0' && str_eq_nocase(str_from(a->host),
	    str_from(b->host));
}

static void
complain(const struct target *t, int error, struct verdict *why)
{
	char	peer[512];

	verdict_set(why, error == ENETUNREACH || error == EHOSTUNREACH ?
	    "4.4.0" : "4.4.1", "connect to %s: %s",
	    target_text(t, peer, sizeof(peer)), strerror(error));
}

/* The addresses of the first host with one that was not tried, the families in turn. */
static void
line_up(struct race *race)
{
	const struct dial	*d = race->d;
	const struct target	*t = d->hop->targets;
	bool			 taken[HOP_TARGETS] = { false }, v4;
	size_t			 i, first = 0;

	while (first < d->hop->ntargets && d->tried[first])
		first++;
	if (first == d->hop->ntargets)
		return;
	v4 = addr_is_v4(&t[first].addr);
	for (i = first; i < d->hop->ntargets; ) {
		if (!d->tried[i] && !taken[i] && addr_is_v4(&t[i].addr) == v4 &&
		    (i == first || same_host(&t[i], &t[first]))) {
			taken[i] = true;
			race->order[race->n++] = i;
			v4 = !v4;
			i = first;
		} else
			i++;
	}
	/* what is left of the family that has more */
	for (i = first; i < d->hop->ntargets; i++)
		if (!d->tried[i] && !taken[i] && same_host(&t[i], &t[first]))
			race->order[race->n++] = i;
}

static int
bind_source(int fd, const struct hop *hop, bool v4)
{
	const struct addr	*a = v4 ? &hop->source4 : &hop->source6;
	struct sockaddr_storage	 ss;
	int			 on = 1;

	if (!a->valid)
		return 0;
	/* The port is chosen by connect(2), for there may be many to others. */
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on));
	return bind(fd, (struct sockaddr *)&ss, addr_to_sockaddr(a, &ss));
}

/* A connection under way, or -1. */
static int
begin(const struct hop *hop, const struct target *t)
{
	struct sockaddr_storage	ss;
	socklen_t		len;
	bool			v4 = addr_is_v4(&t->addr);
	int			fd, on = 1;

	fd = socket(v4 ? AF_INET : AF_INET6,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	len = addr_to_sockaddr(&t->addr, &ss);
	if (bind_source(fd, hop, v4) == -1 ||
	    (connect(fd, (struct sockaddr *)&ss, len) == -1 &&
	    errno != EINPROGRESS))
		fdio_close(&fd);
	return fd;
}

static void
begin_next(struct race *race, int64_t now, struct verdict *why)
{
	size_t			 i = race->begun++, at = race->order[i];
	const struct target	*t = &race->d->hop->targets[at];

	race->d->left--;
	race->due[i] = now + race->r->set->remote.connect_timeout;
	race->next = now + HEAD_START;
	if ((race->fds[i] = begin(race->d->hop, t)) != -1)
		return;
	complain(t, errno, why);
	race->d->tried[at] = true;
	race->next = now;
}

static void
lost(struct race *race, size_t i, int error, int64_t now, struct verdict *why)
{
	complain(&race->d->hop->targets[race->order[i]], error, why);
	fdio_close(&race->fds[i]);
	race->d->tried[race->order[i]] = true;
	race->next = now;
}

/* The index of one that is connected, or race->n. */
static size_t
look(struct race *race, const struct pollfd *p, int64_t now,
    struct verdict *why)
{
	socklen_t	len;
	size_t		i;
	int		error;

	for (i = 0; i < race->begun; i++) {
		if (race->fds[i] == -1)
			continue;
		len = sizeof(error);
		if (p[i].revents == 0) {
			if (now >= race->due[i])
				lost(race, i, ETIMEDOUT, now, why);
		} else if (getsockopt(race->fds[i], SOL_SOCKET, SO_ERROR,
		    &error, &len) == -1)
			lost(race, i, errno, now, why);
		else if (error != 0)
			lost(race, i, error, now, why);
		else
			return i;
	}
	return race->n;
}

static bool
can_begin(const struct race *race)
{
	return race->begun < race->n && race->d->left > 0;
}

/* Milliseconds to wait; -1: nothing is under way. */
static int
patience(const struct race *race, int64_t now)
{
	int64_t	until = now + SLICE;
	size_t	i;
	bool	any = false;

	for (i = 0; i < race->begun; i++)
		if (race->fds[i] != -1) {
			any = true;
			if (race->due[i] < until)
				until = race->due[i];
		}
	if (can_begin(race) && race->next < until)
		until = race->next;
	return !any ? -1 : until > now ? (int)(until - now) : 0;
}

/* Without poll(2) nothing can be waited for: those under way have lost. */
static void
blind(struct race *race, struct verdict *why)
{
	int	error = errno;

	log_error("poll why=\"%s\"", strerror(error));
	/* nor will it be better a moment later: no others are begun */
	race->d->left = 0;
	verdict_set(why, "4.3.0", "wait for a connection: %s",
	    strerror(error));
}

/* 1 with the winner's index, 0: all have lost, -1: stopped. */
static int
run(struct race *race, size_t *winner, struct verdict *why)
{
	struct pollfd	p[HOP_TARGETS + 1];
	int64_t		now;
	size_t		i;
	int		wait;

	for (;;) {
		now = now_ms();
		while (can_begin(race) && now >= race->next)
			begin_next(race, now, why);
		if ((wait = patience(race, now)) == -1)
			return 0;
		for (i = 0; i < race->begun; i++)
			p[i] = (struct pollfd){ race->fds[i], POLLOUT, 0 };
		p[i] = (struct pollfd){ race->r->queue, 0, 0 };
		if (poll(p, (nfds_t)(race->begun + 1), wait) == -1) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			blind(race, why);
			return 0;
		}
		if (p[race->begun].revents != 0 || *sig_stop_flag() != 0)
			return -1;
		if ((*winner = look(race, p, now_ms(), why)) < race->n)
			return 1;
	}
}

static int
dial_host(struct dial *d, const struct remote *r, int *fd,
    const struct target **target, struct verdict *why)
{
	struct race	race = { .d = d, .r = r };
	size_t		i, winner = 0;
	int		result;

	line_up(&race);
	if ((result = run(&race, &winner, why)) == 1) {
		*fd = race.fds[winner];
		race.fds[winner] = -1;
		*target = &d->hop->targets[race.order[winner]];
		d->tried[race.order[winner]] = true;
	}
	for (i = 0; i < race.begun; i++)
		fdio_close(&race.fds[i]);
	return result;
}

static int
dial_path(struct dial *d, const struct remote *r, size_t at, int *fd,
    const struct target **target, struct verdict *why)
{
	const struct target	*t = &d->hop->targets[at];

	d->tried[at] = true;
	d->left--;
	*fd = unix_dial(r->dialer, t->path, r->set->remote.connect_timeout);
	if (*fd == -1) {
		complain(t, errno, why);
		return 0;
	}
	*target = t;
	return 1;
}

int
dial_next(struct dial *d, const struct remote *r, int *fd,
    const struct target **target, struct verdict *why)
{
	size_t	i;
	int	result;

	for (;;) {
		for (i = 0; i < d->hop->ntargets && d->tried[i]; i++)
			;
		if (i == d->hop->ntargets || d->left == 0)
			return 0;
		if (d->hop->targets[i].path.n > 0)
			result = dial_path(d, r, i, fd, target, why);
		else
			result = dial_host(d, r, fd, target, why);
		if (result != 0)
			return result;
	}
}
