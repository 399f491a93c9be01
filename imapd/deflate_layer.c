/* imapd/deflate_layer.c - deflate and inflate, as struct conn_io. The peer is not trusted. */
#include "imapd/deflate_layer.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <zlib.h>

#define WINDOW_OUT	(-13)	/* bits; raw deflate */
#define MEMORY_OUT	6
#define WINDOW_IN	(-15)
#define IN_SIZE		8192
#define OUT_SIZE	16384
#define OUT_PIECE	16384	/* of what is to be sent: counts as sent at once */
#define ROUNDS		16	/* of IN_SIZE that give nothing, then the caller looks at the clock */

struct layer {
	int		 fd;		/* not owned */
	int		 level;
	z_stream	 in, out;
	bool		 out_ready;	/* of out: it has its memory */
	bool		 in_more;	/* inflate may have output left */
	bool		 ended;		/* the peer has ended its stream */
	bool		 broken;	/* what comes next cannot be inflated */
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
compress_some(struct layer *l, const unsigned char *p, size_t n)
{
	size_t	left = n - l->taken;

	/* zlib's interface has no const here, but does not write */
	l->out.next_in = (z_const Bytef *)(uintptr_t)(p + l->taken);
	l->out.avail_in = (uInt)left;
	l->out.next_out = l->buf_out;
	l->out.avail_out = sizeof(l->buf_out);
	(void)deflate(&l->out, Z_SYNC_FLUSH);
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

	*want = POLLOUT;
	if (n > OUT_PIECE)
		n = OUT_PIECE;
	if (out_begin(l) == -1)
		return -1;
	while (drain(l) == 0) {
		if (l->taken == n && l->flushed) {
			l->taken = 0;
			l->flushed = false;
			return (ssize_t)n;
		}
		compress_some(l, p, n);
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
