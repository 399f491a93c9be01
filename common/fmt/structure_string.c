/* common/fmt/structure_string.c - strings of ENVELOPE and BODYSTRUCTURE; pure. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/fmt/structure_impl.h"

#define REPLACEMENT	"\xef\xbf\xbd"	/* U+FFFD */

enum { PLAIN = 0, ESCAPED = 1, LINE_END = 2, EIGHT_BIT = 4, NUL = 8 };

static unsigned
kind_of(char c)
{
	if (c == '"' || c == '\\')
		return ESCAPED;
	if (c == '\r' || c == '\n')
		return LINE_END;
	if (c == '\0')
		return NUL;
	return (unsigned char)c >= 0x80 ? EIGHT_BIT : PLAIN;
}

/* Of eight bytes at once: is one of them other than PLAIN? May say so of one that is PLAIN. */
static bool
is_suspect(const char *p)
{
	const uint64_t	ones = UINT64_C(0x0101010101010101);
	uint64_t	w, quote, backslash;

	memcpy(&w, p, sizeof(w));
	quote = w ^ ones * '"';
	backslash = w ^ ones * '\\';
	/* high bits: 8-bit itself; below SP; equal to one of the two */
	return ((w | (w - ones * ' ') | (quote - ones) | (backslash - ones)) &
	    ones * 0x80) != 0;
}

static unsigned
kinds_in(struct str s)
{
	unsigned	kinds = 0;
	size_t		i = 0, j;

	for (; s.n - i >= 8; i += 8)
		if (is_suspect(s.p + i))
			for (j = i; j < i + 8; j++)
				kinds |= kind_of(s.p[j]);
	for (; i < s.n; i++)
		kinds |= kind_of(s.p[i]);
	return kinds;
}

static int
put_quoted(struct buf *b, struct str s, unsigned kinds)
{
	char	*to;
	size_t	 i;

	if (buf_reserve(b, s.n * 2 + 2) == -1)
		return -1;
	to = b->p + b->n;
	*to++ = '"';
	if (kinds == PLAIN) {
		if (s.n > 0)
			memcpy(to, s.p, s.n);
		to += s.n;
	} else
		for (i = 0; i < s.n; i++) {
			kinds = kind_of(s.p[i]);
			if (kinds == ESCAPED)
				*to++ = '\\';
			if (kinds != LINE_END)
				*to++ = s.p[i];
		}
	*to++ = '"';
	b->n = (size_t)(to - b->p);
	return 0;
}

static int
put_literal(struct buf *b, struct str s)
{
	size_t	i, n = 0;

	for (i = 0; i < s.n; i++)
		n += s.p[i] == '\0' ? 3 : kind_of(s.p[i]) != LINE_END;
	buf_addf(b, "{%zu}\r\n", n);
	if (buf_reserve(b, n) == -1)
		return -1;
	for (i = 0; i < s.n; i++)
		if (s.p[i] == '\0')
			buf_adds(b, REPLACEMENT);
		else if (kind_of(s.p[i]) != LINE_END)
			b->p[b->n++] = s.p[i];
	return buf_ok(b) ? 0 : -1;
}

int
structure_put_string(struct buf *b, struct str s)
{
	unsigned	kinds = kinds_in(s);

	if ((kinds & (EIGHT_BIT | NUL)) != 0)
		return put_literal(b, s);
	return put_quoted(b, s, kinds);
}

int
structure_put_nstring(struct buf *b, struct str s)
{
	return s.p == NULL ? buf_adds(b, "NIL") : structure_put_string(b, s);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Must it be written anew? */
static bool
is_uneven(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (is_blank(s.p[i]) && (s.p[i] != ' ' || i == 0 ||
		    i + 1 == s.n || is_blank(s.p[i + 1])))
			return true;
	return false;
}

int
structure_put_text(struct buf *b, struct str s)
{
	struct buf	even;
	size_t		i;
	int		r;

	if (!is_uneven(s))
		return structure_put_string(b, s);
	buf_init(&even, s.n + 1);
	for (i = 0; i < s.n; i++)
		if (!is_blank(s.p[i]))
			buf_addc(&even, s.p[i]);
		else if (even.n > 0 && even.p[even.n - 1] != ' ')
			buf_addc(&even, ' ');
	if (even.n > 0 && even.p[even.n - 1] == ' ')
		even.n--;
	r = buf_ok(&even) ? structure_put_string(b, buf_view(&even)) : -1;
	if (r == -1)
		b->bad = true;
	buf_free(&even);
	return r;
}
