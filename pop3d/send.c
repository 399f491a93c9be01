/* pop3d/send.c - a message on its way out. Runs in the session, as the mailbox's user. */
#include "pop3d/send.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/fmt/dot.h"
#include "common/fmt/header.h"
#include "common/fmt/surrogate.h"

#define CHUNK	SEND_HEADER
#define SURROGATE_MAX	(100 * CHUNK)	/* of addresses of one byte */

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

/* The header in front of the message's first piece; what is left of it is the body's. */
static int
send_surrogate(struct conn *c, struct dot_out *d, struct str *s,
    struct top *top)
{
	struct str	header = { s->p, header_length(*s) };
	struct buf	out;
	int		r = 0;

	if ((header.n == s->n && s->n == CHUNK) || !surrogate_wanted(header))
		return 0;
	buf_init(&out, SURROGATE_MAX);
	if (surrogate_header(header, &out) == -1 ||
	    dot_out_add(d, buf_view(&out), true, &c->out) == -1)
		r = -1;
	buf_free(&out);
	s->p += header.n;
	s->n -= header.n;
	if (top != NULL) {
		top->body = true;
		top->done = top->left == 0;
	}
	return r;
}

static int
send_chunks(struct conn *c, int fd, struct top *top, bool utf8,
    int64_t timeout, char *chunk, uint64_t *bytes)
{
	struct dot_out	d;
	struct str	s;
	size_t		before = c->out.n;	/* replies, and what others sent */
	ssize_t		n = CHUNK;

	dot_out_init(&d);
	/* fewer than asked for: the file is at its end */
	while (n == CHUNK && (top == NULL || !top->done)) {
		if ((n = fdio_read(fd, chunk, CHUNK)) == -1)
			return -1;
		s = (struct str){ chunk, (size_t)n };
		if (!utf8 && send_surrogate(c, &d, &s, top) == -1)
			return -1;
		utf8 = true;	/* what follows is no header */
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
send_message(struct conn *c, int fd, struct top *top, bool utf8,
    int64_t timeout, uint64_t *bytes)
{
	char	*chunk;
	int	 r;

	if ((chunk = malloc(CHUNK)) == NULL)
		return -1;
	r = send_chunks(c, fd, top, utf8, timeout, chunk, bytes);
	free(chunk);
	return r;
}
