/*
 * common/net/conn.c - buffered blocking I/O on one connection. The descriptor
 * is non-blocking; every wait has a deadline. A signal just before poll is not
 * lost: it makes sig's descriptor readable, and a stop flag of another kind is
 * looked at at least twice a second.
 */
#include "common/net/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/now.h"
#include "common/proc/sig.h"

#define OUT_MAX		(1u << 20)
#define OUT_FLUSH	32768
#define OUT_PIECE	65536	/* of what is put at once, so that slow ones have time for it */
#define OUT_TIMEOUT	60000
#define LINE_SHORT	1536	/* of what is formatted: it needs no memory but the stack */
#define WAIT_SLICE	500

void
conn_init(struct conn *c, int fd)
{
	*c = (struct conn){ .fd = fd, .deadline = -1, .master = -1 };
	buf_init(&c->out, OUT_MAX);
}

void
conn_close(struct conn *c)
{
	if (c->io != NULL)
		c->io->free(c->io_arg);
	c->io = NULL;
	c->io_arg = NULL;
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	if (c->in != NULL)
		explicit_bzero(c->in, c->in_most);	/* may have held a password */
	free(c->in);
	c->in = NULL;
	c->in_from = c->in_to = 0;
	buf_wipe(&c->out);
}

struct str
conn_pending(const struct conn *c)
{
	struct str	s = { "", 0 };

	if (c->in != NULL) {
		s.p = c->in + c->in_from;
		s.n = c->in_to - c->in_from;
	}
	return s;
}

void
conn_consume(struct conn *c, size_t n)
{
	c->in_from += n;
	if (c->in_from == c->in_to)
		c->in_from = c->in_to = 0;
}

void
conn_wipe(struct conn *c)
{
	/* with nothing left unread the positions may be back at 0 */
	if (c->in != NULL)
		explicit_bzero(c->in, c->in_from == c->in_to ? c->in_most :
		    c->in_from);
}

/* What becomes readable when the stop flag is set, or -1: it has to be looked at. */
static int
stop_fd(const struct conn *c)
{
	return c->stop == sig_stop_flag() ? sig_wake_fd() : -1;
}

