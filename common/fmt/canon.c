/*
 * common/fmt/canon.c - body canonicalization (RFC 6376 3.4.3, 3.4.4); pure.
 * Both forms hold back CRLFs, since those at the end do not count; relaxed
 * also holds back blanks, since those at a line's end do not count and the
 * others become one SP. As long as neither form has dropped or changed a
 * byte, one stream serves both.
 */
#include "common/fmt/canon.h"

#include <string.h>

#define AHEAD	64u

void
canon_init(struct canon *c, const struct canon_ops *ops, void *arg)
{
	*c = (struct canon){ .ops = ops, .arg = arg };
}

static void
emit(struct canon *c, enum canon_which which, const char *p, size_t n)
{
	if (n > 0)
		c->ops->sink(c->arg, which, p, n);
}

static void
diverge(struct canon *c)
{
	if (c->forked)
		return;
	c->forked = true;
	c->ops->fork(c->arg);
}

/* The line ends that were held back now turn out to be inside the body. */
static void
flush_lines(struct canon *c, struct canon_side *s, enum canon_which which)
{
	for (; s->empty_lines > 0; s->empty_lines--)
		emit(c, which, "\r\n", 2);
}

static void
put_simple(struct canon *c, const char *p, size_t n)
{
	flush_lines(c, &c->simple, CANON_SIMPLE);
	emit(c, CANON_SIMPLE, p, n);
	c->simple.any = c->simple.body = true;
}

static void
put_relaxed(struct canon *c, const char *p, size_t n)
{
	flush_lines(c, &c->relaxed, CANON_RELAXED);
	if (c->relaxed.wsp)
		emit(c, CANON_RELAXED, " ", 1);
	c->relaxed.wsp = false;
	emit(c, CANON_RELAXED, p, n);
	c->relaxed.any = c->relaxed.body = true;
}

/* While both forms agree the state of `simple` is that of both. */
static void
put_both(struct canon *c, const char *p, size_t n)
{
	flush_lines(c, &c->simple, CANON_BOTH);
	emit(c, CANON_BOTH, p, n);
	c->simple.any = c->simple.body = true;
}

static void
put_text(struct canon *c, const char *p, size_t n)
{
	if (n == 0)
		return;
	if (!c->forked && c->relaxed.wsp) {
		/* a single SP inside a line is the same in both */
		put_both(c, " ", 1);
		c->relaxed.wsp = false;
	}
	if (!c->forked) {
		put_both(c, p, n);
		return;
	}
	put_simple(c, p, n);
	put_relaxed(c, p, n);
}

/* From here on each form has its own stream; a SP may be held back. */
static void
split(struct canon *c)
{
	bool	sp = c->relaxed.wsp;

	c->relaxed = c->simple;
	c->relaxed.wsp = sp;
	diverge(c);
	if (sp)
		put_simple(c, " ", 1);
}

static void
put_wsp(struct canon *c, char b)
{
	if (!c->forked) {
		if (b == ' ' && !c->relaxed.wsp) {
			c->relaxed.wsp = true;
			return;
		}
		split(c);
	}
	put_simple(c, &b, 1);
	c->relaxed.wsp = true;
}

static void
put_eol(struct canon *c)
{
	if (!c->forked && c->relaxed.wsp)
		split(c);		/* blank at the end of a line */
	c->simple.empty_lines++;
	c->simple.any = false;
	if (!c->forked)
		return;
	c->relaxed.wsp = false;
	c->relaxed.empty_lines++;
	c->relaxed.any = false;
}

/* Bytes up to the next one that needs care. */
static size_t
text_run(const char *p, size_t n)
{
	size_t	i = 0;

	while (i < n && p[i] != '\r' && p[i] != ' ' && p[i] != '\t')
		i++;
	return i;
}

/* So many bytes above ' ' are at the beginning, looked at by eights. */
static size_t
dense_run(const char *p, size_t n)
{
	const uint64_t	each = UINT64_C(0x0101010101010101);
	uint64_t	x;
	size_t		i = 0;

	while (n - i >= sizeof(x)) {
		memcpy(&x, p + i, sizeof(x));
		if (((x - each * (' ' + 1)) & ~x & each * 0x80) != 0)
			break;
		i += sizeof(x);
	}
	while (i < n && (unsigned char)p[i] > ' ')
		i++;
	return i;
}

/*
 * Most mail looks the same in both forms: words with one SP between them and
 * no blank at the end of a line. The length of the longest piece from p on of
 * which that can be said whatever follows; it ends with a byte of a word.
 */
static size_t
plain_run(const char *p, size_t n)
{
	size_t	i, plain = 0;

	/* Not too far ahead of what is known: many empty lines would be looked at again and again. */
	for (i = 0; i < n && i < plain + AHEAD; i++)
		switch (p[i]) {
		case ' ':
			if (i + 1 == n || p[i + 1] == ' ' ||
			    p[i + 1] == '\t' || p[i + 1] == '\r')
				return plain;
			break;
		case '\r':
			if (i + 1 == n || p[i + 1] != '\n')
				return plain;
			i++;
			break;
		case '\t':
			return plain;
		default:
			i += dense_run(p + i + 1, n - i - 1);
			plain = i + 1;
			break;
		}
	return plain;
}

void
canon_add(struct canon *c, const char *p, size_t n)
{
	const char	*end = p + n;
	size_t		 run;

	while (p < end) {
		if (c->cr) {
			c->cr = false;
			if (*p == '\n') {
				put_eol(c);
				p++;
				continue;
			}
			put_text(c, "\r", 1);
		}
		if (!c->forked && !c->relaxed.wsp && *p != '\r' &&
		    (run = plain_run(p, (size_t)(end - p))) > 0) {
			put_both(c, p, run);
			p += run;
			if (p == end)
				break;
		}
		run = text_run(p, (size_t)(end - p));
		put_text(c, p, run);
		p += run;
		if (p == end)
			break;
		if (*p == '\r')
			c->cr = true;
		else
			put_wsp(c, *p);
		p++;
	}
}

void
canon_end(struct canon *c)
{
	if (c->cr) {
		c->cr = false;
		put_text(c, "\r", 1);
	}
	if (!c->forked && c->relaxed.wsp)
		split(c);
	if (!c->forked && c->simple.body) {
		emit(c, CANON_BOTH, "\r\n", 2);
		return;
	}
	/* 3.4.3: an empty body is CRLF; 3.4.4: it is nothing */
	if (!c->forked) {
		c->relaxed = c->simple;
		diverge(c);
	}
	emit(c, CANON_SIMPLE, "\r\n", 2);
	if (c->relaxed.body)
		emit(c, CANON_RELAXED, "\r\n", 2);
}
