/*
 * common/fmt/casemap.c - i;unicode-casemap (RFC 5051): each character in its title case, then decomposed as far as it
 * can be. Most text is ASCII, of which eight bytes are done at a time. Pure.
 */
#include "common/fmt/casemap.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "common/fmt/casemap_impl.h"
#include "common/fmt/utf8.h"

#define POINTS_MAX	24	/* of one character: U+FDFA has 18 */
#define HIGH		0x8080808080808080u
#define ONES		0x0101010101010101u

static uint64_t
load(const char *p)
{
	uint64_t	v;

	memcpy(&v, p, sizeof(v));
	return v;
}

char
casemap_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 0x20) : c;
}

/* Bytes below 0x80: the eighth bit of each says whether it is in a..z. */
static void
upper(char *to, const char *from, size_t n)
{
	uint64_t	v, lower;
	size_t		i = 0;

	for (; n - i >= 8; i += 8) {
		v = load(from + i);
		lower = (v + (0x80 - 'a') * ONES) & ~(v + (0x7f - 'z') * ONES) &
		    HIGH;
		v -= lower >> 2;
		memcpy(to + i, &v, sizeof(v));
	}
	for (; i < n; i++)
		to[i] = casemap_upper(from[i]);
}

/* Characters that are always as they are: the ideographs, and what is written with them. */
static bool
is_plain(uint32_t c)
{
	return (c >= 0x3400 && c <= 0x9fff) || (c >= 0x20000 && c <= 0x2f7ff);
}

/* UnicodeData.txt has no title case of U+00DF; utf8proc has one. */
static int32_t
title(uint32_t c)
{
	return c == 0xdf ? 0xdf : utf8proc_totitle((int32_t)c);
}

/* The Cyrillic letters of most languages, but for two that have a breve: as quick as they are frequent. */
static bool
is_cyrillic(uint32_t c)
{
	return c >= 0x410 && c <= 0x44f && (c & 0x1f) != 0x19;
}

static int
put_point(struct buf *out, uint32_t c)
{
	int32_t			points[POINTS_MAX];
	unsigned char		bytes[4 * POINTS_MAX];
	utf8proc_ssize_t	i, n, used = 0;
	int			class = 0;

	n = utf8proc_decompose_char(title(c), points, POINTS_MAX,
	    UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &class);
	if (n <= 0 || n > POINTS_MAX)
		return utf8_put(out, c) && buf_ok(out) ? 0 : -1;
	for (i = 0; i < n; i++)
		used += utf8proc_encode_char(points[i], bytes + used);
	return buf_add(out, bytes, (size_t)used);
}

/* One character that is not ASCII. */
static int
put_character(struct buf *out, struct str *s)
{
	size_t		n = utf8_length(*s);
	uint32_t	c = n > 0 ? utf8_point(s->p, n) : 0;
	struct str	as_is = { s->p, n > 0 ? n : 1 };

	s->p += as_is.n;
	s->n -= as_is.n;
	if (n == 0 || is_plain(c))
		return buf_addstr(out, as_is);
	return put_point(out, c);
}

/* Cyrillic letters that follow each other; how many bytes. */
static int
put_cyrillic(struct buf *out, struct str s, size_t *n)
{
	size_t		room = s.n < 256 ? s.n : 256;
	uint32_t	c;
	char		*to;

	*n = 0;
	if (((unsigned char)*s.p & 0xfe) != 0xd0)
		return 0;
	if (buf_reserve(out, room) == -1)
		return -1;
	for (to = out->p + out->n; room - *n >= 2; *n += 2) {
		if (((unsigned char)s.p[*n] & 0xfe) != 0xd0 ||
		    ((unsigned char)s.p[*n + 1] & 0xc0) != 0x80 ||
		    !is_cyrillic(c = utf8_point(s.p + *n, 2)))
			break;
		if (c >= 0x430)
			c -= 0x20;
		*to++ = (char)0xd0;
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	out->n += *n;
	return 0;
}

/* Ideographs that follow each other: U+4000 to U+9FFF; how many bytes. */
static size_t
ideographs(struct str s)
{
	size_t	n = 0;

	while (s.n - n >= 3 && (unsigned char)s.p[n] >= 0xe4 &&
	    (unsigned char)s.p[n] <= 0xe9 &&
	    ((unsigned char)s.p[n + 1] & 0xc0) == 0x80 &&
	    ((unsigned char)s.p[n + 2] & 0xc0) == 0x80)
		n += 3;
	return n;
}

/* Runs of the most frequent characters; how many bytes, 0: it begins with none. */
static int
put_run(struct buf *out, struct str s, size_t *n)
{
	if ((*n = utf8_ascii_run(s)) > 0) {
		if (buf_reserve(out, *n) == -1)
			return -1;
		upper(out->p + out->n, s.p, *n);
		out->n += *n;
		return 0;
	}
	if ((*n = ideographs(s)) > 0)
		return buf_add(out, s.p, *n);
	return put_cyrillic(out, s, n);
}

int
casemap_put(struct buf *out, struct str s)
{
	size_t	n;

	while (s.n > 0) {
		if (put_run(out, s, &n) == -1)
			return -1;
		s.p += n;
		s.n -= n;
		if (n == 0 && put_character(out, &s) == -1)
			return -1;
	}
	return 0;
}
