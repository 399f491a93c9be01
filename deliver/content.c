/* deliver/content.c - runs as the mailbox's user; the message comes from anywhere. */
#include "deliver/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fault.h"
#include "common/base/fdio.h"
#include "common/fmt/header.h"
#include "common/store/durable.h"

#define COPY_SIZE	65536u
#define MEM_SIZE	(CONTENT_HEAD_MAX + COPY_SIZE + 2)

void
header_facts(struct str head, struct str addr, struct header_facts *out)
{
	struct cur		c = cur_from(head);
	struct header_field	f;
	size_t			received = 0;
	bool			below = false;

	*out = (struct header_facts){ false, false, 0 };
	while (header_next(&c, &f)) {
		if (str_eq_nocase(f.name, STR("Received"))) {
			received++;
			out->hops++;
		} else if (str_eq_nocase(f.name, STR("Delivered-To")) &&
		    str_eq_nocase(header_trim(f.body), addr)) {
			out->loop = true;
			out->hops++;
			below = below || received > 0;
		}
	}
	out->handed = out->loop && !below && received > 0;
}

int
content_facts(const struct content *m, struct str addr,
    struct header_facts *out)
{
	size_t	n = m->len < (off_t)CONTENT_HEADER_MAX ? (size_t)m->len :
		    CONTENT_HEADER_MAX;
	char	small[8192], *mem = small;
	ssize_t	got;
	size_t	head;

	if (m->len == CONTENT_STREAM) {
		header_facts(m->begin, addr, out);
		return 0;
	}
	/* Most headers are short: one small read. */
	got = fdio_pread(m->fd, mem, n < sizeof(small) ? n : sizeof(small),
	    m->at);
	if (got == -1)
		return -1;
	head = header_length((struct str){ mem, (size_t)got });
	if (head == (size_t)got && n > sizeof(small)) {
		if ((mem = malloc(n)) == NULL)
			return -1;
		if ((got = fdio_pread(m->fd, mem, n, m->at)) == -1) {
			free(mem);
			return -1;
		}
	}
	header_facts((struct str){ mem, (size_t)got }, addr, out);
	if (mem != small)
		free(mem);
	return 0;
}

size_t
content_to_lf(char *p, size_t n, bool *cr, size_t *lines)
{
	char	*from = p, *end = p + n, *to = p, *q;
	size_t	 run;

	*lines = 0;
	while ((q = memchr(from, '\n', (size_t)(end - from))) != NULL) {
		run = (size_t)(q - from);
		if (run > 0 && q[-1] == '\r')
			run--;
		if (to != from)
			memmove(to, from, run);
		to += run;
		*to++ = '\n';
		(*lines)++;
		from = q + 1;
	}
	run = (size_t)(end - from);
	*cr = run > 0 && end[-1] == '\r';
	run -= *cr;
	if (to != from)
		memmove(to, from, run);
	return (size_t)(to + run - p);
}

/* Where the next bytes come from. */
struct source {
	const struct content	*m;
	off_t			 at, left;	/* of a file */
	struct str		 begin;		/* of a stream */
	bool			 ended;
	off_t			 taken;
};

static ssize_t
take_stream(struct source *s, char *p, size_t room)
{
	ssize_t	n;

	if (s->begin.n > 0) {
		n = (ssize_t)(s->begin.n < room ? s->begin.n : room);
		memcpy(p, s->begin.p, (size_t)n);
		s->begin.p += n;
		s->begin.n -= (size_t)n;
	} else if (s->ended)
		return 0;
	else {
		if ((n = fdio_read(s->m->fd, p, room)) == -1) {
			/* What cannot be read says nothing of the message. */
			if (!errno_is_temp(errno))
				errno = EIO;
			return -1;
		}
		s->ended = (size_t)n < room;
	}
	if ((s->taken += n) > s->m->max) {
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}

/* 0 at the end. */
static ssize_t
take(struct source *s, char *p, size_t room)
{
	ssize_t	n;

	if (s->m->len == CONTENT_STREAM)
		return take_stream(s, p, room);
	if (s->left == 0)
		return 0;
	n = fdio_pread(s->m->fd, p, s->left < (off_t)room ?
	    (size_t)s->left : room, s->at);
	if (n == 0) {
		errno = EIO;	/* shorter than it was */
		return -1;
	}
	s->at += n;
	s->left -= n;
	return n;
}

static int
put(int fd, const char *mem, size_t n, off_t *done)
{
	if (fdio_write(fd, mem, n) == -1)
		return -1;
	durable_early(fd, *done, (off_t)n);
	*done += (off_t)n;
	return 0;
}

/* mem has room for MEM_SIZE. */
static int
copy(const struct content *m, struct str head, int fd, char *mem, off_t *wire)
{
	struct source	s = { m, m->at, m->len, m->begin, m->ended, 0 };
	off_t		done = 0;
	bool		cr = false;
	char		last = '\n';
	size_t		keep, n, lines, front = head.n;
	ssize_t		got;

	memcpy(mem, head.p, front);
	for (;;) {
		keep = cr;
		mem[front] = '\r';
		if ((got = take(&s, mem + front + keep, COPY_SIZE)) == -1)
			return -1;
		if (got == 0)
			break;
		n = content_to_lf(mem + front, (size_t)got + keep, &cr,
		    &lines);
		*wire += (off_t)(n + lines);
		n += front;
		if (n > front)
			last = mem[n - 1];
		if (put(fd, mem, n, &done) == -1)
			return -1;
		front = 0;
	}
	n = front;	/* of an empty message */
	if (cr)
		mem[n++] = '\r';
	if (cr || last != '\n') {
		mem[n++] = '\n';
		*wire += cr ? 3 : 2;
	}
	return n == 0 ? 0 : put(fd, mem, n, &done);
}

int
content_copy(const struct content *m, struct str head, int fd, off_t *wire)
{
	char	*mem;
	int	 r, saved;

	if (head.n > CONTENT_HEAD_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if ((mem = malloc(MEM_SIZE)) == NULL)
		return -1;
	*wire = 0;
	r = copy(m, head, fd, mem, wire);
	saved = errno;
	free(mem);
	errno = saved;
	return r;
}

void
head_make(struct buf *out, struct str sender, struct str rcpt, struct str addr)
{
	buf_addf(out, "Return-Path: <%.*s>\n", STR_ARG(sender));
	if (rcpt.n > 0 && !str_eq_nocase(rcpt, addr))
		buf_addf(out, "X-Original-To: %.*s\n", STR_ARG(rcpt));
	buf_addf(out, "Delivered-To: %.*s\n", STR_ARG(addr));
}

size_t
head_lines(const struct buf *b)
{
	size_t	i, n = 0;

	for (i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n;
}
