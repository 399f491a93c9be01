/* common/fmt/charset_cns.c - CNS 11643 as EUC-TW has it, ISO-IR-165, and JOHAB; pure. */
#include "common/fmt/charset_impl.h"

#define SYLLABLES	0xac00u
#define MEDIALS		21u
#define FINALS		28u

uint32_t
charset_cns11643(unsigned plane, unsigned row, unsigned cell)
{
	unsigned	at = plane == 15 ? CNS_PLANES - 1 : plane - 1;
	uint32_t	c;

	if (row > 93 || cell > 93 ||
	    ((plane < 1 || plane > 7) && plane != 15))
		return 0;
	c = charset_cns[at][row][cell];
	if ((charset_cns_plane2[at][row][cell / 8] & 1u << cell % 8) != 0)
		c |= 0x20000;
	return c;
}

uint32_t
charset_isoir165(unsigned row, unsigned cell)
{
	unsigned	pair = (row + 0x21) << 8 | (cell + 0x21);
	size_t		low = 0, high = charset_ir165_n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (charset_ir165[middle].pair < pair)
			low = middle + 1;
		else
			high = middle;
	}
	return charset_ir165[low].pair == pair ? charset_ir165[low].point :
	    charset_gb2312(row, cell);
}

/* Two bytes are plane 1; four, with 0x8e and the plane in front, any. */
size_t
charset_euc_tw(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	size_t		need = *p == 0x8e ? 4 : 2, i;
	unsigned	plane;

	(void)cs;
	*c = CHARSET_BAD;
	if (*p != 0x8e && (*p < 0xa1 || *p > 0xfe))
		return 1;
	for (i = 1; i < need && i < n; i++)
		if (p[i] < 0xa1 || p[i] > 0xfe)
			return p[i] < 0x80 ? i : i + 1;
	if (n < need)
		return last ? n : 0;
	plane = need == 4 ? p[1] - 0xa0u : 1;
	*c = charset_cns11643(plane, p[need - 2] - 0xa1u, p[need - 1] - 0xa1u);
	if (*c == 0)
		*c = CHARSET_BAD;
	return need;
}

/* A syllable: five bits each of an initial, a medial and a final. 0: none; FILL: it has none. */
enum { FILL = 0xff };
static const unsigned char initials[32] = {
	0, FILL, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
	18, 19
};
static const unsigned char medials[32] = {
	0, 0, FILL, 1, 2, 3, 4, 5, 0, 0, 6, 7, 8, 9, 10, 11, 0, 0, 12, 13, 14,
	15, 16, 17, 0, 0, 18, 19, 20, 21
};
static const unsigned char finals[32] = {
	0, FILL, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 17,
	18, 19, 20, 21, 22, 23, 24, 25, 26, 27
};
/* Letters that stand alone, from U+3131 on. */
static const unsigned char initial_letters[20] = {
	0, 0x31, 0x32, 0x34, 0x37, 0x38, 0x39, 0x41, 0x42, 0x43, 0x45, 0x46,
	0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e
};
static const unsigned char final_letters[28] = {
	0, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x39, 0x3a, 0x3b, 0x3c,
	0x3d, 0x3e, 0x3f, 0x40, 0x41, 0x42, 0x44, 0x45, 0x46, 0x47, 0x48, 0x4a,
	0x4b, 0x4c, 0x4d, 0x4e
};

static uint32_t
syllable(unsigned pair)
{
	unsigned	i = initials[pair >> 10 & 31];
	unsigned	m = medials[pair >> 5 & 31];
	unsigned	f = finals[pair & 31];

	if (i == 0 || m == 0 || f == 0)
		return 0;
	if (i != FILL && m != FILL)
		return SYLLABLES + ((i - 1) * MEDIALS + m - 1) * FINALS +
		    (f == FILL ? 0 : f);
	if (i != FILL && f == FILL)
		return 0x3100u + initial_letters[i];
	if (m != FILL && f == FILL)
		return 0x314fu + m - 1;
	return i == FILL && m == FILL && f != FILL ?
	    0x3100u + final_letters[f] : 0;
}

/* Symbols and Hanja: two rows of KS X 1001 each; its letters that stand alone have their place among the syllables. */
static uint32_t
johab_ks(unsigned lead, unsigned trail)
{
	unsigned	row, cell;

	if (trail < 0x31 || trail == 0x7f || (trail > 0x7e && trail < 0x91))
		return 0;
	if (lead >= 0xd9 && lead <= 0xde)
		row = (lead - 0xd9) * 2;
	else if (lead >= 0xe0 && lead <= 0xf9)
		row = (lead - 0xe0) * 2 + 41;
	else
		return 0;
	if (trail >= 0xa1) {
		row++;
		cell = trail - 0xa1;
	} else
		cell = trail < 0x7f ? trail - 0x31 : trail - 0x91 + 78;
	return lead == 0xda && trail >= 0xa1 && trail <= 0xd3 ? 0 :
	    charset_ks1001(row, cell);
}

size_t
charset_johab(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	(void)cs;
	*c = *p == 0x5c ? 0x20a9 : CHARSET_BAD;	/* the won sign */
	if (*p < 0x80) {
		if (*p != 0x5c)
			*c = *p;
		return 1;
	}
	if (*p < 0x84 || *p > 0xf9)
		return 1;
	if (n < 2)
		return last ? 1 : 0;
	*c = *p <= 0xd3 ? syllable((unsigned)p[0] << 8 | p[1]) :
	    johab_ks(p[0], p[1]);
	if (*c != 0)
		return 2;
	*c = CHARSET_BAD;
	return p[1] < 0x80 ? 1 : 2;
}
