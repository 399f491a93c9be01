/*
 * common/gen/make_charsets.c - run when Posthouse is built: asks iconv(3) for the tables of charset_impl.h, and writes
 * them as C. A session in its sandbox could load no module of iconv's.
 */
#include <err.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/charset_impl.h"
#include "common/fmt/charset_list.h"

static iconv_t
open_set(const char *name)
{
	iconv_t	cd = iconv_open("UTF-32BE", name);

	if (cd == (iconv_t)-1)
		errx(1, "iconv(3) does not know %s; with the GNU C library "
		    "its modules are needed (gconv: in Debian the package "
		    "libc6, in Fedora glibc-gconv-extra)", name);
	return cd;
}

/* The one character that these bytes are; 0: they are none. */
static uint32_t
ask(iconv_t cd, const unsigned char *bytes, size_t n)
{
	char		 in[8], out[64], *from = in, *to = out;
	unsigned char	*u = (unsigned char *)out;
	size_t		 left = n, room = sizeof(out);

	memcpy(in, bytes, n);
	iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 || left != 0 ||
	    iconv(cd, NULL, NULL, &to, &room) == (size_t)-1 || to != out + 4)
		return 0;
	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 |
	    (uint32_t)u[2] << 8 | u[3];
}

/* Of one that has to fit into 16 bits. */
static unsigned
ask16(iconv_t cd, unsigned lead, unsigned trail)
{
	const unsigned char	bytes[2] = { (unsigned char)lead,
				    (unsigned char)trail };
	uint32_t		c = ask(cd, bytes, 2);

	return c > 0xffff ? 0 : (unsigned)c;
}

static void
item(unsigned i, unsigned value)
{
	printf(i % 10 == 0 ? "\n\t%u," : " %u,", value);
}

static void
upper_half(const char *name)
{
	unsigned char	byte;
	unsigned	k;
	iconv_t		cd = open_set(name);

	printf("{\t/* %s */", name);
	for (k = 0; k < 128; k++) {
		byte = (unsigned char)(0x80 + k);
		item(k, (unsigned)ask(cd, &byte, 1));
	}
	printf(" }");
	iconv_close(cd);
}

static void
singles(void)
{
	size_t	i;

	printf("const uint16_t charset_single[][128] = {\n");
	for (i = 0; i < nitems(charset_list); i++) {
		upper_half(charset_list[i].iconv);
		printf(",\n");
	}
	printf("};\nconst uint16_t charset_greek[128] = ");
	upper_half("ISO-8859-7");
	printf(";\n");
}

/* What stands in the table for each trail byte. */
static void
pairs(const char *name, const char *set, unsigned trails,
    unsigned (*lead)(unsigned), unsigned (*trail)(unsigned), unsigned rows)
{
	iconv_t		cd = open_set(set);
	unsigned	i, k;

	printf("const uint16_t %s[%u][%u] = {\n", name, rows, trails);
	for (i = 0; i < rows; i++) {
		printf("{\t/* %02x */", lead(i));
		for (k = 0; k < trails; k++)
			item(k, ask16(cd, lead(i), trail(k)));
		printf(" },\n");
	}
	printf("};\n");
	iconv_close(cd);
}

static unsigned
from_81(unsigned i)
{
	return i + 0x81;
}

static unsigned
lead_932(unsigned i)
{
	return i < 31 ? i + 0x81 : i - 31 + 0xe0;
}

static unsigned
trail_932(unsigned i)
{
	return i < 63 ? i + 0x40 : i + 0x41;
}

static unsigned
from_40(unsigned i)
{
	return i + 0x40;
}

static unsigned
from_41(unsigned i)
{
	return i + 0x41;
}

static unsigned
trail_big5(unsigned i)
{
	return i < 63 ? i + 0x40 : i - 63 + 0xa1;
}

