/* common/fmt/utf8.c - characters of UTF-8 (RFC 3629); pure. */
#include "common/fmt/utf8.h"

size_t
utf8_length(struct str s)
{
	static const struct {
		unsigned char	from, to;	/* first byte */
		unsigned char	lo, hi;		/* second byte */
		size_t		n;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	unsigned char	first, b;
	size_t		i, k;

	if (s.n == 0)
		return 0;
	first = (unsigned char)s.p[0];
	for (i = 0; i < nitems(forms); i++)
		if (first >= forms[i].from && first <= forms[i].to)
			break;
	if (i == nitems(forms) || s.n < forms[i].n)
		return 0;
	for (k = 1; k < forms[i].n; k++) {
		b = (unsigned char)s.p[k];
		if (b < (k == 1 ? forms[i].lo : 0x80) ||
		    b > (k == 1 ? forms[i].hi : 0xbf))
			return 0;
	}
	return forms[i].n;
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

bool
utf8_is_ascii(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 127)
			return false;
	return true;
}

bool
utf8_ok(struct str s)
{
	size_t	n;

	while (s.n > 0) {
		n = (unsigned char)*s.p < 0x80 ? 1 : utf8_length(s);
		if (n == 0)
			return false;
		s.p += n;
		s.n -= n;
	}
	return true;
}
