/* common/fmt/charset_unicode.c - Unicode in its encodings, ASCII, and sets of one byte a character; pure. */
#include "common/fmt/charset_impl.h"
#include "common/fmt/utf8.h"

size_t
charset_single_byte(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	(void)n;
	(void)last;
	*c = cs->set->table[*p & 0x7f];
	if (*c == 0)
		*c = CHARSET_BAD;
	return 1;
}

/* Could more bytes make a character of these? How many bytes make none is said in *bad (Unicode 3.9, best practice). */
static bool
is_begun(const unsigned char *p, size_t n, size_t *bad)
{
	static const unsigned char	fill[3] = { 0x80, 0xa0, 0x90 };
	char		t[4];
	struct str	s = { t, 0 };
	size_t		i, k, need = *p < 0xc2 ? 0 : *p < 0xe0 ? 2 :
			    *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;

	*bad = 1;
	for (i = 1; i < n && i < need; i++) {
		/* is there a character that begins with i + 1 of them? */
		for (k = 0; k <= i; k++)
			t[k] = (char)p[k];
		for (; k < need; k++)
			t[k] = (char)fill[0];
		s.n = need;
		if (utf8_length(s) == 0)
			return false;
		*bad = i + 1;
	}
	return n < need;
}

size_t
charset_utf8(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	size_t	bad;

	(void)cs;
	*c = CHARSET_BAD;	/* what is well-formed went another way */
	if (is_begun(p, n, &bad) && !last)
		return 0;
	return bad;
}

/* 8-bit bytes in what should be ASCII: UTF-8, or if they are not, Windows' Latin letters. */
size_t
charset_ascii(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	size_t	bad;

	(void)cs;
	if (is_begun(p, n, &bad) && !last)
		return 0;
	*c = charset_single[0][*p & 0x7f];
	if (*c == 0)
		*c = CHARSET_BAD;
	return 1;
}

enum { BEGUN = 1, LITTLE = 2 };	/* modes of UTF-16 and UTF-32 */

/* A byte order mark is no text. */
static bool
is_mark(struct charset_state *cs, uint32_t c, uint32_t swapped)
{
	bool	first = (cs->mode & BEGUN) == 0;

	if (!first)
		return false;
	cs->mode |= BEGUN;
	if (c == swapped && cs->set->kind == CHARSET_BOM) {
		cs->mode ^= LITTLE;
		return true;
	}
	return c == 0xfeff;
}

static uint32_t
unit(const struct charset_state *cs, const unsigned char *p)
{
	bool	little = cs->set->kind == CHARSET_LE ||
		    (cs->mode & LITTLE) != 0;

	return little ? (uint32_t)(p[1] << 8 | p[0]) :
	    (uint32_t)(p[0] << 8 | p[1]);
}

size_t
charset_utf16(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	uint32_t	low;

	*c = CHARSET_BAD;
	if (n < 2)
		return last ? n : 0;
	*c = unit(cs, p);
	if (is_mark(cs, *c, 0xfffe)) {
		*c = CHARSET_NOTHING;
		return 2;
	}
	if (*c < 0xd800 || *c > 0xdbff) {
		if (*c >= 0xdc00 && *c <= 0xdfff)
			*c = CHARSET_BAD;
		return 2;
	}
	if (n < 4) {
		*c = CHARSET_BAD;
		return last ? n : 0;
	}
	low = unit(cs, p + 2);
	if (low < 0xdc00 || low > 0xdfff) {
		*c = CHARSET_BAD;
		return 2;
	}
	*c = 0x10000 + ((*c & 0x3ff) << 10 | (low & 0x3ff));
	return 4;
}

size_t
charset_utf32(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	bool	little = cs->set->kind == CHARSET_LE ||
		    (cs->mode & LITTLE) != 0;

	*c = CHARSET_BAD;
	if (n < 4)
		return last ? n : 0;
	*c = little ? unit(cs, p + 2) << 16 | unit(cs, p) :
	    unit(cs, p) << 16 | unit(cs, p + 2);
	if (is_mark(cs, *c, 0xfffe0000))
		*c = CHARSET_NOTHING;
	else if (*c > 0x10ffff)
		*c = CHARSET_BAD;
	return 4;
}

/* ---- UTF-7 (RFC 2152): the mode holds what is left of the base64 */

enum {
	SHIFTED = 1u << 31,
	ACC_SHIFT = 0, ACC_MASK = 0xffff,	/* at most 14 bits */
	BITS_SHIFT = 16, BITS_MASK = 0xf,
	HIGH_SHIFT = 20, HIGH_MASK = 0x3ff,	/* of a high surrogate */
	HAS_HIGH = 1 << 30
};

static int
value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* A whole unit of 16 bits. */
static uint32_t
unit7(uint32_t *mode, uint32_t u)
{
	uint32_t	high = *mode >> HIGH_SHIFT & HIGH_MASK;
	bool		has_high = (*mode & HAS_HIGH) != 0;

	*mode &= ~((uint32_t)HAS_HIGH | (uint32_t)HIGH_MASK << HIGH_SHIFT);
	if (u >= 0xd800 && u <= 0xdbff) {
		*mode |= HAS_HIGH | (u & 0x3ff) << HIGH_SHIFT;
		return has_high ? CHARSET_BAD : CHARSET_NOTHING;
	}
	if (u >= 0xdc00 && u <= 0xdfff)
		return has_high ? 0x10000 + (high << 10 | (u & 0x3ff)) :
		    CHARSET_BAD;
	return u;
}

static size_t
shifted(struct charset_state *cs, unsigned char byte, uint32_t *c)
{
	uint32_t	acc = cs->mode & ACC_MASK;
	uint32_t	bits = cs->mode >> BITS_SHIFT & BITS_MASK;
	int		v = value(byte);

	*c = CHARSET_NOTHING;
	if (v == -1) {
		if (byte != '-')
			*c = byte < 0x80 ? byte : CHARSET_BAD;
		cs->mode = 0;
		return 1;
	}
	acc = acc << 6 | (uint32_t)v;
	bits += 6;
	cs->mode &= ~((uint32_t)ACC_MASK | (uint32_t)BITS_MASK << BITS_SHIFT);
	if (bits >= 16) {
		bits -= 16;
		*c = unit7(&cs->mode, acc >> bits & 0xffff);
		acc &= (1u << bits) - 1;
	}
	cs->mode |= acc | bits << BITS_SHIFT;
	return 1;
}

size_t
charset_utf7(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	if ((cs->mode & SHIFTED) != 0)
		return shifted(cs, *p, c);
	*c = *p < 0x80 ? *p : CHARSET_BAD;
	if (*p != '+')
		return 1;
	if (n < 2)
		return last ? 1 : 0;
	if (p[1] == '-')
		return 2;
	cs->mode = SHIFTED;
	*c = CHARSET_NOTHING;
	return 1;
}
