/*
 * common/fmt/charset_2022.c - sets that are switched by escape sequences: ISO-2022-JP and its kin (RFC 1468, 1554, 2237),
 * ISO-2022-KR (RFC 1557), ISO-2022-CN (RFC 1922; GB 2312 of it), HZ (RFC 1843); pure.
 */
#include <string.h>

#include "common/fmt/charset_impl.h"

#define ESC	0x1b
#define SO	0x0e
#define SI	0x0f

/* What graphic characters mean; in the mode: G0, G1 (after SO), G2 (behind ESC N), by four bits each. */
enum graphic {
	ASCII, ROMAN, KATAKANA, JIS208, JIS212, KSC, GB, LATIN1, GREEK, FOREIGN
};
enum {
	G1_SHIFT = 4, G2_SHIFT = 8, SHIFTED = 1 << 12, ALL = 0xf
};

static const struct {
	const char	*text;		/* behind ESC */
	unsigned	 shift;		/* which of them it sets */
	enum graphic	 set;
} escapes[] = {
	{ "(B", 0, ASCII }, { "(J", 0, ROMAN }, { "(H", 0, ROMAN },
	{ "(I", 0, KATAKANA }, { "$@", 0, JIS208 }, { "$B", 0, JIS208 },
	{ "$(B", 0, JIS208 }, { "$(@", 0, JIS208 }, { "$(D", 0, JIS212 },
	{ "$(O", 0, JIS208 }, { "$(Q", 0, JIS208 }, { "$(P", 0, FOREIGN },
	{ "$A", 0, GB }, { "$(A", 0, GB }, { "$(C", 0, KSC },
	{ ")I", G1_SHIFT, KATAKANA }, { "$)C", G1_SHIFT, KSC },
	{ "$)A", G1_SHIFT, GB }, { "$)G", G1_SHIFT, FOREIGN },
	{ "$)E", G1_SHIFT, GB }, { "$*H", G2_SHIFT, FOREIGN },
	{ ".A", G2_SHIFT, LATIN1 }, { ".F", G2_SHIFT, GREEK },
};

static void
designate(struct charset_state *cs, size_t i)
{
	cs->mode &= ~((uint32_t)ALL << escapes[i].shift);
	cs->mode |= (uint32_t)escapes[i].set << escapes[i].shift;
}

static size_t
pair(enum graphic set, const unsigned char *p, size_t n, bool last,
    uint32_t *c)
{
	unsigned	row, cell;

	*c = CHARSET_BAD;
	if (n < 2)
		return last ? 1 : 0;
	row = (p[0] & 0x7fu) - 0x21;
	cell = (p[1] & 0x7fu) - 0x21;
	if (cell > 93)
		return 1;
	if (set == JIS208)
		*c = charset_jis208(row, cell);
	else if (set == JIS212 && row <= 93)
		*c = charset_jis212[row][cell];
	else if (set == KSC)
		*c = charset_ks1001(row, cell);
	else if (set == GB)
		*c = charset_gb2312(row, cell);
	else
		*c = 0;
	if (*c == 0)
		*c = CHARSET_BAD;
	return 2;
}

/* One graphic character, 0x21..0x7e. */
static size_t
graphic(enum graphic set, const unsigned char *p, size_t n, bool last,
    uint32_t *c)
{
	switch (set) {
	case ROMAN:
		*c = *p == 0x5c ? 0xa5 : *p == 0x7e ? 0x203e : *p;
		return 1;
	case KATAKANA:
		*c = *p <= 0x5f ? *p - 0x21u + 0xff61 : CHARSET_BAD;
		return 1;
	case LATIN1:
		*c = *p | 0x80u;
		return 1;
	case GREEK:
		*c = charset_greek[*p & 0x7f];
		if (*c == 0)
			*c = CHARSET_BAD;
		return 1;
	case JIS208:
	case JIS212:
	case KSC:
	case GB:
	case FOREIGN:
		return pair(set, p, n, last, c);
	case ASCII:
		break;
	}
	*c = *p;
	return 1;
}

/* ESC N x: one character of G2. */
static size_t
single_shift(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t *c)
{
	enum graphic	set = (enum graphic)(cs->mode >> G2_SHIFT & ALL);
	unsigned char	two[2];
	size_t		used;

	*c = CHARSET_BAD;
	if (n < (set == FOREIGN ? 4 : 3))
		return last ? n : 0;
	two[0] = p[2] & 0x7f;
	two[1] = set == FOREIGN ? p[3] & 0x7f : 0;
	if (two[0] < 0x20 || (set != LATIN1 && set != GREEK && set != FOREIGN))
		return 2;
	used = graphic(set, two, 2, true, c);
	return 2 + used;
}

static size_t
escape(struct charset_state *cs, const unsigned char *p, size_t n, bool last,
    uint32_t *c)
{
	size_t	i, len;
	bool	begun = n == 1;

	if (n > 1 && p[1] == 'N')
		return single_shift(cs, p, n, last, c);
	*c = CHARSET_NOTHING;
	for (i = 0; i < nitems(escapes); i++) {
		len = strlen(escapes[i].text);
		if (n > len && memcmp(p + 1, escapes[i].text, len) == 0) {
			designate(cs, i);
			return len + 1;
		}
		if (n <= len && memcmp(p + 1, escapes[i].text, n - 1) == 0)
			begun = true;
	}
	if (begun && !last)
		return 0;
	*c = CHARSET_BAD;
	return 1;
}

size_t
charset_2022(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	bool	jp = cs->set->kind == CHARSET_JP;

	*c = CHARSET_NOTHING;
	if (*p == ESC)
		return escape(cs, p, n, last, c);
	if (*p == SO || *p == SI) {
		cs->mode &= ~(uint32_t)SHIFTED;
		if (*p == SO)
			cs->mode |= SHIFTED;
		return 1;
	}
	*c = *p;
	if (*p == '\n')		/* no line ends shifted */
		cs->mode &= ~(uint32_t)SHIFTED;
	if (*p >= 0xa1 && *p <= 0xdf && jp)	/* as some send it */
		*c = *p - 0xa1u + 0xff61;
	else if (*p > 0x7e)
		*c = CHARSET_BAD;
	if (*p < 0x21 || *p > 0x7e)
		return 1;
	return graphic((enum graphic)((cs->mode & SHIFTED) != 0 ?
	    cs->mode >> G1_SHIFT & ALL : cs->mode & ALL), p, n, last, c);
}

/* "~{" begins and "~}" ends GB 2312, "~~" is "~", "~" at a line's end joins lines. */
size_t
charset_hz(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	*c = *p < 0x80 ? *p : CHARSET_BAD;
	if (*p == '~') {
		if (n < 2)
			return last ? 1 : 0;
		*c = CHARSET_NOTHING;
		if (p[1] == '{' || p[1] == '}')
			cs->mode = p[1] == '{';
		else if (p[1] == '~')
			*c = '~';
		else if (p[1] != '\n')
			*c = CHARSET_BAD;
		return *c == CHARSET_BAD ? 1 : 2;
	}
	if (*p == '\n')
		cs->mode = 0;
	if (*p < 0x21 || *p > 0x7e || cs->mode == 0)
		return 1;
	return pair(GB, p, n, last, c);
}
