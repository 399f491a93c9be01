/*
 * imapd/compress.c - COMPRESS=DEFLATE (RFC 4978): zlib between the connection's buffers and its descriptor. No more is
 * inflated than the reader has room for, so that its limits hold whatever the client sends.
 *
 * Memory: 64 KiB to compress (a window of 8 KiB, which is what answers to a client have in common), nothing of it while
 * the session waits, for deflate's blocks after a flush need nothing of those before; to inflate, what the client's window asks for, at most 40 KiB.
 */
#include "imapd/compress.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <zlib.h>

#include "imapd/commands.h"

#define LEVEL		1
#define LEVEL_HERE	0	/* on one machine bytes cost less than making them fewer */
#define WINDOW_OUT	(-13)	/* bits; raw deflate */
#define MEMORY_OUT	6
#define WINDOW_IN	(-15)
#define IN_SIZE		8192
#define OUT_SIZE	16384

struct layer {
	int		 fd;		/* not owned */
	int		 level;
	z_stream	 in, out;
	bool		 out_ready;	/* of out: it has its memory */
	bool		 in_more;	/* inflate may have output left */
	bool		 ended;		/* the client has ended its stream */
	size_t		 taken;		/* of what is to be sent: compressed */
	bool		 flushed;	/* and all of that is in buf_out */
	size_t		 from, to;	/* of buf_out: to be sent */
	unsigned char	 buf_in[IN_SIZE], buf_out[OUT_SIZE];
};

static ssize_t
layer_recv(void *arg, void *p, size_t n, short *want)
{
	struct layer	*l = arg;
	ssize_t		 got;
	int		 r;

	*want = POLLIN;
	while (!l->ended) {
		l->in.next_out = p;
		l->in.avail_out = (uInt)n;
		if (l->in.avail_in > 0 || l->in_more) {
			r = inflate(&l->in, Z_SYNC_FLUSH);
			l->in_more = l->in.avail_out == 0;
			l->ended = r == Z_STREAM_END;
			if (l->in.avail_out < n)
				return (ssize_t)(n - l->in.avail_out);
			if (r != Z_OK && r != Z_BUF_ERROR &&
			    r != Z_STREAM_END) {
				errno = EBADMSG;
				return -1;
			}
			continue;
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
 * All of it is compressed, flushed and sent before it counts as sent. Who is told to wait comes again with the same bytes, as
 * conn_flush does.
 */
static ssize_t
layer_send(void *arg, const void *p, size_t n, short *want)
{
	struct layer	*l = arg;

	*want = POLLOUT;
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

void
compress_begin(struct session *s)
{
	struct layer	*l;

	if (conn_flush(&s->conn, s->set->imap.in.idle_timeout) == -1 ||
	    (l = calloc(1, sizeof(*l))) == NULL) {
		s->end = "compression cannot be begun";
		return;
	}
	l->fd = s->conn.fd;
	l->level = s->same_host ? LEVEL_HERE : LEVEL;
	if (inflateInit2(&l->in, WINDOW_IN) != Z_OK) {
		free(l);
		s->end = "compression cannot be begun";
		return;
	}
	s->conn.io = &layer_io;
	s->conn.io_arg = l;
}

void
compress_rest(struct session *s)
{
	struct layer	*l = s->conn.io_arg;

	if (s->conn.io != &layer_io || !l->out_ready || l->taken != 0 ||
	    l->from < l->to)
		return;
	(void)deflateEnd(&l->out);
	l->out_ready = false;
}

enum state
cmd_compress(struct session *s, struct command *c)
{
	struct str	name;

	if (!imap_atom(&c->args, &name) || !command_end(c) ||
	    !str_eq_nocase(name, STR("DEFLATE")))
		command_bad(c, "DEFLATE was expected");
	else if (s->compressed)
		command_bad(c, "compression is active already");
	else if (s->conn.io != NULL)
		command_no(c, NULL, "not here");
	else if (conn_pending(&s->conn).n > 0)
		/* would it be compressed or not? */
		command_bad(c, "the reply to COMPRESS has to be waited for");
	else {
		s->compressed = true;	/* once the reply is said */
		command_ok(c, NULL, "compressing");
	}
	return s->state;
}
