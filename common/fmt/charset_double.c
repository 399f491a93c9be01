/* common/fmt/charset_double.c - East Asian sets of one and more bytes a character; pure. */
#include "common/fmt/charset_impl.h"

/*
 * How many bytes a character of two that is none has: what is ASCII behind it stands for itself.
 */
static size_t
bad(const unsigned char *p, uint32_t *c)
{
	*c = CHARSET_BAD;
	return p[1] < 0x80 ? 1 : 2;
}

static uint32_t
cp932(unsigned lead, unsigned trail)
{
	if (trail < 0x40 || trail == 0x7f || trail > 0xfc ||
	    !((lead >= 0x81 && lead <= 0x9f) ||
	    (lead >= 0xe0 && lead <= 0xfc)))
		return 0;
	return charset_cp932[lead < 0xa0 ? lead - 0x81 : lead - 0xe0 + 31]
	    [trail < 0x7f ? trail - 0x40 : trail - 0x41];
}

uint32_t
charset_jis208(unsigned row, unsigned cell)
{
	unsigned	lead = row / 2 + (row < 62 ? 0x81 : 0xc1);

	if (row > 93 || cell > 93)
		return 0;
	if (row % 2 == 1)
		return cp932(lead, cell + 0x9f);
	return cp932(lead, cell < 63 ? cell + 0x40 : cell + 0x41);
}

size_t
charset_shift_jis(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	(void)cs;
	*c = CHARSET_BAD;
	if (*p >= 0xa1 && *p <= 0xdf) {
		*c = *p - 0xa1u + 0xff61;	/* katakana of half width */
		return 1;
	}
	if (*p == 0x80 || *p == 0xa0 || *p > 0xfc)
		return 1;
	if (n < 2)
		return last ? 1 : 0;
	*c = cp932(p[0], p[1]);
	return *c == 0 ? bad(p, c) : 2;
}

size_t
charset_euc_jp(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	size_t	need = *p == 0x8f ? 3 : 2;

	(void)cs;
	*c = CHARSET_BAD;
	if (*p != 0x8e && *p != 0x8f && (*p < 0xa1 || *p > 0xfe))
		return 1;
	if (n >= 2 && (p[1] < 0xa1 || p[1] > 0xfe))
		return bad(p, c);
	if (n < need)
		return last ? n : 0;
	if (*p == 0x8e) {
		*c = p[1] > 0xdf ? 0 : p[1] - 0xa1u + 0xff61;
	} else if (*p == 0x8f) {
		if (p[2] < 0xa1 || p[2] > 0xfe)
			return 2;
		*c = charset_jis212[p[1] - 0xa1][p[2] - 0xa1];
	} else {
		*c = charset_jis208(p[0] - 0xa1u, p[1] - 0xa1u);
	}
	if (*c == 0)
		*c = CHARSET_BAD;
	return need;
}

uint32_t
charset_ks1001(unsigned row, unsigned cell)
{
	if (row > 93 || cell > 93)
		return 0;
	/* a sign that came later, and that Windows does not know */
	if (row == 0x01 && cell == 0x47)
		return 0x327e;
	return charset_cp949[row + 0xa1 - 0x81][cell + 0xa1 - 0x41];
}

size_t
charset_korean(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	(void)cs;
	*c = CHARSET_BAD;
	if (*p < 0x81 || *p > 0xfe)
		return 1;
	if (n < 2)
		return last ? 1 : 0;
	if (p[0] >= 0xa1 && p[1] >= 0xa1 && p[1] <= 0xfe)
		*c = charset_ks1001(p[0] - 0xa1u, p[1] - 0xa1u);
	else
		*c = p[1] < 0x41 || p[1] > 0xfe ? 0 :
		    charset_cp949[p[0] - 0x81][p[1] - 0x41];
	return *c == 0 ? bad(p, c) : 2;
}