static void
jis212(void)
{
	unsigned char	bytes[3] = { 0x8f };
	iconv_t		cd = open_set("EUC-JP");
	unsigned	i, k;

	printf("const uint16_t charset_jis212[94][94] = {\n");
	for (i = 0; i < 94; i++) {
		printf("{");
		for (k = 0; k < 94; k++) {
			bytes[1] = (unsigned char)(i + 0xa1);
			bytes[2] = (unsigned char)(k + 0xa1);
			item(k, (unsigned)ask(cd, bytes, 3));
		}
		printf(" },\n");
	}
	printf("};\n");
	iconv_close(cd);
}

/* The pairs of GB 18030 that pairs() has no room for. */
static void
gb_wide(void)
{
	unsigned char	b[2];
	uint32_t	c;
	iconv_t		cd = open_set("GB18030");
	unsigned	i, n = 0;

	printf("const struct charset_gb_wide charset_gb_wide[] = {\n");
	for (i = 0x8140; i < 0xfeff; i++) {
		b[0] = (unsigned char)(i >> 8);
		b[1] = (unsigned char)i;
		if ((c = ask(cd, b, 2)) >> 16 != 2)
			continue;
		printf("\t{ %u, %u },\n", i, (unsigned)(c & 0xffff));
		n++;
	}
	printf("\t{ 0, 0 }\n};\nconst size_t charset_gb_wide_n = %u;\n", n);
	iconv_close(cd);
}

/* The Basic Multilingual Plane of GB 18030: runs of characters that follow each other. */
static void
gb4(void)
{
	unsigned char	b[4];
	uint32_t	c, expected = 1;	/* there is none at first */
	iconv_t		cd = open_set("GB18030");
	unsigned	i, n = 0;

	printf("const struct charset_gb_range charset_gb4[] = {\n");
	for (i = 0; i < 39420; i++) {
		b[0] = (unsigned char)(0x81 + i / 12600);
		b[1] = (unsigned char)(0x30 + i / 1260 % 10);
		b[2] = (unsigned char)(0x81 + i / 10 % 126);
		b[3] = (unsigned char)(0x30 + i % 10);
		c = ask(cd, b, 4);
		if (c > 0xffff)
			c = 0;
		if (c != expected) {
			printf("\t{ %u, %u },\n", i, (unsigned)c);
			n++;
		}
		expected = c == 0 ? 0 : c + 1;
	}
	printf("};\nconst size_t charset_gb4_n = %u;\n", n);
	iconv_close(cd);
}

/* Hong Kong's characters, and where it has none, what Windows has. */
static void
big5(void)
{
	unsigned char	plane2[126][(BIG5_TRAILS + 7) / 8] = { { 0 } };
	unsigned char	b[2];
	iconv_t		hk = open_set("BIG5-HKSCS"), win = open_set("CP950");
	unsigned	i, k;
	uint32_t	c;

	printf("const uint16_t charset_big5[126][%u] = {\n", BIG5_TRAILS);
	for (i = 0; i < 126; i++) {
		printf("{\t/* %02x */", from_81(i));
		for (k = 0; k < BIG5_TRAILS; k++) {
			b[0] = (unsigned char)from_81(i);
			b[1] = (unsigned char)trail_big5(k);
			if ((c = ask(hk, b, 2)) == 0)
				c = ask(win, b, 2);
			if (c >> 16 == 2)
				plane2[i][k / 8] |=
				    (unsigned char)(1u << k % 8);
			else if (c > 0xffff)
				errx(1, "Big5 %02x%02x: U+%04X", b[0], b[1],
				    (unsigned)c);
			item(k, (unsigned)(c & 0xffff));
		}
		printf(" },\n");
	}
	printf("};\nconst unsigned char charset_big5_plane2[126][%u] = {\n",
	    (unsigned)sizeof(plane2[0]));
	for (i = 0; i < 126; i++) {
		printf("{");
		for (k = 0; k < sizeof(plane2[0]); k++)
			item(k, plane2[i][k]);
		printf(" },\n");
	}
	printf("};\n");
	iconv_close(hk);
	iconv_close(win);
}

static void
bits(const unsigned char *b, size_t n)
{
	size_t	i;

	printf("{");
	for (i = 0; i < n; i++)
		item((unsigned)i, b[i]);
	printf(" },\n");
}