int
conn_wait(struct conn *c, short what, int64_t deadline)
{
	struct pollfd	p[3] = { { c->fd, what, 0 }, { c->master, 0, 0 },
			    { stop_fd(c), POLLIN, 0 } };
	int64_t		left, now;
	int		r;

	if (c->deadline >= 0 && c->deadline < deadline)
		deadline = c->deadline;
	for (;;) {
		if (c->stop != NULL && *c->stop != 0) {
			errno = ECANCELED;
			return -1;
		}
		if ((now = now_ms()) >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		left = deadline - now;
		if (c->stop != NULL && p[2].fd == -1 && left > WAIT_SLICE)
			left = WAIT_SLICE;
		if (left > 3600000)
			left = 3600000;
		r = poll(p, 3, (int)left);
		if (r > 0 && p[1].revents != 0) {
			errno = ECANCELED;
			return -1;
		}
		if (r > 0 && p[0].revents != 0)
			return 0;
		if (r > 0)	/* a signal: the flag says whether to stop */
			p[2].fd = -1;
		if (r == -1 && errno != EINTR)
			return -1;
	}
}

ssize_t
conn_send_some(struct conn *c, const void *p, size_t n, short *want)
{
	*want = POLLOUT;
	if (c->io != NULL)
		return c->io->send(c->io_arg, p, n, want);
	return send(c->fd, p, n, MSG_NOSIGNAL);
}

ssize_t
conn_recv_some(struct conn *c, void *p, size_t n, short *want)
{
	*want = POLLIN;
	if (c->io != NULL)
		return c->io->recv(c->io_arg, p, n, want);
	return recv(c->fd, p, n, 0);
}

/* renew: the time is counted anew when some of it is out. s: what is not, afterwards. */
static int
send_all(struct conn *c, struct str *s, int64_t timeout, bool renew)
{
	int64_t	deadline = now_ms() + timeout;
	ssize_t	n;
	short	want;

	while (s->n > 0) {
		n = conn_send_some(c, s->p, s->n, &want);
		if (n >= 0) {
			s->p += n;
			s->n -= (size_t)n;
			if (renew)
				deadline = now_ms() + timeout;
			continue;
		}
		if (errno == EINTR)
			continue;
		if ((errno != EAGAIN && errno != EWOULDBLOCK) ||
		    conn_wait(c, want, deadline) == -1)
			return -1;
	}
	return 0;
}

static int
flush(struct conn *c, int64_t timeout, bool renew)
{
	struct str	s = buf_view(&c->out);

	if (send_all(c, &s, timeout, renew) == -1) {
		buf_consume(&c->out, c->out.n - s.n);
		return -1;
	}
	buf_reset(&c->out);
	return 0;
}

int
conn_flush(struct conn *c, int64_t timeout)
{
	return flush(c, timeout, false);
}

static int64_t
out_timeout(const struct conn *c)
{
	return c->out_stall > 0 ? c->out_stall : OUT_TIMEOUT;
}

static int
flush_as_set(struct conn *c)
{
	return flush(c, out_timeout(c), c->out_stall > 0);
}

/* There is no memory to keep it in. */
static int
send_at_once(struct conn *c, struct str s)
{
	c->out.bad = false;
	if (flush_as_set(c) == -1)
		return -1;
	return send_all(c, &s, out_timeout(c), c->out_stall > 0);
}

/* Room behind what is buffered: allocate, or move it to the front. */
static int
make_room(struct conn *c)
{
	if (c->in == NULL && (c->in = malloc(CONN_IN)) == NULL)
		return -1;
	if (c->in_to < CONN_IN)
		return 0;
	if (c->in_from == 0) {
		errno = ENOBUFS;
		return -1;
	}
	memmove(c->in, c->in + c->in_from, c->in_to - c->in_from);
	c->in_to -= c->in_from;
	c->in_from = 0;
	return 0;
}

int
conn_preload(struct conn *c, struct str s)
{
	if (s.n == 0)
		return 0;
	if (s.n > CONN_IN) {
		errno = ENOBUFS;
		return -1;
	}
	if (make_room(c) == -1)
		return -1;
	memcpy(c->in, s.p, s.n);
	c->in_from = 0;
	c->in_to = c->in_most = s.n;
	return 0;
}

int
conn_fill(struct conn *c, int64_t timeout)
{
	int64_t	deadline = now_ms() + timeout;
	ssize_t	n;
	short	want;
	bool	answered = c->out.n > 0 && c->io == NULL;

	if (c->eof)
		return 0;
	/* One that sends without a pause is never waited for. */
	if (c->deadline >= 0 && now_ms() >= c->deadline) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (flush_as_set(c) == -1 || make_room(c) == -1)
		return -1;
	/* who has just been answered has to think first: no try in vain */
	if (answered && conn_wait(c, POLLIN, deadline) == -1)
		return -1;
	for (;;) {
		n = conn_recv_some(c, c->in + c->in_to, CONN_IN - c->in_to,
		    &want);
		if (n > 0) {
			c->in_to += (size_t)n;
			if (c->in_to > c->in_most)
				c->in_most = c->in_to;
			return 1;
		}
		if (n == 0) {
			c->eof = true;
			return 0;
		}
		if (errno == EINTR)
			continue;
		if ((errno != EAGAIN && errno != EWOULDBLOCK) ||
		    conn_wait(c, want, deadline) == -1)
			return -1;
	}
}

enum line_status
conn_line(struct conn *c, size_t max, int64_t timeout, struct str *line)
{
	enum line_status	status;
	size_t			used;

	for (;;) {
		status = line_scan(conn_pending(c), max, line, &used);
		if (status != LINE_MORE) {
			/* the view outlives the consumption: nothing moves */
			c->in_from += used;
			return status;
		}
		switch (conn_fill(c, timeout)) {
		case 0:
			errno = 0;
			return LINE_MORE;
		case -1:
			return LINE_MORE;
		}
	}
}

bool
conn_has_line(const struct conn *c)
{
	struct str	s = conn_pending(c);

	return s.n > 0 && memchr(s.p, '\n', s.n) != NULL;
}

int
conn_put(struct conn *c, struct str s)
{
	struct str	piece;

	for (; s.n > 0; s.p += piece.n, s.n -= piece.n) {
		piece = s;
		if (piece.n > OUT_PIECE)
			piece.n = OUT_PIECE;
		if (buf_addstr(&c->out, piece) == -1 &&
		    send_at_once(c, piece) == -1)
			return -1;
		if (c->out.n >= OUT_FLUSH && flush_as_set(c) == -1)
			return -1;
	}
	return 0;
}

int
conn_putf(struct conn *c, const char *fmt, ...)
{
	char	text[LINE_SHORT];
	va_list	ap;
	int	r;

	va_start(ap, fmt);
	r = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (r >= 0 && (size_t)r < sizeof(text))
		return conn_put(c, (struct str){ text, (size_t)r });
	va_start(ap, fmt);
	r = buf_vaddf(&c->out, fmt, ap);
	va_end(ap);
	if (r == -1)
		return -1;
	return c->out.n < OUT_FLUSH ? 0 : flush_as_set(c);
}

void
conn_idle_trim(struct conn *c)
{
	if (c->in_from == c->in_to) {
		if (c->in != NULL)
			explicit_bzero(c->in, c->in_most);
		free(c->in);
		c->in = NULL;
		c->in_from = c->in_to = c->in_most = 0;
	}
	if (c->out.n == 0)
		buf_free(&c->out);
}
