/* imapd/deflate_layer.c - deflate and inflate, as struct conn_io. The peer is not trusted. */
#include "imapd/deflate_layer.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <zlib.h>

#include "common/base/now.h"

#define WINDOW_OUT	(-13)	/* bits; raw deflate */
#define MEMORY_OUT	6
#define WINDOW_IN	(-15)
#define IN_SIZE		8192
#define OUT_SIZE	16384
#define OUT_PIECE	16384	/* of what is to be sent: counts as sent at once */
#define ROUNDS		16	/* of IN_SIZE that give nothing, then the caller looks at the clock */
/* Of z_stream's data_type: bits of the last byte that are left; this block is the last; no block is under way. */
#define BITS		7
#define LAST		64
#define BETWEEN		128

struct layer {
	int		 fd;		/* not owned */
	int		 level;
	z_stream	 in, out;
	bool		 out_ready;	/* of out: it has its memory */
	bool		 in_more;	/* inflate may have output left */
	bool		 ended;		/* the peer has ended its stream */
	bool		 broken;	/* what comes next cannot be inflated */
	bool		 last;		/* our stream ends with what is sent next */
	bool		 over;		/* it has ended */
	size_t		 taken;		/* of what is to be sent: compressed */
	bool		 flushed;	/* and all of that is in buf_out */
	size_t		 from, to;	/* of buf_out: to be sent */
	unsigned char	 buf_in[IN_SIZE], buf_out[OUT_SIZE];
};

/* What there is of it, up to n bytes. 0: more input is needed, or the stream has ended; -1: EBADMSG. */
static ssize_t
inflate_some(struct layer *l, void *p, size_t n)
{
	int	r;

	l->in.next_out = p;
	l->in.avail_out = (uInt)n;
	r = inflate(&l->in, Z_SYNC_FLUSH);
	l->in_more = l->in.avail_out == 0;
	l->ended = r == Z_STREAM_END;
	l->broken = r != Z_OK && r != Z_BUF_ERROR && r != Z_STREAM_END;
	/* what was right in front of that is given first */
	if (l->in.avail_out < n)
		return (ssize_t)(n - l->in.avail_out);
	if (!l->broken)
		return 0;
	errno = EBADMSG;
	return -1;
}

static ssize_t
layer_recv(void *arg, void *p, size_t n, short *want)
{
	struct layer	*l = arg;
	ssize_t		 got;
	unsigned	 round = 0;

	*want = POLLIN;
	while (!l->ended) {
		if (l->in.avail_in > 0 || l->in_more || l->broken) {
			if ((got = inflate_some(l, p, n)) != 0)
				return got;
			continue;
		}
		/* empty blocks without end are no reason to stay here */
		if (round++ == ROUNDS) {
			errno = EAGAIN;
			return -1;
		}
		got = recv(l->fd, l->buf_in, sizeof(l->buf_in), 0);
		if (got <= 0)
			return got;
		l->in.next_in = l->buf_in;
		l->in.avail_in = (uInt)got;
	}
	return 0;
}

/* What has been compressed goes out. */
static int
drain(struct layer *l)
{
	ssize_t	n;

	while (l->from < l->to) {
		n = send(l->fd, l->buf_out + l->from, l->to - l->from,
		    MSG_NOSIGNAL);
		if (n == -1)
			return -1;
		l->from += (size_t)n;
	}
	l->from = l->to = 0;
	return 0;
}

static int
out_begin(struct layer *l)
{
	if (l->out_ready)
		return 0;
	l->out = (z_stream){ .zalloc = NULL };
	if (deflateInit2(&l->out, l->level, Z_DEFLATED, WINDOW_OUT, MEMORY_OUT,
	    Z_DEFAULT_STRATEGY) != Z_OK) {
		errno = ENOMEM;
		return -1;
	}
	l->out_ready = true;
	return 0;
}

/* As much as buf_out has room for. */
static void
compress_some(struct layer *l, const unsigned char *p, size_t n, bool last)
{
	size_t	left = n - l->taken;

	/* zlib's interface has no const here, but does not write */
	l->out.next_in = (z_const Bytef *)(uintptr_t)(p + l->taken);
	l->out.avail_in = (uInt)left;
	l->out.next_out = l->buf_out;
	l->out.avail_out = sizeof(l->buf_out);
	(void)deflate(&l->out, last ? Z_FINISH : Z_SYNC_FLUSH);
	l->taken = n - l->out.avail_in;
	l->to = sizeof(l->buf_out) - l->out.avail_out;
	l->flushed = l->out.avail_out > 0;
}

/*
 * A piece is compressed, flushed and sent before it counts as sent. Who is told to wait comes again with the same bytes, as
 * conn_flush does.
 */
