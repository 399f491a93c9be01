/* pop3d/send.c - a message on its way out. Runs in the session, as the mailbox's user. */
#include "pop3d/send.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/fmt/dot.h"

#define CHUNK	65536

void
top_init(struct top *t, uint64_t lines)
{
	*t = (struct top){ .left = lines };
}

/* A line has ended. */
static void
line_end(struct top *t)
{
	if (t->body)
		t->left--;
	else
		t->body = t->column == 0 || (t->column == 1 && t->only_cr);
	t->done = t->body && t->left == 0;
	t->column = 0;
}

size_t
top_take(struct top *t, struct str s)
{
	const char	*p = s.p, *end = s.p + s.n, *lf;
	size_t		 n;

	while (p < end && !t->done) {
		lf = memchr(p, '\n', (size_t)(end - p));
		n = (size_t)((lf == NULL ? end : lf) - p);
		if (n > 0 && t->column == 0)
			t->only_cr = *p == '\r';
		t->column += n;
		p += n;
		if (lf == NULL)
			break;
		p++;
		line_end(t);
	}
	return (size_t)(p - s.p);
}

static int
send_chunks(struct conn *c, int fd, struct top *top, int64_t timeout,
    char *chunk, uint64_t *bytes)
{
	struct dot_out	d;
	struct str	s = { chunk, 0 };
	size_t		before = c->out.n;	/* replies, and what others sent */
	ssize_t		n = CHUNK;

	dot_out_init(&d);
	/* fewer than asked for: the file is at its end */
	while (n == CHUNK && (top == NULL || !top->done)) {
		if ((n = fdio_read(fd, chunk, CHUNK)) == -1)
			return -1;
		s.n = (size_t)n;
		if (top != NULL)
			s.n = top_take(top, s);
		if (dot_out_add(&d, s, true, &c->out) == -1)
			return -1;
		/* small messages in a row share a packet */
		if (c->out.n < CHUNK / 2)
			continue;
		*bytes += c->out.n - before;
		before = 0;
		if (conn_flush(c, timeout) == -1)
			return -1;
	}
	*bytes += c->out.n - before;
	return dot_out_end(&d, &c->out);
}

int
send_message(struct conn *c, int fd, struct top *top, int64_t timeout,
    uint64_t *bytes)
{
	char	*chunk;
	int	 r;

	if ((chunk = malloc(CHUNK)) == NULL)
		return -1;
	r = send_chunks(c, fd, top, timeout, chunk, bytes);
	free(chunk);
	return r;
}
