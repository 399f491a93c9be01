/*
 * common/fmt/structure_reduce.c - reads what structure.c has written (or what is left of it on a disk, or was put in its
 * place there): items of a list, and BODY from BODYSTRUCTURE; pure.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/fmt/cur.h"
#include "common/fmt/structure.h"

#define DEPTH_MAX	(PARTS_DEPTH_MAX * 2u + 8u)

static bool
quoted(struct cur *in, struct str *inner)
{
	struct cur	c = *in;

	if (!cur_byte(&c, '"'))
		return false;
	inner->p = c.p;
	for (; !cur_done(&c) && *c.p != '"'; c.p++)
		if (*c.p == '\\' && cur_left(&c) > 1)
			c.p++;
	inner->n = (size_t)(c.p - inner->p);
	if (!cur_byte(&c, '"'))
		return false;
	*in = c;
	return true;
}

static bool
literal(struct cur *in, struct str *inner)
{
	struct cur		c = *in;
	unsigned long long	n;

	if (!cur_byte(&c, '{') || !cur_number(&c, SIZE_MAX / 2, &n) ||
	    !cur_byte(&c, '}') || !cur_byte(&c, '\r') ||
	    !cur_byte(&c, '\n') || n > cur_left(&c))
		return false;
	*inner = (struct str){ c.p, (size_t)n };
	c.p += n;
	*in = c;
	return true;
}

static bool
is_atom(unsigned char b)
{
	return b > ' ' && b < 0x7f && strchr("()\"{\\", b) == NULL;
}

static bool
atom(struct cur *c, struct str *out)
{
	return cur_span(c, is_atom, cur_left(c), out);
}

/* One item as it stands, whatever is in it. */
static bool
raw_item(struct cur *in, struct str *raw)
{
	struct cur	c = *in;
	struct str	s;
	size_t		depth = 0;

	do {
		if (cur_byte(&c, '('))
			depth++;
		else if (depth > 0 && cur_byte(&c, ')'))
			depth--;
		else if (depth == 0 || !cur_byte(&c, ' ')) {
			if (!quoted(&c, &s) && !literal(&c, &s) &&
			    !atom(&c, &s))
				return false;
		}
	} while (depth > 0);
	*raw = (struct str){ in->p, (size_t)(c.p - in->p) };
	*in = c;
	return true;
}

/* A literal as may be sent; *at is the "{", then its last byte. */
static bool
pass_literal(struct str text, size_t *at)
{
	struct cur	c = cur_from((struct str){ text.p + *at, text.n - *at });
	struct str	s;

	if (!literal(&c, &s) || (s.n > 0 && memchr(s.p, '\0', s.n) != NULL))
		return false;
	*at = (size_t)(c.p - text.p) - 1;
	return true;
}

/* A string in quotes as may be sent; *at is the first of them, then the last. */
static bool
pass_quoted(struct str text, size_t *at)
{
	static const bool	stops[UCHAR_MAX + 1] = { ['\0'] = true,
	    ['\r'] = true, ['\n'] = true, ['"'] = true, ['\\'] = true };
	size_t			i;

	for (i = *at + 1; i < text.n; i++) {
		if (!stops[(unsigned char)text.p[i]])
			continue;
		if (text.p[i] == '"') {
			*at = i;
			return true;
		}
		if (text.p[i] != '\\' || ++i == text.n ||
		    (text.p[i] != '"' && text.p[i] != '\\'))
			return false;
	}
	return false;
}

/* Byte by byte, without what is above: it is done for each of a hundred thousand messages. */
bool
structure_may_be_sent(struct str text)
{
	size_t	i, depth = 0;

	if (text.n == 0 || text.p[0] != '(')
		return false;
	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '"') {
			if (!pass_quoted(text, &i))
				return false;
		} else if (text.p[i] == '(')
			depth++;
		else if (text.p[i] == ')') {
			if (--depth == 0)
				return i + 1 == text.n;
		} else if (text.p[i] == '{') {
			if (!pass_literal(text, &i))
				return false;
		} else if (text.p[i] != ' ' &&
		    !is_atom((unsigned char)text.p[i]))
			return false;
	}
	return false;
}