static ssize_t
layer_send(void *arg, const void *p, size_t n, short *want)
{
	struct layer	*l = arg;
	bool		 last = l->last && n <= OUT_PIECE;

	*want = POLLOUT;
	if (l->over) {
		errno = EPIPE;
		return -1;
	}
	if (n > OUT_PIECE)
		n = OUT_PIECE;
	if (out_begin(l) == -1)
		return -1;
	while (drain(l) == 0) {
		if (l->taken == n && l->flushed) {
			l->taken = 0;
			l->flushed = false;
			l->over = last;
			return (ssize_t)n;
		}
		compress_some(l, p, n, last);
	}
	return -1;
}

static void
layer_free(void *arg)
{
	struct layer	*l = arg;

	(void)inflateEnd(&l->in);
	if (l->out_ready)
		(void)deflateEnd(&l->out);
	free(l);
}

static const struct conn_io layer_io = {
	.recv = layer_recv, .send = layer_send, .free = layer_free
};

int
deflate_layer_begin(struct conn *c, int level)
{
	struct layer	*l = calloc(1, sizeof(*l));

	if (l == NULL || inflateInit2(&l->in, WINDOW_IN) != Z_OK) {
		free(l);
		errno = ENOMEM;
		return -1;
	}
	l->fd = c->fd;
	l->level = level;
	c->io = &layer_io;
	c->io_arg = l;
	return 0;
}

void
deflate_layer_rest(struct conn *c)
{
	struct layer	*l = c->io_arg;

	if (c->io != &layer_io || !l->out_ready || l->taken != 0 ||
	    l->from < l->to)
		return;
	(void)deflateEnd(&l->out);
	l->out_ready = false;
}

void
deflate_layer_last(struct conn *c)
{
	struct layer	*l = c->io_arg;

	l->last = true;
}

/* The next of the peer's bytes, when inflate has used all that there are. */
static int
read_on(struct conn *c, struct layer *l, int64_t due)
{
	ssize_t	n;

	while (l->in.avail_in == 0) {
		n = recv(l->fd, l->buf_in, sizeof(l->buf_in), 0);
		if (n == 0)
			errno = ECONNRESET;
		else if (n > 0) {
			l->in.next_in = l->buf_in;
			l->in.avail_in = (uInt)n;
		}
		if (n == 0 || (n == -1 && errno != EINTR && (errno != EAGAIN ||
		    conn_wait(c, POLLIN, due) == -1)))
			return -1;
	}
	return 0;
}

/* After a block, and at the end of a byte. */
static bool
is_between(const struct layer *l)
{
	return (l->in.data_type & (BETWEEN | BITS)) == BETWEEN;
}

/* Up to the end of a block, in which there is nothing. 1: of the last one; -1: it makes no sense. */
static int
pass_block(struct layer *l)
{
	unsigned char	none[64];
	int		r;

	do {
		l->in.next_out = none;
		l->in.avail_out = sizeof(none);
		r = inflate(&l->in, Z_BLOCK);
		/* with its last block the stream is over: no more bytes are needed to see that */
	} while ((r == Z_OK || r == Z_BUF_ERROR) &&
	    l->in.avail_out == sizeof(none) &&
	    (l->in.data_type & (LAST | BETWEEN)) == (LAST | BETWEEN));
	if ((r != Z_OK && r != Z_BUF_ERROR && r != Z_STREAM_END) ||
	    l->in.avail_out < sizeof(none)) {
		errno = EBADMSG;
		return -1;
	}
	return r == Z_STREAM_END;
}

/*
 * Clients end their stream as zlib does, by a block that is said to be the last, or just go on without compressing
 * after a flush, as Cyrus's do (RFC 8437 leaves it open). Between two blocks the next byte tells: what is left of a stream
 * without anything in it begins with a control character, which no command does.
 */
static int
find_end(struct conn *c, struct layer *l, int64_t due)
{
	int	r = l->ended;

	while (r == 0) {
		if (read_on(c, l, due) == -1)
			return errno == ETIMEDOUT && is_between(l) ? 0 : -1;
		if (is_between(l) && l->in.next_in[0] > ' ')
			return 0;
		if ((r = pass_block(l)) == 0 && now_ms() >= due) {
			/* empty blocks without end */
			errno = EBADMSG;
			return -1;
		}
	}
	return r == -1 ? -1 : 0;
}

int
deflate_layer_end(struct conn *c, int64_t timeout, struct buf *after)
{
	struct layer	*l = c->io_arg;
	int		 r = find_end(c, l, now_ms() + timeout);

	if (r == 0)
		r = buf_add(after, l->in.next_in, l->in.avail_in);
	c->io = NULL;
	c->io_arg = NULL;
	layer_free(l);
	return r;
}
