/* deliver/input.c - runs as the mailbox's user; the message comes from anywhere. */
#include "deliver/input.h"

#include <errno.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/fmt/header.h"
#include "common/fmt/mboxrd.h"

#define STEP		(CONTENT_HEADER_MAX / 2)
#define SENDER_MAX	1000

static bool
is_one_line(struct str s)
{
	return s.n <= SENDER_MAX && memchr(s.p, '\n', s.n) == NULL &&
	    memchr(s.p, '\0', s.n) == NULL;
}

/*
 * <ann@example.org>, or the same without brackets. A bounce is "<>" or, in mbox
 * files, MAILER-DAEMON; nothing at all says nothing.
 */
static void
take_sender(struct input *in, struct str s)
{
	bool	bounce = false;

	s = str_trim(s);
	if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>') {
		s = (struct str){ s.p + 1, s.n - 2 };
		bounce = s.n == 0;
	} else if (str_eq_nocase(s, STR("MAILER-DAEMON"))) {
		s.n = 0;
		bounce = true;
	}
	if (!bounce && (s.n == 0 || !is_one_line(s)))
		return;
	in->sender = s;
	in->has_sender = true;
}

void
input_look(struct input *in, struct str begin)
{
	const char		*lf;
	struct str		 line = begin, sender;
	struct header_field	 f;
	struct cur		 c;

	if (begin.n > 0 && (lf = memchr(begin.p, '\n', begin.n)) != NULL)
		line.n = (size_t)(lf - begin.p);
	if (line.n < begin.n && mboxrd_separator(line, &sender)) {
		take_sender(in, sender);
		begin.p += line.n + 1;
		begin.n -= line.n + 1;
	}
	in->content.begin = begin;
	c = cur_from(begin);
	if (header_next(&c, &f)) {
		if (!in->has_sender &&
		    str_eq_nocase(f.name, STR("Return-Path")))
			take_sender(in, f.body);
	} else
		in->content.bare = begin.n > 0 && c.p == begin.p;
}

/* One more step; -1: errno. */
static int
more(struct input *in)
{
	struct buf	*b = &in->buf;
	ssize_t		 n;

	if (buf_reserve(b, STEP) == -1 ||
	    (n = fdio_read(in->content.fd, b->p + b->n, STEP)) == -1)
		return -1;
	b->n += (size_t)n;
	in->content.ended = (size_t)n < STEP;
	return 0;
}

int
input_begin(struct input *in, int fd, off_t max)
{
	struct buf	*b = &in->buf;
	int		 e;

	*in = (struct input){ .content = { .fd = fd, .len = CONTENT_STREAM,
	    .max = max } };
	buf_init(b, CONTENT_HEADER_MAX);
	do {
		if (more(in) == -1) {
			e = errno;
			buf_free(b);
			errno = e;
			return -1;
		}
	} while (!in->content.ended && b->n < CONTENT_HEADER_MAX &&
	    header_length(buf_view(b)) == b->n);
	input_look(in, buf_view(b));
	return 0;
}

void
input_free(struct input *in)
{
	buf_free(&in->buf);
}