uint32_t
charset_gb2312(unsigned row, unsigned cell)
{
	if (row > 93 || cell > 93)
		return 0;
	return charset_gb2[row + 0xa1 - 0x81][cell + 0xa1 - 0x40];
}

static uint32_t
gb2(unsigned lead, unsigned trail)
{
	uint32_t	c;
	size_t		i;

	if (trail < 0x40 || trail > 0xfe)
		return 0;
	if ((c = charset_gb2[lead - 0x81][trail - 0x40]) != 0)
		return c;
	for (i = 0; i < charset_gb_wide_n; i++)
		if (charset_gb_wide[i].pair == (lead << 8 | trail))
			return charset_gb_wide[i].point | 0x20000u;
	return 0;
}

/* Four bytes of GB 18030. */
static uint32_t
gb4(const unsigned char *p)
{
	uint32_t	number = ((p[0] - 0x81u) * 10 + (p[1] - 0x30u)) * 1260 +
			    (p[2] - 0x81u) * 10 + (p[3] - 0x30u);
	size_t		from = 0, to = charset_gb4_n, middle;

	if (number >= 189000)	/* 90308130 is U+10000 */
		return number - 189000 > 0xfffff ? 0 :
		    number - 189000 + 0x10000;
	if (number >= 39420)
		return 0;
	while (to - from > 1) {
		middle = (from + to) / 2;
		if (charset_gb4[middle].from <= number)
			from = middle;
		else
			to = middle;
	}
	if (charset_gb4[from].point == 0)
		return 0;
	return charset_gb4[from].point + number - charset_gb4[from].from;
}

size_t
charset_gb(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	(void)cs;
	*c = CHARSET_BAD;
	if (*p == 0x80)
		*c = 0x20ac;	/* of Windows */
	if (*p == 0x80 || *p == 0xff)
		return 1;
	if (n < 2)
		return last ? 1 : 0;
	if (p[1] >= 0x30 && p[1] <= 0x39) {
		if ((n > 2 && (p[2] < 0x81 || p[2] > 0xfe)) ||
		    (n > 3 && (p[3] < 0x30 || p[3] > 0x39)))
			return 1;
		if (n < 4)
			return last ? 1 : 0;
		*c = gb4(p);
		if (*c == 0)
			*c = CHARSET_BAD;
		return 4;
	}
	*c = gb2(p[0], p[1]);
	return *c == 0 ? bad(p, c) : 2;
}

/* Two letters with two accents each. */
static bool
accented(const unsigned char *p, uint32_t c[2])
{
	static const struct {
		unsigned char	trail;
		uint16_t	letter, accent;
	} letters[] = {
		{ 0x62, 0xca, 0x304 }, { 0x64, 0xca, 0x30c },
		{ 0xa3, 0xea, 0x304 }, { 0xa5, 0xea, 0x30c }
	};
	size_t	i;

	for (i = 0; i < nitems(letters); i++) {
		if (p[0] != 0x88 || p[1] != letters[i].trail)
			continue;
		c[0] = letters[i].letter;
		c[1] = letters[i].accent;
		return true;
	}
	return false;
}

size_t
charset_big5_pair(struct charset_state *cs, const unsigned char *p, size_t n,
    bool last, uint32_t c[2])
{
	unsigned	lead = *p - 0x81u, trail;

	(void)cs;
	*c = CHARSET_BAD;
	if (*p < 0x81 || *p > 0xfe)
		return 1;
	if (n < 2)
		return last ? 1 : 0;
	if (accented(p, c))
		return 2;
	if (p[1] < 0x40 || (p[1] > 0x7e && p[1] < 0xa1) || p[1] > 0xfe)
		return bad(p, c);
	trail = p[1] < 0x7f ? p[1] - 0x40u : p[1] - 0xa1u + 63;
	*c = charset_big5[lead][trail];
	if ((charset_big5_plane2[lead][trail / 8] & 1u << trail % 8) != 0)
		*c |= 0x20000;
	return *c == 0 ? bad(p, c) : 2;
}
