/*
 * common/net/relay.c - bytes between a client and a session. Runs in a worker
 * of a front, which the client's bytes reach as bytes and nothing else.
 */
#include "common/net/relay_impl.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"

#define IDLE_MS		1000	/* then the buffers are given back */
#define STOP_MS		5000	/* for a session that is told to end */

/* One direction. */
struct way {
	char	*p;		/* RELAY_SIZE bytes, or NULL: nothing waits */
	size_t	 from, to;
	bool	 eof;		/* nothing comes any more */
	bool	 maybe;		/* its source may have more without being asked */
	short	 blocked;	/* what its target waits for; 0: it may be asked */
};

struct relay {
	struct conn		*client;
	int			 inner;
	int			 stop_fd;	/* -1: it has been heard of */
	int64_t			 stall, moved;	/* when the client took something last */
	int64_t			 stopped;	/* when the session was to end, or -1 */
	struct way		 up, down;	/* to the session, to the client */
	short			 reads;		/* what reading from the client waits for */
	bool			 told;		/* the session knows of the client's end */
	bool			 back;		/* it has given the client back, and gets nothing more */
	struct relay_result	*result;
};

int
relay_pair(int *ours, int *other)
{
	int	fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    fd) == -1)
		return -1;
	*ours = fd[0];
	*other = fd[1];
	return 0;
}

static bool
waits(const struct way *w)
{
	return w->from < w->to;
}

