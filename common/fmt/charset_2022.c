/*
 * common/fmt/charset_2022.c - sets that are switched by escape sequences: ISO-2022-JP and its kin (RFC 1468, 1554, 2237),
 * ISO-2022-KR (RFC 1557), ISO-2022-CN and -CN-EXT (RFC 1922), HZ (RFC 1843); pure.
 */
#include <string.h>

#include "common/fmt/charset_impl.h"

#define ESC	0x1b
#define SO	0x0e
#define SI	0x0f

/*
 * What graphic characters mean; in the mode: G0, G1 (after SO), G2 (behind ESC N), G3 (behind ESC O), by seven bits each. CNS:
 * plane 1, then the others.
 */
enum graphic {
	ASCII, ROMAN, KATAKANA, LATIN1, GREEK, JIS208, JIS212, JISX0213,
	JISX0213_2, KSC, GB, IR165, CNS
};
enum {
	G1_SHIFT = 7, G2_SHIFT = 14, G3_SHIFT = 21, SHIFTED = 1 << 28,
	ALL = 0x7f
};

static const struct {
	const char	*text;		/* behind ESC */
	unsigned	 shift;		/* which of them it sets */
	enum graphic	 set;
} escapes[] = {
	{ "(B", 0, ASCII }, { "(J", 0, ROMAN }, { "(H", 0, ROMAN },
	{ "(I", 0, KATAKANA }, { "$@", 0, JIS208 }, { "$B", 0, JIS208 },
	{ "$(B", 0, JIS208 }, { "$(@", 0, JIS208 }, { "$(D", 0, JIS212 },
	{ "$(O", 0, JISX0213 }, { "$(Q", 0, JISX0213 },
	{ "$(P", 0, JISX0213_2 },
	{ "$A", 0, GB }, { "$(A", 0, GB }, { "$(C", 0, KSC },
	{ ")I", G1_SHIFT, KATAKANA }, { "$)C", G1_SHIFT, KSC },
	{ "$)A", G1_SHIFT, GB }, { "$)G", G1_SHIFT, CNS },
	{ "$)E", G1_SHIFT, IR165 }, { "$*H", G2_SHIFT, CNS + 1 },
	{ "$+I", G3_SHIFT, CNS + 2 }, { "$+J", G3_SHIFT, CNS + 3 },
	{ "$+K", G3_SHIFT, CNS + 4 }, { "$+L", G3_SHIFT, CNS + 5 },
	{ "$+M", G3_SHIFT, CNS + 6 },
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
	if (set == JISX0213 || set == JISX0213_2) {
		if (!charset_jisx0213(set == JISX0213 ? 1 : 2, row, cell, c))
			*c = 0;
	} else if (set == JIS208)
		*c = charset_jis208(row, cell);
	else if (set == JIS212 && row <= 93)
		*c = charset_jis212[row][cell];
	else if (set == KSC)
		*c = charset_ks1001(row, cell);
	else if (set == GB)
		*c = charset_gb2312(row, cell);
	else if (set == IR165)
		*c = charset_isoir165(row, cell);
	else if (set >= CNS)
		*c = charset_cns11643(set - CNS + 1, row, cell);
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
	case ASCII:
		*c = *p;
		return 1;
	default:
		return pair(set, p, n, last, c);
	}
}

/* ESC N: one character of G2; ESC O: of G3. */
static size_t
single_shift(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t *c)
{
	enum graphic	set = (enum graphic)(cs->mode >>
			    (p[1] == 'N' ? G2_SHIFT : G3_SHIFT) & ALL);
	bool		one = set == LATIN1 || set == GREEK;
	unsigned char	two[2];

	*c = CHARSET_BAD;
	if (set < CNS && !one)
		return 2;
	if (n < (one ? 3 : 4))
		return last ? n : 0;
	two[0] = p[2] & 0x7f;
	two[1] = one ? 0 : p[3] & 0x7f;
	if (two[0] < 0x20)
		return 2;
	return 2 + graphic(set, two, 2, true, c);
}

static size_t
escape(struct charset_state *cs, const unsigned char *p, size_t n, bool last,
    uint32_t *c)
{
	size_t	i, len;
	bool	begun = n == 1;

	if (n > 1 && (p[1] == 'N' || p[1] == 'O'))
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
	else if (*p > 0x7f)
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
