/* common/fmt/mutf7.c - modified UTF-7 (RFC 3501 5.1.3); pure. */
#include <stdint.h>

#include "common/fmt/cur.h"
#include "common/fmt/mutf7.h"
#include "common/fmt/utf8.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789+,";

/* What stands for itself, '&' apart. */
static bool
is_plain(uint32_t point)
{
	return point >= 0x20 && point <= 0x7e;
}

static int
value_of(int c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == ',' ? 63 : -1;
}

/* One unit of UTF-16; high is the first half of a pair, or 0. */
static bool
put_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
	bool	second = unit >= 0xdc00 && unit <= 0xdfff;

	if (second != (*high != 0) || is_plain(unit))
		return false;
	if (unit >= 0xd800 && unit <= 0xdbff) {
		*high = unit;
		return true;
	}
	if (second)
		unit = 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00);
	*high = 0;
	return utf8_put(out, unit);
}

/* Behind a '&' that does not stand for itself, up to and with its '-'. */
static bool
take_shifted(struct cur *c, struct buf *out)
{
	uint32_t	bits = 0, high = 0;
	unsigned	n = 0;
	bool		some = false;
	int		v;

	for (; (v = value_of(cur_peek(c))) != -1; c->p++) {
		bits = (bits << 6 | (uint32_t)v) & 0xffffffu;
		if ((n += 6) < 16)
			continue;
		n -= 16;
		if (!put_unit(out, bits >> n & 0xffffu, &high))
			return false;
		some = true;
	}
	/* What is left over fills the last letter up, with zeroes. */
	if (!some || high != 0 || n >= 6 || (bits & ((1u << n) - 1)) != 0 ||
	    !cur_byte(c, '-'))
		return false;
	/* A shift right behind another one has no reason. */
	return cur_left(c) < 2 || c->p[0] != '&' || c->p[1] == '-';
}

static bool
decode(struct cur c, struct buf *out)
{
	while (!cur_done(&c)) {
		if (!is_plain((uint32_t)cur_peek(&c)))
			return false;
		if (*c.p != '&')
			buf_addc(out, *c.p++);
		else if (c.p++, cur_byte(&c, '-'))
			buf_addc(out, '&');
		else if (!take_shifted(&c, out))
			return false;
	}
	return true;
}

static void
put_bits(struct buf *out, uint32_t unit, uint32_t *bits, unsigned *n)
{
	*bits = (*bits << 16 | unit) & 0x3fffffu;
	for (*n += 16; *n >= 6; *n -= 6)
		buf_addc(out, alphabet[*bits >> (*n - 6) & 63]);
}

/* As many characters as cannot stand for themselves. */
static bool
put_shifted(struct str *s, struct buf *out)
{
	uint32_t	point, bits = 0;
	unsigned	n = 0;
	size_t		len;

	buf_addc(out, '&');
	while (s->n > 0 && !is_plain((unsigned char)*s->p)) {
		if ((unsigned char)*s->p < 0x80) {
			len = 1;
			point = (unsigned char)*s->p;
		} else if ((len = utf8_length(*s)) != 0)
			point = utf8_point(s->p, len);
		else
			return false;
		s->p += len;
		s->n -= len;
		if (point >= 0x10000) {
			point -= 0x10000;
			put_bits(out, 0xd800 + (point >> 10), &bits, &n);
			point = 0xdc00 + (point & 0x3ffu);
		}
		put_bits(out, point, &bits, &n);
	}
	if (n > 0)
		buf_addc(out, alphabet[bits << (6 - n) & 63]);
	buf_addc(out, '-');
	return true;
}

static bool
encode(struct str s, struct buf *out)
{
	while (s.n > 0) {
		if (!is_plain((unsigned char)*s.p)) {
			if (!put_shifted(&s, out))
				return false;
			continue;
		}
		buf_addc(out, *s.p);
		if (*s.p == '&')
			buf_addc(out, '-');
		s.p++;
		s.n--;
	}
	return true;
}

bool
mutf7_to_utf8(struct str in, struct buf *out)
{
	size_t	before = out->n;

	if (decode(cur_from(in), out) && buf_ok(out))
		return true;
	out->n = before;
	return false;
}

bool
mutf7_from_utf8(struct str in, struct buf *out)
{
	size_t	before = out->n;

	if (encode(in, out) && buf_ok(out))
		return true;
	out->n = before;
	return false;
}
