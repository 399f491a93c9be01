/* deliver/content.c - runs as the mailbox's user; the message comes from anywhere. */
#include "deliver/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/fmt/header.h"
#include "common/store/durable.h"

#define COPY_SIZE	65536u

void
header_facts(struct str head, struct str addr, struct header_facts *out)
{
	struct cur		c = cur_from(head);
	struct header_field	f;

	*out = (struct header_facts){ false, 0 };
	while (header_next(&c, &f)) {
		if (str_eq_nocase(f.name, STR("Received")))
			out->hops++;
		else if (str_eq_nocase(f.name, STR("Delivered-To")) &&
		    str_eq_nocase(header_trim(f.body), addr))
			out->loop = true;
	}
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

/* mem has room for COPY_SIZE + 2. */
static int
copy(const struct content *m, int fd, char *mem, off_t *wire)
{
	off_t	at = m->at, left = m->len, done = 0;
	bool	cr = false;
	char	last = '\n';
	size_t	keep, n, lines;
	ssize_t	got;

	while (left > 0) {
		keep = cr;
		mem[0] = '\r';
		got = fdio_pread(m->fd, mem + keep, left < (off_t)COPY_SIZE ?
		    (size_t)left : COPY_SIZE, at);
		if (got <= 0) {
			if (got == 0)
				errno = EIO;
			return -1;
		}
		at += got;
		left -= got;
		n = content_to_lf(mem, (size_t)got + keep, &cr, &lines);
		if (left == 0 && cr)
			mem[n++] = '\r';
		if (n > 0)
			last = mem[n - 1];
		if (left == 0 && last != '\n') {
			mem[n++] = '\n';
			lines++;
		}
		if (fdio_write(fd, mem, n) == -1)
			return -1;
		durable_early(fd, done, (off_t)n);
		done += (off_t)n;
		*wire += (off_t)(n + lines);
	}
	return 0;
}

int
content_copy(const struct content *m, int fd, off_t *wire)
{
	char	*mem;
	int	 r, saved;

	if ((mem = malloc(COPY_SIZE + 2)) == NULL)
		return -1;
	*wire = 0;
	r = copy(m, fd, mem, wire);
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
