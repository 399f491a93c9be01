/* common/fmt/charset_jisx0213.c - JIS X 0213 as EUC and Shift_JIS have it; pure. */
#include "common/fmt/charset_impl.h"

static bool
two_points(unsigned pair, uint32_t c[2])
{
	size_t	i;

	for (i = 0; i < charset_jisx0213_doubles_n; i++) {
		if (charset_jisx0213_doubles[i].pair != pair)
			continue;
		c[0] = charset_jisx0213_doubles[i].first;
		c[1] = charset_jisx0213_doubles[i].second;
		return true;
	}
	return false;
}

bool
charset_jisx0213(unsigned plane, unsigned row, unsigned cell, uint32_t c[2])
{
	unsigned	at = row;

	if (row > 93 || cell > 93 ||
	    (plane == 2 && (at = charset_jisx0213_second[row]) == 0))
		return false;
	c[0] = charset_jisx0213_points[at][cell];
	if ((charset_jisx0213_plane2[at][cell / 8] & 1u << cell % 8) != 0)
		c[0] |= 0x20000;
	if (c[0] != 0)
		return true;
	return plane == 1 &&
	    two_points((row + 0x21) << 8 | (cell + 0x21), c);
}

size_t
charset_euc_jisx0213(struct charset_state *cs, const unsigned char *p,
    size_t n, bool last, uint32_t c[2])
{
	size_t	need = *p == 0x8f ? 3 : 2, i;

	(void)cs;
	*c = CHARSET_BAD;
	if (*p != 0x8e && *p != 0x8f && (*p < 0xa1 || *p > 0xfe))
		return 1;
	for (i = 1; i < need && i < n; i++)
		if (p[i] < 0xa1 || p[i] > 0xfe)
			return p[i] < 0x80 ? i : i + 1;
	if (n < need)
		return last ? n : 0;
	if (*p == 0x8e)
		*c = p[1] > 0xdf ? CHARSET_BAD : p[1] - 0xa1u + 0xff61;
	else if (!charset_jisx0213(*p == 0x8f ? 2 : 1, p[need - 2] - 0xa1u,
	    p[need - 1] - 0xa1u, c))
		*c = CHARSET_BAD;
	return need;
}

/* Rows of the second plane by the lead byte, 0xf0 and on, and by which half of the trail bytes. */
static unsigned
second_row(unsigned lead, bool high)
{
	static const unsigned char	rows[5][2] = {
		{ 0, 7 }, { 2, 3 }, { 4, 11 }, { 12, 13 }, { 14, 77 }
	};

	return lead < 0xf5 ? rows[lead - 0xf0][high] :
	    78 + (lead - 0xf5) * 2 + high;
}

size_t
charset_shift_jisx0213(struct charset_state *cs, const unsigned char *p,
    size_t n, bool last, uint32_t c[2])
{
	unsigned	plane, row, cell;
	bool		high;

	(void)cs;
	*c = CHARSET_BAD;
	if (*p >= 0xa1 && *p <= 0xdf) {
		*c = *p - 0xa1u + 0xff61;
		return 1;
	}
	if (*p == 0x80 || *p == 0xa0 || *p > 0xfc)
		return 1;
	if (n < 2)
		return last ? 1 : 0;
	if (p[1] < 0x40 || p[1] == 0x7f || p[1] > 0xfc)
		return p[1] < 0x80 ? 1 : 2;
	high = p[1] >= 0x9f;
	plane = *p >= 0xf0 ? 2 : 1;
	row = plane == 2 ? second_row(*p, high) :
	    (*p - (*p < 0xa0 ? 0x81u : 0xc1u)) * 2 + high;
	cell = high ? p[1] - 0x9fu : p[1] - (p[1] < 0x7f ? 0x40u : 0x41u);
	if (charset_jisx0213(plane, row, cell, c))
		return 2;
	*c = CHARSET_BAD;
	return p[1] < 0x80 ? 1 : 2;
}
