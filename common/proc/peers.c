/*
 * common/proc/peers.c - an event-driven server on named sockets. Linked into
 * route and auth; distrusts every client.
 */
#include "common/proc/peers.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"

#define BURST		32	/* packets of one client in a row */
#define PAUSE_MS	200	/* when there are no descriptors left */
#define HELD_PAUSE	(8u << 20)	/* bytes of answers that wait for one client: no more is read */
#define HELD_MAX	(32u << 20)	/* those of questions that were read before, too */

static const struct timeval	patience = { 60, 0 };	/* with one that reads nothing */

/* An answer that waits for room. */
struct letter {
	TAILQ_ENTRY(letter)	 link;
	struct buf		 rec;
};
TAILQ_HEAD(letter_list, letter);

struct peer {
	TAILQ_ENTRY(peer)	 link;
	struct peers		*all;
	struct event		*event;
	struct event		*room;	/* NULL until it was once slow to read */
	struct letter_list	 held;
	size_t			 held_bytes;
	int			 fd;
	unsigned		 role;
	bool			 busy;	/* its callback runs */
	bool			 dropped;
	void			*data;
};
TAILQ_HEAD(peer_list, peer);

struct door {
	SLIST_ENTRY(door)	 link;
	struct peers		*all;
	struct event		*event;
	int			 fd;
	unsigned		 role;
};
SLIST_HEAD(door_list, door);

struct peers {
	struct event_base	*base;
	const struct peers_ops	*ops;
	void			*arg;
	struct peer_list	 clients;
	struct door_list	 doors;
	struct event		*pause;
	struct buf		 rec;
	size_t			 n, max;
	bool			 closed;	/* no accepts for now */
};

/* If one does not open they are all tried again after a pause. */
static void
doors_open(struct peers *all, bool on)
{
	static const struct timeval	wait = { 0, PAUSE_MS * 1000 };
	struct door			*d;
	bool				 ok = true;

	if (all->closed == !on)
		return;
	all->closed = !on;
	SLIST_FOREACH(d, &all->doors, link) {
		if (on ? event_add(d->event, NULL) == 0 :
		    event_del(d->event) == 0)
			continue;
		log_error("listen role=%u why=\"%s\"", d->role,
		    strerror(errno));
		ok = false;
	}
	if (on && !ok) {
		doors_open(all, false);
		(void)event_add(all->pause, &wait);
	}
}

static void
pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct peers	*all = arg;

	(void)fd;
	(void)what;
	if (all->n < all->max)
		doors_open(all, true);
}

/* What it did not take may be a secret. */
static void
discard_first(struct peer *p)
{
	struct letter	*l = TAILQ_FIRST(&p->held);

	TAILQ_REMOVE(&p->held, l, link);
	p->held_bytes -= l->rec.n;
	buf_wipe(&l->rec);
	free(l);
}

void
peer_drop(struct peer *p)
{
	struct peers	*all = p->all;

	if (p->busy) {		/* the loop over its packets does it */
		p->dropped = true;
		return;
	}
	if (all->ops->gone != NULL)
		all->ops->gone(all->arg, p);
	TAILQ_REMOVE(&all->clients, p, link);
	all->n--;
	event_free(p->event);
	if (p->room != NULL)
		event_free(p->room);
	while (!TAILQ_EMPTY(&p->held))
		discard_first(p);
	fdio_close(&p->fd);
	free(p);
	if (all->n + 1 == all->max)
		doors_open(all, true);
}

/* False: drop it. */
static bool
one_packet(struct peer *p, bool *more)
{
	struct peers	*all = p->all;
	struct msg_fds	 fds;
	int		 r;

	r = msg_recv(p->fd, &all->rec, &fds);
	if (r == -1 && errno == EAGAIN) {
		*more = false;
		return true;
	}
	if (r == -1)
		log_warn("peer-dropped role=%u why=\"%s\"", p->role,
		    strerror(errno));
	if (r != 1)
		return false;
	r = all->ops->packet(all->arg, p, &all->rec, &fds);
	msg_close_fds(&fds);
	return r == 0 && !p->dropped;
}

static void
readable(evutil_socket_t fd, short what, void *arg)
{
	struct peer	*p = arg;
	bool		 more = true, ok = true;
	int		 i;

	(void)fd;
	(void)what;
	p->busy = true;
	/* nothing more from one that does not read its answers */
	for (i = 0; ok && more && p->held_bytes < HELD_PAUSE && i < BURST; i++)
		ok = one_packet(p, &more);
	p->busy = false;
	if (!ok)
		peer_drop(p);
}

static int
add_client(struct door *d, int fd)
{
	struct peer	*p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return -1;
	p->all = d->all;
	p->fd = fd;
	p->role = d->role;
	TAILQ_INIT(&p->held);
	p->event = event_new(d->all->base, fd, EV_READ | EV_PERSIST, readable,
	    p);
	if (p->event == NULL || event_add(p->event, NULL) == -1) {
		if (p->event != NULL)
			event_free(p->event);
		free(p);
		return -1;
	}
	TAILQ_INSERT_TAIL(&d->all->clients, p, link);
	if (++d->all->n >= d->all->max)
		doors_open(d->all, false);
	return 0;
}