static bool
unescape(struct arena *a, struct str inner, struct str *out)
{
	char	*to;
	size_t	 i, n = 0;

	*out = inner;
	if (inner.n == 0 || memchr(inner.p, '\\', inner.n) == NULL)
		return true;
	if ((to = arena_get(a, inner.n)) == NULL)
		return false;
	for (i = 0; i < inner.n; i++) {
		if (inner.p[i] == '\\' && i + 1 < inner.n)
			i++;
		to[n++] = inner.p[i];
	}
	*out = (struct str){ to, n };
	return true;
}

bool
structure_item(struct cur *in, struct arena *a, struct str *out, bool *is_list)
{
	struct cur	c = *in;
	struct str	s;

	while (cur_byte(&c, ' '))
		;
	*is_list = cur_peek(&c) == '(';
	if (*is_list ? !raw_item(&c, &s) : !quoted(&c, &s)) {
		if (*is_list || (!literal(&c, &s) && !atom(&c, &s)))
			return false;
		if (str_eq_nocase(s, STR("NIL")))
			s = (struct str){ NULL, 0 };
	} else if (!*is_list && !unescape(a, s, &s))
		return false;
	*out = s;
	*in = c;
	return true;
}

static bool	reduce(struct buf *, struct cur *, size_t depth);

/* One item, and the blank in front of it but for the first. */
static bool
copy_item(struct buf *b, struct cur *c, bool first, struct str *out)
{
	if (!first && !cur_byte(c, ' '))
		return false;
	if (!first)
		buf_addc(b, ' ');
	if (!raw_item(c, out))
		return false;
	buf_addstr(b, *out);
	return true;
}

static bool
skip_rest(struct cur *c)
{
	struct str	s;

	while (!cur_byte(c, ')'))
		if (!cur_byte(c, ' ') || !raw_item(c, &s))
			return false;
	return true;
}

static bool
reduce_multipart(struct buf *b, struct cur *c, size_t depth)
{
	struct str	s;

	while (cur_peek(c) == '(')
		if (!reduce(b, c, depth + 1))
			return false;
	return copy_item(b, c, false, &s);
}

static bool
is_quoted(struct str raw, struct str what)
{
	return raw.n == what.n + 2 && str_eq_nocase((struct str){ raw.p + 1,
	    raw.n - 2 }, what);
}

static bool
reduce_single(struct buf *b, struct cur *c, size_t depth)
{
	struct str	type, subtype, s;
	int		i;

	if (!copy_item(b, c, true, &type) || !copy_item(b, c, false, &subtype))
		return false;
	for (i = 0; i < 5; i++)	/* parameters, id, description, encoding, octets */
		if (!copy_item(b, c, false, &s))
			return false;
	if (is_quoted(type, STR("text")))
		return copy_item(b, c, false, &s);
	if (!is_quoted(type, STR("message")) ||
	    (!is_quoted(subtype, STR("rfc822")) &&
	    !is_quoted(subtype, STR("global"))))
		return true;
	if (!copy_item(b, c, false, &s) || !cur_byte(c, ' '))
		return false;
	buf_addc(b, ' ');
	return reduce(b, c, depth + 1) && copy_item(b, c, false, &s);
}

static bool
reduce(struct buf *b, struct cur *c, size_t depth)
{
	bool	ok;

	if (depth > DEPTH_MAX || !cur_byte(c, '('))
		return false;
	buf_addc(b, '(');
	ok = cur_peek(c) == '(' ? reduce_multipart(b, c, depth) :
	    reduce_single(b, c, depth);
	if (!ok || !skip_rest(c))
		return false;
	buf_addc(b, ')');
	return true;
}

int
structure_reduce(struct buf *b, struct str bodystructure)
{
	struct cur	c = cur_from(bodystructure);

	if (!reduce(b, &c, 0) || !cur_done(&c)) {
		errno = EINVAL;
		return -1;
	}
	return buf_ok(b) ? 0 : -1;
}
