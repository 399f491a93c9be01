/* common/fmt/charset_impl.h - what the files of charset.h share, and the tables that common/gen/make_charsets.c writes. */
#ifndef FMT_CHARSET_IMPL_H
#define FMT_CHARSET_IMPL_H

#include <stddef.h>

#include "common/fmt/charset.h"

/* What a decoder gives instead of a character. */
#define CHARSET_BAD	0xfffffffeu	/* bytes that make no sense: U+FFFD */
#define CHARSET_NOTHING	0xffffffffu	/* no text: an escape sequence */

/*
 * The character that begins at the n bytes (at least one) of p, and how many bytes it has; 0: more bytes are needed
 * (never if last). It does not look farther than 8 bytes. point[1] is CHARSET_NOTHING already: Big5 has letters that
 * Unicode writes as two.
 */
typedef size_t charset_one(struct charset_state *, const unsigned char *p,
	    size_t n, bool last, uint32_t point[2]);

struct charset {
	charset_one	*one;
	bool		 is_ascii;	/* bytes below 0x80 are always themselves, but as trail bytes */
	const uint16_t	*table;		/* of a single-byte set */
	unsigned	 kind;		/* for the decoder */
};

charset_one	charset_ascii, charset_utf8, charset_single_byte,
		charset_utf16, charset_utf32, charset_utf7, charset_2022,
		charset_euc_jp, charset_shift_jis, charset_korean, charset_gb,
		charset_big5_pair, charset_hz, charset_euc_tw, charset_johab,
		charset_euc_jisx0213, charset_shift_jisx0213;

enum { CHARSET_BOM, CHARSET_BE, CHARSET_LE };	/* kinds of UTF-16 and -32 */
enum { CHARSET_JP, CHARSET_KR, CHARSET_CN };	/* and of ISO-2022 */

/* ---- tables; 0: no character */

extern const uint16_t	charset_single[][128];	/* of charset_list.h; 0x80.. */
extern const uint16_t	charset_greek[128];		/* upper half of ISO-8859-7 */
/* Lead 0x81..0x9f and 0xe0..0xfc, trail 0x40..0xfc without 0x7f. */
#define CP932_TRAILS	188
extern const uint16_t	charset_cp932[60][CP932_TRAILS];
extern const uint16_t	charset_jis212[94][94];
#define CP949_TRAILS	190	/* lead 0x81.., trail 0x41..0xfe */
extern const uint16_t	charset_cp949[126][CP949_TRAILS];
#define GB_TRAILS	191	/* lead 0x81.., trail 0x40..0xfe */
extern const uint16_t	charset_gb2[126][GB_TRAILS];
/* A few of them are beyond 16 bits: in the plane of U+20000. */
struct charset_gb_wide {
	uint16_t	pair, point;
};
extern const struct charset_gb_wide charset_gb_wide[];
extern const size_t	charset_gb_wide_n;
/* Four bytes, as a number: from here on points follow each other (0: none). */
struct charset_gb_range {
	uint16_t	from, point;
};
extern const struct charset_gb_range charset_gb4[];
extern const size_t	charset_gb4_n;
#define BIG5_TRAILS	157	/* lead 0x81.., trail 0x40..0x7e, 0xa1..0xfe */
extern const uint16_t	charset_big5[126][BIG5_TRAILS];
extern const unsigned char charset_big5_plane2[126][(BIG5_TRAILS + 7) / 8];

/* JIS X 0213: the first plane, and of the second the rows that have something. */
#define JISX0213_ROWS	(94 + 26)
extern const uint16_t	charset_jisx0213_points[JISX0213_ROWS][94];
extern const unsigned char charset_jisx0213_plane2[JISX0213_ROWS][12];
extern const unsigned char charset_jisx0213_second[94];	/* which row that is; 0: none */
/* Those that Unicode writes as two; pair: row and cell of seven bits, in order. */
struct charset_double {
	uint16_t	pair, first, second;
};
extern const struct charset_double charset_jisx0213_doubles[];
extern const size_t	charset_jisx0213_doubles_n;

/* CNS 11643, planes 1 to 7 and 15; those beyond 16 bits are in the plane of U+20000. */
#define CNS_PLANES	8
extern const uint16_t	charset_cns[CNS_PLANES][94][94];
extern const unsigned char charset_cns_plane2[CNS_PLANES][94][12];
/* What ISO-IR-165 has elsewhere than GB 2312, in order; pair: two bytes of seven bits. */
extern const struct charset_gb_wide charset_ir165[];
extern const size_t	charset_ir165_n;

/* Plane 1 or 2, row and cell 0..93; false: none. */
bool	charset_jisx0213(unsigned plane, unsigned row, unsigned cell, uint32_t c[2]);
/* Plane, row and cell 0..93. */
uint32_t	charset_cns11643(unsigned plane, unsigned row, unsigned cell);
/* Row and cell 0..93 of JIS X 0208 (with the vendors' rows) and KS X 1001, GB 2312; 0: none. */
uint32_t	charset_jis208(unsigned row, unsigned cell);
uint32_t	charset_ks1001(unsigned row, unsigned cell);
uint32_t	charset_gb2312(unsigned row, unsigned cell);
uint32_t	charset_isoir165(unsigned row, unsigned cell);

#endif