static void
acceptable(evutil_socket_t listener, short what, void *arg)
{
	static const struct timeval	wait = { 0, PAUSE_MS * 1000 };
	struct door			*d = arg;
	int				 fd;

	(void)what;
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd != -1) {
		if (add_client(d, fd) == 0)
			return;
		fdio_close(&fd);
	} else if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	log_error("accept role=%u why=\"%s\"", d->role, strerror(errno));
	/* Out of descriptors or memory: the socket stays readable. */
	doors_open(d->all, false);
	(void)event_add(d->all->pause, &wait);
}

int
peers_new(struct peers **out, struct event_base *base, size_t max,
    const struct peers_ops *ops, void *arg)
{
	struct peers	*all;

	if ((all = calloc(1, sizeof(*all))) == NULL)
		return -1;
	*all = (struct peers){ .base = base, .ops = ops, .arg = arg,
	    .max = max };
	TAILQ_INIT(&all->clients);
	SLIST_INIT(&all->doors);
	buf_init(&all->rec, MSG_MAX);
	all->pause = event_new(base, -1, 0, pause_over, all);
	if (all->pause == NULL || buf_reserve(&all->rec, MSG_MAX) == -1) {
		peers_free(&all);
		return -1;
	}
	*out = all;
	return 0;
}

int
peers_listen(struct peers *all, int fd, unsigned role)
{
	struct door	*d;

	if (fdio_nonblock(fd, 1) == -1 ||
	    (d = calloc(1, sizeof(*d))) == NULL)
		return -1;
	*d = (struct door){ .all = all, .fd = fd, .role = role };
	d->event = event_new(all->base, fd, EV_READ | EV_PERSIST, acceptable,
	    d);
	if (d->event == NULL || event_add(d->event, NULL) == -1) {
		if (d->event != NULL)
			event_free(d->event);
		free(d);
		return -1;
	}
	SLIST_INSERT_HEAD(&all->doors, d, link);
	return 0;
}

void
peers_free(struct peers **ap)
{
	struct peers	*all = *ap;
	struct peer	*p;
	struct door	*d;

	if (all == NULL)
		return;
	*ap = NULL;
	all->max = 0;
	while ((d = SLIST_FIRST(&all->doors)) != NULL) {
		SLIST_REMOVE_HEAD(&all->doors, link);
		event_free(d->event);
		fdio_close(&d->fd);
		free(d);
	}
	while ((p = TAILQ_FIRST(&all->clients)) != NULL) {
		p->busy = false;
		peer_drop(p);
	}
	if (all->pause != NULL)
		event_free(all->pause);
	buf_wipe(&all->rec);	/* passwords come through it */
	free(all);
}

size_t
peers_count(const struct peers *all)
{
	return all->n;
}

unsigned
peer_role(const struct peer *p)
{
	return p->role;
}

/* It has read something, or nothing for too long. */
static void
writable(evutil_socket_t fd, short what, void *arg)
{
	struct peer	*p = arg;
	struct letter	*l;

	while ((what & EV_WRITE) != 0 && (l = TAILQ_FIRST(&p->held)) != NULL) {
		if (msg_send(fd, &l->rec, NULL) == 0) {
			discard_first(p);
			continue;
		}
		if (errno == EAGAIN && event_add(p->room, &patience) == 0)
			return;
		break;
	}
	if (!TAILQ_EMPTY(&p->held) || event_add(p->event, NULL) == -1)
		peer_drop(p);
}

/* The answer goes out when there is room; if there are many, nothing is read until then. */
static int
hold(struct peer *p, const struct buf *rec)
{
	struct letter	*l;

	if (p->held_bytes + rec->n > HELD_MAX) {
		errno = ENOBUFS;
		return -1;
	}
	if ((p->room == NULL && (p->room = event_new(p->all->base, p->fd,
	    EV_WRITE, writable, p)) == NULL) ||
	    (l = calloc(1, sizeof(*l))) == NULL)
		return -1;
	buf_init(&l->rec, MSG_MAX);
	TAILQ_INSERT_TAIL(&p->held, l, link);
	if (buf_add(&l->rec, rec->p, rec->n) == -1) {
		TAILQ_REMOVE(&p->held, l, link);
		free(l);
		return -1;
	}
	p->held_bytes += rec->n;
	if (TAILQ_FIRST(&p->held) == l && event_add(p->room, &patience) == -1)
		return -1;
	return p->held_bytes < HELD_PAUSE ? 0 : event_del(p->event);
}

int
peer_send(struct peer *p, const struct buf *rec)
{
	if (!TAILQ_EMPTY(&p->held))
		return hold(p, rec);
	if (msg_send(p->fd, rec, NULL) == 0)
		return 0;
	return errno == EAGAIN ? hold(p, rec) : -1;
}

void
peer_set(struct peer *p, void *data)
{
	p->data = data;
}

void *
peer_get(const struct peer *p)
{
	return p->data;
}