static bool
is_again(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* From the system and back to it: what was in it is gone, and so is its memory. */
static int
make_room(struct way *w)
{
	void	*p;

	if (w->p != NULL)
		return 0;
	p = mmap(NULL, RELAY_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	w->p = p;
	return 0;
}

static void
drop_room(struct way *w)
{
	if (w->p != NULL)
		munmap(w->p, RELAY_SIZE);
	w->p = NULL;
	w->from = w->to = 0;
}

static void
taken(struct way *w, size_t n)
{
	w->from += n;
	if (w->from == w->to)
		w->from = w->to = 0;
}

/* False: the client has gone. It is asked until it has no more, for TLS may hold some that poll does not see. */
static bool
read_client(struct relay *r)
{
	struct way	*w = &r->up;
	ssize_t		 n;

	while (w->maybe && !w->eof && !r->back && w->to < RELAY_SIZE) {
		if (make_room(w) == -1)
			return false;
		n = conn_recv_some(r->client, w->p + w->to, RELAY_SIZE - w->to,
		    &r->reads);
		if (n > 0) {
			w->to += (size_t)n;
			r->result->from_client += (uint64_t)n;
		} else if (n == 0)
			w->eof = true;
		else if (is_again())
			w->maybe = errno == EINTR;
		else
			return false;
	}
	return true;
}

/* A session that has closed its end may have said something before. */
static void
write_session(struct relay *r)
{
	struct way	*w = &r->up;
	ssize_t		 n;

	while (waits(w) && !r->back && w->blocked == 0) {
		n = send(r->inner, w->p + w->from, w->to - w->from,
		    MSG_NOSIGNAL);
		if (n >= 0)
			taken(w, (size_t)n);
		else if (is_again())
			w->blocked = errno == EINTR ? 0 : POLLOUT;
		else {
			taken(w, w->to - w->from);
			w->eof = true;
		}
	}
	if (w->eof && !waits(w) && !r->told) {
		r->told = true;
		(void)shutdown(r->inner, SHUT_WR);
	}
}

static bool
read_session(struct relay *r)
{
	struct way	*w = &r->down;
	ssize_t		 n;

	if (!w->maybe || w->eof || r->back || waits(w))
		return true;
	if (make_room(w) == -1)
		return false;
	n = relay_recv(r->inner, w->p, RELAY_SIZE, &r->back);
	if (n > 0) {
		w->to = (size_t)n;
		w->maybe = n == RELAY_SIZE;
		r->moved = now_ms();
	} else if (n == -1 && is_again())
		w->maybe = errno == EINTR;
	else
		w->eof = !r->back;
	return true;
}

/* False: the client has gone. */
static bool
write_client(struct relay *r)
{
	struct way	*w = &r->down;
	ssize_t		 n;
	short		 want;

	while (waits(w) && w->blocked == 0) {
		n = conn_send_some(r->client, w->p + w->from, w->to - w->from,
		    &want);
		if (n >= 0) {
			taken(w, (size_t)n);
			r->result->to_client += (uint64_t)n;
			r->moved = now_ms();
		} else if (is_again())
			w->blocked = errno == EINTR ? 0 : want;
		else
			return false;
	}
	return true;
}

/* All that can be done without waiting. False: it is over. */
static bool
move(struct relay *r)
{
	if (!read_client(r) || !write_client(r)) {
		r->result->why = "the client has gone";
		return false;
	}
	write_session(r);
	if (!read_session(r) || !write_client(r)) {
		r->result->why = "the client has gone";
		return false;
	}
	if (r->back && !waits(&r->down)) {
		r->result->back = true;
		return false;
	}
	if (r->down.eof && !waits(&r->down)) {
		r->result->why = "the session has ended";
		return false;
	}
	return true;
}

/* Is there something to do at once? */
static bool
is_busy(const struct relay *r)
{
	return !r->back &&
	    ((r->up.maybe && !r->up.eof && r->up.to < RELAY_SIZE) ||
	    (r->down.maybe && !r->down.eof && !waits(&r->down)));
}

/* A descriptor of which nothing is wanted would wake us with its end for ever. */
static struct pollfd
ask(int fd, short events)
{
	return (struct pollfd){ events == 0 ? -1 : fd, events, 0 };
}

/* Waits for a moment to go on. 1: go on; 0: time is up; -1: a signal came, or an error. */
static int
wait_for(struct relay *r, int64_t ms)
{
	struct pollfd	p[3];
	int		n;

	p[0] = ask(r->client->fd, (short)((r->up.eof || r->back || r->up.to ==
	    RELAY_SIZE ? 0 : r->reads) | (waits(&r->down) ?
	    r->down.blocked : 0)));
	p[1] = ask(r->inner, (short)(r->back ? 0 :
	    (r->down.eof || waits(&r->down) ? 0 : POLLIN) |
	    (waits(&r->up) ? r->up.blocked : 0)));
	p[2] = ask(r->stop_fd, POLLIN);
	if ((n = poll(p, nitems(p), ms > INT_MAX ? INT_MAX : (int)ms)) <= 0)
		return n;
	if (p[0].revents != 0) {
		r->up.maybe = true;
		r->down.blocked = 0;
	}
	if (p[1].revents != 0) {
		r->down.maybe = true;
		r->up.blocked = 0;
	}
	if (p[2].revents != 0) {
		r->stopped = now_ms();
		r->stop_fd = -1;
	}
	return 1;
}

static void
trim(struct relay *r)
{
	if (!waits(&r->up))
		drop_room(&r->up);
	if (!waits(&r->down))
		drop_room(&r->down);
	conn_idle_trim(r->client);
#ifdef __GLIBC__
	(void)malloc_trim(0);	/* what the log-in needed */
#endif
}

static void
sooner(int64_t *due, int64_t when)
{
	if (*due == -1 || when < *due)
		*due = when;
}

/* How long from now; -1: until something comes. */
static int64_t
patience(const struct relay *r, int64_t now, bool trimmed)
{
	int64_t	due = trimmed ? -1 : now + IDLE_MS;

	if (waits(&r->down))
		sooner(&due, r->moved + r->stall);
	if (r->stopped != -1)
		sooner(&due, r->stopped + STOP_MS);
	if (due == -1)
		return -1;
	return due > now ? due - now : 0;
}

static const char *
overdue(const struct relay *r, int64_t now)
{
	if (waits(&r->down) && now >= r->moved + r->stall)
		return "the client takes nothing";
	if (r->stopped != -1 && now >= r->stopped + STOP_MS)
		return "shutting down";
	return NULL;
}

static void
loop(struct relay *r)
{
	int64_t	now;
	bool	trimmed = false;
	int	n;

	while (move(r)) {
		if (is_busy(r))
			continue;
		now = now_ms();
		if ((r->result->why = overdue(r, now)) != NULL)
			return;
		n = wait_for(r, patience(r, now, trimmed));
		if (n == 0 && !trimmed)
			trim(r);
		trimmed = n == 0;
	}
}

/* What the client said before we began is the session's. */
static int
preload(struct relay *r)
{
	struct str	in = conn_pending(r->client);

	if (in.n == 0)
		return 0;
	if (in.n > RELAY_SIZE || make_room(&r->up) == -1)
		return -1;
	memcpy(r->up.p, in.p, in.n);
	r->up.to = in.n;
	r->result->from_client = in.n;
	conn_consume(r->client, in.n);
	return 0;
}

void
relay_run(struct conn *client, int inner, int64_t stall, int stop_fd,
    struct relay_result *result)
{
	struct relay	r = {
		.client = client, .inner = inner, .stop_fd = stop_fd,
		.stall = stall, .moved = now_ms(), .stopped = -1,
		.reads = POLLIN, .result = result
	};

	*result = (struct relay_result){ .why = "the client has gone" };
	r.up.maybe = r.down.maybe = true;
	/* the flag is another thread's; stop_fd says the same */
	client->stop = NULL;
	if (conn_flush(client, stall) == 0 && preload(&r) == 0)
		loop(&r);
	if (result->back) {
		result->why = relay_take_back(client, inner, waits(&r.up) ?
		    (struct str){ r.up.p + r.up.from, r.up.to - r.up.from } :
		    STR(""));
		client->eof = r.up.eof;
	} else
		/* the last words of a client that has gone, as far as there is room */
		write_session(&r);
	drop_room(&r.up);
	drop_room(&r.down);
}
