/* pop3d/transfer.c - a file with LF line ends to a client that expects CRLF. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/fmt/dot.h"
#include "pop3d/session.h"

#define READ_SIZE	32768u
#define OUT_MAX		(READ_SIZE * 3 + 16)	/* every byte a line with a dot */

struct top {
	bool	whole, body, bol, over;
	size_t	lines;		/* of the body, still wanted */
};

/* How much of it is wanted (RFC 1939 7, TOP). */
static size_t
limit(struct top *t, const char *p, size_t n)
{
	size_t	i;

	if (t->whole)
		return n;
	for (i = 0; i < n && !t->over; i++) {
		if (t->body && t->bol && t->lines == 0) {
			t->over = true;
			return i;
		}
		if (p[i] == '\n') {
			if (t->body)
				t->lines--;
			else if (t->bol)
				t->body = true;
			t->bol = true;
		} else if (p[i] != '\r')
			t->bol = false;
	}
	return i;
}

static int
send_piece(struct session *s, struct dot_out *dot, struct str piece,
    struct buf *out)
{
	buf_reset(out);
	if (dot_out_add(dot, piece, true, out) == -1)
		return -1;
	s->bytes += out->n;
	return conn_put(&s->conn, buf_view(out));
}

static int
send_all(struct session *s, int fd, struct top *top, char *mem, struct buf *out)
{
	struct dot_out	dot;
	ssize_t		got;
	size_t		n;

	dot_out_init(&dot);
	while (!top->over && (got = fdio_read(fd, mem, READ_SIZE)) != 0) {
		if (got == -1)
			return -1;
		n = limit(top, mem, (size_t)got);
		if (send_piece(s, &dot, (struct str){ mem, n }, out) == -1)
			return -1;
	}
	buf_reset(out);
	if (dot_out_end(&dot, out) == -1)
		return -1;
	return conn_put(&s->conn, buf_view(out));
}

int
transfer(struct session *s, size_t n, bool whole, size_t lines)
{
	struct top	top = { whole, false, true, false, lines };
	struct buf	out;
	char		*mem;
	int		 fd, r = -1, saved;

	if ((fd = box_message(s->box, n)) == -1)
		return -1;
	buf_init(&out, OUT_MAX);
	if ((mem = malloc(READ_SIZE)) != NULL) {
		if (conn_putf(&s->conn, "+OK message follows\r\n") == 0)
			r = send_all(s, fd, &top, mem, &out);
		/* Half a message cannot be taken back: the connection goes. */
		if (r == -1)
			s->end = true;
	}
	saved = errno;
	free(mem);
	buf_free(&out);
	fdio_close(&fd);
	errno = saved;
	return r;
}