static uint32_t
ask_cns(iconv_t cd, unsigned plane, unsigned row, unsigned cell)
{
	const unsigned char	b[4] = { 0x8e, (unsigned char)(0xa0 + plane),
				    (unsigned char)(row + 0xa1),
				    (unsigned char)(cell + 0xa1) };

	return ask(cd, b, 4);
}

/* By EUC-TW. */
static void
cns(void)
{
	static const unsigned	planes[CNS_PLANES] = { 1, 2, 3, 4, 5, 6, 7,
				    15 };
	static unsigned char	plane2[CNS_PLANES][94][12];
	iconv_t			cd = open_set("EUC-TW");
	unsigned		p, i, k;
	uint32_t		c;

	printf("const uint16_t charset_cns[%d][94][94] = {\n", CNS_PLANES);
	for (p = 0; p < CNS_PLANES; p++) {
		printf("{\t/* plane %u */\n", planes[p]);
		for (i = 0; i < 94; i++) {
			printf("{");
			for (k = 0; k < 94; k++) {
				c = ask_cns(cd, planes[p], i, k);
				if (c >> 16 == 2)
					plane2[p][i][k / 8] |=
					    (unsigned char)(1u << k % 8);
				else if (c > 0xffff)
					errx(1, "CNS 11643: U+%04X",
					    (unsigned)c);
				item(k, (unsigned)(c & 0xffff));
			}
			printf(" },\n");
		}
		printf("},\n");
	}
	printf("};\nconst unsigned char charset_cns_plane2[%d][94][12] = {\n",
	    CNS_PLANES);
	for (p = 0; p < CNS_PLANES; p++) {
		printf("{\n");
		for (i = 0; i < 94; i++)
			bits(plane2[p][i], sizeof(plane2[p][i]));
		printf("},\n");
	}
	printf("};\n");
	iconv_close(cd);
}

/* Up to two characters; how many. */
static unsigned
ask_two(iconv_t cd, const unsigned char *bytes, size_t n, uint32_t c[2])
{
	char		 in[8], out[64], *from = in, *to = out;
	unsigned char	*u = (unsigned char *)out;
	size_t		 left = n, room = sizeof(out);
	unsigned	 i;

	memcpy(in, bytes, n);
	iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 || left != 0 ||
	    iconv(cd, NULL, NULL, &to, &room) == (size_t)-1 ||
	    (to != out + 4 && to != out + 8))
		return 0;
	for (i = 0; i < (unsigned)(to - out) / 4; i++, u += 4)
		c[i] = (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 |
		    (uint32_t)u[2] << 8 | u[3];
	return i;
}

struct jisx0213 {
	uint16_t		points[JISX0213_ROWS][94];
	unsigned char		plane2[JISX0213_ROWS][12], second[94];
	struct charset_double	doubles[94];
	unsigned		rows, ndoubles;
};

static void
jisx0213_take(struct jisx0213 *j, unsigned at, unsigned row, unsigned cell,
    const uint32_t c[2], unsigned n)
{
	if (c[0] >> 16 != 0 && c[0] >> 16 != 2)
		errx(1, "JIS X 0213: U+%04X", (unsigned)c[0]);
	if (n == 2) {
		if (at != row || j->ndoubles == nitems(j->doubles))
			errx(1, "JIS X 0213: too many of two characters");
		j->doubles[j->ndoubles++] = (struct charset_double){
			(uint16_t)((row + 0x21) << 8 | (cell + 0x21)),
			(uint16_t)c[0], (uint16_t)c[1] };
		return;
	}
	j->points[at][cell] = (uint16_t)c[0];
	if (c[0] >> 16 == 2)
		j->plane2[at][cell / 8] |= (unsigned char)(1u << cell % 8);
}

