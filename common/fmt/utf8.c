/* common/fmt/utf8.c - characters of UTF-8 (RFC 3629); pure. */
#include "common/fmt/utf8.h"

#include <string.h>

static bool
is_next(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t
utf8_length(struct str s)
{
	unsigned char	first, second;

	if (s.n < 2 || !is_next(s.p[1]))
		return 0;
	first = (unsigned char)s.p[0];
	second = (unsigned char)s.p[1];
	if (first < 0xc2 || first > 0xf4)
		return 0;
	if (first < 0xe0)
		return 2;
	if (s.n < 3 || !is_next(s.p[2]))
		return 0;
	if (first < 0xf0)	/* overlong, surrogates */
		return (first == 0xe0 && second < 0xa0) ||
		    (first == 0xed && second > 0x9f) ? 0 : 3;
	if (s.n < 4 || !is_next(s.p[3]))
		return 0;
	return (first == 0xf0 && second < 0x90) ||
	    (first == 0xf4 && second > 0x8f) ? 0 : 4;
}

uint32_t
utf8_point(const char *p, size_t n)
{
	uint32_t	point = (unsigned char)p[0] & (0xffu >> (n + 1));
	size_t		i;

	for (i = 1; i < n; i++)
		point = point << 6 | ((unsigned char)p[i] & 0x3fu);
	return point;
}

bool
utf8_put(struct buf *out, uint32_t point)
{
	size_t	n = point < 0x80 ? 1 : point < 0x800 ? 2 :
		    point < 0x10000 ? 3 : 4;
	size_t	i;

	if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return false;
	if (n == 1) {
		buf_addc(out, (char)point);
		return true;
	}
	buf_addc(out, (char)((0xf00u >> n & 0xf0u) | point >> 6 * (n - 1)));
	for (i = n - 1; i > 0; i--)
		buf_addc(out, (char)(0x80u | (point >> 6 * (i - 1) & 0x3fu)));
	return true;
}

/* Eight bytes: is one of them above 127? */
static uint64_t
high_bits(const char *p)
{
	uint64_t	v;

	memcpy(&v, p, sizeof(v));
	return v & 0x8080808080808080u;
}

size_t
utf8_ascii_run(struct str s)
{
	size_t	i = 0;

	while (s.n - i >= 32 && (high_bits(s.p + i) | high_bits(s.p + i + 8) |
	    high_bits(s.p + i + 16) | high_bits(s.p + i + 24)) == 0)
		i += 32;
	while (s.n - i >= 8 && high_bits(s.p + i) == 0)
		i += 8;
	while (i < s.n && (unsigned char)s.p[i] < 0x80)
		i++;
	return i;
}

bool
utf8_is_ascii(struct str s)
{
	return utf8_ascii_run(s) == s.n;
}

size_t
utf8_run(struct str s)
{
	struct str	rest = s;
	size_t		n;

	while (rest.n > 0) {
		n = (unsigned char)*rest.p >= 0x80 ? utf8_length(rest) :
		    rest.n > 1 && (unsigned char)rest.p[1] >= 0x80 ? 1 :
		    utf8_ascii_run(rest);
		if (n == 0)
			break;
		rest.p += n;
		rest.n -= n;
	}
	return s.n - rest.n;
}

bool
utf8_ok(struct str s)
{
	return utf8_run(s) == s.n;
}
