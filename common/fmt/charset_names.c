/* common/fmt/charset_names.c - character sets by the names that mail gives them; pure. */
#include <string.h>

#include "common/fmt/charset_impl.h"
#include "common/fmt/charset_list.h"
#include "common/fmt/cur.h"

#define NAME_MAX_LEN	40

static const struct {
	struct charset	 set;
	const char	*names;		/* as in charset_list.h */
} sets[] = {
	{ { charset_utf8, true, NULL, 0 },
	    "utf8 unicode11utf8 unicode20utf8 utf8mb4 utf8mac utf8bom 65001"
	    " cp65001" },
	{ { charset_ascii, true, NULL, 0 },
	    "usascii ascii ansix341968 ansix341986 iso646us iso646irv1991 us"
	    " isoir6 ibm367 cp367 csascii 646 7bit 8bit unknown8bit unknown"
	    " default none null" },
	{ { charset_utf16, false, NULL, CHARSET_BOM },
	    "utf16 iso10646ucs2 ucs2 unicode csunicode" },
	{ { charset_utf16, false, NULL, CHARSET_BE },
	    "utf16be ucs2be unicodebe unicodefffe" },
	{ { charset_utf16, false, NULL, CHARSET_LE },
	    "utf16le ucs2le unicodele" },
	{ { charset_utf32, false, NULL, CHARSET_BOM },
	    "utf32 iso10646ucs4 ucs4 csucs4" },
	{ { charset_utf32, false, NULL, CHARSET_BE }, "utf32be ucs4be" },
	{ { charset_utf32, false, NULL, CHARSET_LE }, "utf32le ucs4le" },
	{ { charset_utf7, false, NULL, 0 },
	    "utf7 unicode11utf7 csunicode11utf7 cp65000 65000" },
	{ { charset_2022, false, NULL, CHARSET_JP },
	    "iso2022jp iso2022jp1 iso2022jp2 iso2022jp3 iso2022jp2004"
	    " iso2022jpms iso2022jpext csiso2022jp csiso2022jp2 cp50220"
	    " cp50221 cp50222 jis jis7" },
	{ { charset_2022, false, NULL, CHARSET_KR },
	    "iso2022kr csiso2022kr cp50225" },
	{ { charset_2022, false, NULL, CHARSET_CN },
	    "iso2022cn iso2022cnext csiso2022cn cp50227" },
	{ { charset_hz, false, NULL, 0 }, "hzgb2312 hz cp52936" },
	{ { charset_euc_jp, true, NULL, 0 },
	    "eucjp eucjpms eucjpwin cp51932 ujis cseucpkdfmtjapanese"
	    " extendedunixcodepackedformatforjapanese" },
	{ { charset_shift_jis, true, NULL, 0 },
	    "shiftjis sjis mskanji csshiftjis windows31j cp932 ms932"
	    " windows932 sjiswin cswindows31j pck ibm943 cp943" },
	{ { charset_euc_jisx0213, true, NULL, 0 },
	    "eucjisx0213 eucjis2004" },
	{ { charset_shift_jisx0213, true, NULL, 0 },
	    "shiftjisx0213 shiftjis2004 sjisx0213 sjis2004" },
	{ { charset_euc_tw, true, NULL, 0 }, "euctw cns11643 cseuctw" },
	{ { charset_johab, false, NULL, 0 },
	    "johab cp1361 ms1361 windows1361 ksc56011992" },
	{ { charset_korean, true, NULL, 0 },
	    "euckr uhc cp949 ms949 windows949 ksc56011987 ksc56011989 ksc5601"
	    " isoir149 korean cseuckr csksc56011987 ks" },
	{ { charset_gb, true, NULL, 0 },
	    "gb18030 gbk gb2312 cp936 ms936 windows936 euccn gb231280"
	    " gb23121980 chinese isoir58 csgb2312 csiso58gb231280 cngb"
	    " csgbk csgb18030 gb" },
	{ { charset_big5_pair, true, NULL, 0 },
	    "big5 big5hkscs cp950 ms950 windows950 cnbig5 csbig5 bigfive"
	    " big5eten csbig5hkscs cp951" },
};

/* Made of the list; each has a table of its own. */
static const struct charset singles[] = {
#define SINGLE(i)	{ charset_single_byte, true, charset_single[i], 0 }
#define FIVE(i)	\
	SINGLE(i), SINGLE(i + 1), SINGLE(i + 2), SINGLE(i + 3), SINGLE(i + 4)
#define TEN(i)	FIVE(i), FIVE(i + 5)
	TEN(0), TEN(10), TEN(20), TEN(30), TEN(40)
};
_Static_assert(nitems(singles) == nitems(charset_list), "one for each");

/* Lower case, without punctuation, "x-" in front, and what some put behind ("*en", ":1987"). */
static bool
plain_name(struct str name, char out[NAME_MAX_LEN + 1])
{
	size_t	i, n = 0;
	char	c;

	name = str_trim(name);
	if (str_starts_nocase(name, STR("x-"))) {
		name.p += 2;
		name.n -= 2;
	}
	for (i = 0; i < name.n; i++) {
		c = name.p[i];
		if (n > 0 && (c == '*' || c == ':'))
			break;
		if (!is_alnum((unsigned char)c))
			continue;
		if (n == NAME_MAX_LEN)
			return false;
		out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 0x20) : c;
	}
	out[n] = '\0';
	return n > 0;
}

/* Is it one of the words? */
static bool
has(const char *names, const char *name)
{
	size_t	n = strlen(name), len;

	for (; *names != '\0'; names += len) {
		if (*names == ' ')
			names++;
		len = strcspn(names, " ");
		if (len == n && memcmp(names, name, n) == 0)
			return true;
	}
	return false;
}

const struct charset *
charset_find(struct str name)
{
	char	plain[NAME_MAX_LEN + 1];
	size_t	i;

	if (name.n == 0)
		return &sets[1].set;
	if (!plain_name(name, plain))
		return NULL;
	for (i = 0; i < nitems(sets); i++)
		if (has(sets[i].names, plain))
			return &sets[i].set;
	for (i = 0; i < nitems(charset_list); i++)
		if (has(charset_list[i].names, plain))
			return &singles[i];
	return NULL;
}