static void
jisx0213_row(iconv_t cd, struct jisx0213 *j, bool second, unsigned row)
{
	unsigned char	b[3] = { 0x8f, (unsigned char)(row + 0xa1) };
	uint32_t	c[2];
	unsigned	cell, n;

	for (cell = 0; cell < 94; cell++) {
		b[2] = (unsigned char)(cell + 0xa1);
		n = ask_two(cd, second ? b : b + 1, second ? 3 : 2, c);
		if (n == 0)
			continue;
		if (second && j->second[row] == 0) {
			if (j->rows == JISX0213_ROWS)
				errx(1, "JIS X 0213: too many rows");
			j->second[row] = (unsigned char)j->rows++;
		}
		jisx0213_take(j, second ? j->second[row] : row, row, cell, c,
		    n);
	}
}

static void
jisx0213(void)
{
	static struct jisx0213	j = { .rows = 94 };
	iconv_t			cd = open_set("EUC-JISX0213");
	unsigned		i, k;

	for (i = 0; i < 2 * 94; i++)
		jisx0213_row(cd, &j, i >= 94, i % 94);
	printf("const uint16_t charset_jisx0213_points[%d][94] = {\n",
	    JISX0213_ROWS);
	for (i = 0; i < JISX0213_ROWS; i++) {
		printf("{");
		for (k = 0; k < 94; k++)
			item(k, j.points[i][k]);
		printf(" },\n");
	}
	printf("};\nconst unsigned char charset_jisx0213_plane2[%d][12] = {\n",
	    JISX0213_ROWS);
	for (i = 0; i < JISX0213_ROWS; i++)
		bits(j.plane2[i], sizeof(j.plane2[i]));
	printf("};\nconst unsigned char charset_jisx0213_second[94] = {");
	for (i = 0; i < 94; i++)
		item(i, j.second[i]);
	printf(" };\nconst struct charset_double charset_jisx0213_doubles[] "
	    "= {\n");
	for (i = 0; i < j.ndoubles; i++)
		printf("\t{ %u, %u, %u },\n", j.doubles[i].pair,
		    j.doubles[i].first, j.doubles[i].second);
	printf("};\nconst size_t charset_jisx0213_doubles_n = %u;\n",
	    j.ndoubles);
	iconv_close(cd);
}

/* Which iconv(3) knows as a part of another set alone. */
static void
ir165(void)
{
	unsigned char	b[7] = "\33$)E\16", gb[2];
	iconv_t		cd = open_set("ISO-2022-CN-EXT");
	iconv_t		cd_gb = open_set("GB18030");
	unsigned	i, k, n = 0;
	uint32_t	c;

	printf("const struct charset_gb_wide charset_ir165[] = {\n");
	for (i = 0x21; i < 0x7f; i++)
		for (k = 0x21; k < 0x7f; k++) {
			b[5] = (unsigned char)i;
			b[6] = (unsigned char)k;
			gb[0] = (unsigned char)(i | 0x80);
			gb[1] = (unsigned char)(k | 0x80);
			c = ask(cd, b, 7);
			if (c > 0xffff)
				errx(1, "ISO-IR-165: U+%04X", (unsigned)c);
			if (c == ask(cd_gb, gb, 2))
				continue;
			printf("\t{ %u, %u },\n", i << 8 | k, (unsigned)c);
			n++;
		}
	printf("\t{ 65535, 0 }\n};\nconst size_t charset_ir165_n = %u;\n", n);
	iconv_close(cd);
	iconv_close(cd_gb);
}

int
main(void)
{
	printf("/* made by common/gen/make_charsets.c */\n"
	    "#include \"common/fmt/charset_impl.h\"\n");
	singles();
	pairs("charset_cp932", "CP932", CP932_TRAILS, lead_932, trail_932, 60);
	jis212();
	pairs("charset_cp949", "CP949", CP949_TRAILS, from_81, from_41, 126);
	pairs("charset_gb2", "GB18030", GB_TRAILS, from_81, from_40, 126);
	gb_wide();
	gb4();
	big5();
	jisx0213();
	cns();
	ir165();
	if (fflush(stdout) != 0 || ferror(stdout))
		err(1, "standard output");
	return 0;
}
