/* tests/unit/test_charset.c - character sets: our tables against iconv(3), by all bytes and pairs; broken text; names. */
#include <check.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/charset.h"
#include "common/fmt/charset_list.h"
#include "common/fmt/utf8.h"

static void
convert(const struct charset *set, struct str in, size_t step, struct buf *out)
{
	struct charset_state	cs;
	size_t			n;

	charset_begin(&cs, set);
	for (; in.n > 0; in.p += n, in.n -= n) {
		n = in.n < step ? in.n : step;
		ck_assert_int_eq(charset_feed(&cs, (struct str){ in.p, n },
		    out), 0);
	}
	ck_assert_int_eq(charset_end(&cs, out), 0);
}

/* What iconv makes of it; false: it makes no sense. */
static bool
ask(iconv_t cd, struct str s, char *out, size_t *n)
{
	char	in[8], *from = in, *to = out;
	size_t	left = s.n, room = *n;

	memcpy(in, s.p, s.n);
	iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 ||
	    iconv(cd, NULL, NULL, &to, &room) == (size_t)-1)
		return false;
	*n = (size_t)(to - out);
	return true;
}

START_TEST(one_byte)
{
	const struct charset	*set =
	    charset_find(str_from(charset_list[_i].iconv));
	iconv_t		 cd = iconv_open("UTF-8", charset_list[_i].iconv);
	char		 byte, want[32];
	struct buf	 b;
	unsigned	 i;
	size_t		 n;

	ck_assert_ptr_nonnull(set);
	ck_assert(cd != (iconv_t)-1);
	buf_init(&b, 100);
	for (i = 0x80; i < 0x100; i++) {
		byte = (char)i;
		n = sizeof(want);
		if (!ask(cd, (struct str){ &byte, 1 }, want, &n))
			n = (size_t)snprintf(want, sizeof(want),
			    "\xef\xbf\xbd");
		buf_reset(&b);
		convert(set, (struct str){ &byte, 1 }, 1, &b);
		ck_assert_msg(str_eq(buf_view(&b), (struct str){ want, n }),
		    "%s %02x: %.*s", charset_list[_i].iconv, i,
		    STR_ARG(buf_view(&b)));
	}
	buf_free(&b);
	iconv_close(cd);
}
END_TEST

static const struct {
	const char	*name, *iconv;
	unsigned	 lead, last, trail;	/* bytes that are asked for */
} pair_rows[] = {
	{ "Shift_JIS", "CP932", 0x81, 0x9f, 0x40 },
	{ "Shift_JIS", "CP932", 0xe0, 0xfc, 0x40 },
	{ "EUC-JP", "EUC-JP-MS", 0xa1, 0xf4, 0xa1 },
	{ "EUC-KR", "CP949", 0x81, 0xfe, 0x41 },
	{ "GB18030", "GB18030", 0x81, 0xfe, 0x40 },
	{ "GBK", "GBK", 0x81, 0xfe, 0x40 },
	{ "GB2312", "EUC-CN", 0xa1, 0xfe, 0xa1 },
	{ "Big5", "BIG5-HKSCS", 0x81, 0xfe, 0x40 },
	{ "EUC-JISX0213", "EUC-JISX0213", 0xa1, 0xfe, 0xa1 },
	{ "Shift_JISX0213", "SHIFT_JISX0213", 0x81, 0x9f, 0x40 },
	{ "Shift_JIS-2004", "SHIFT_JISX0213", 0xe0, 0xfc, 0x40 },
	{ "EUC-TW", "EUC-TW", 0xa1, 0xfe, 0xa1 },
	{ "Johab", "JOHAB", 0x84, 0xf9, 0x31 },
	{ "cp950", "CP950", 0x81, 0xfe, 0x40 },
};

/* Where iconv's sets differ from each other the wider one was taken. */
static bool
differs(const char *set, unsigned pair)
{
	static const struct {
		const char	*set;
		unsigned	 from, to;
	} rows[] = {
		{ "GBK", 0xa1a4, 0xa1a4 }, { "GBK", 0xa1aa, 0xa1aa },
		{ "EUC-CN", 0xa1a4, 0xa1a4 }, { "EUC-CN", 0xa1aa, 0xa1aa },
		{ "CP950", 0x8140, 0xa3fe }, { "CP950", 0xc6a1, 0xc8fe },
		{ "CP950", 0xf9d6, 0xfefe },
	};
	size_t	i;

	for (i = 0; i < nitems(rows); i++)
		if (strcmp(rows[i].set, set) == 0 && pair >= rows[i].from &&
		    pair <= rows[i].to)
			return true;
	return false;
}

START_TEST(two_bytes)
{
	const struct charset	*set =
	    charset_find(str_from(pair_rows[_i].name));
	iconv_t		 cd = iconv_open("UTF-8", pair_rows[_i].iconv);
	char		 pair[2], want[32];
	unsigned	 lead, trail, known = 0;
	struct buf	 b;
	size_t		 n;

	ck_assert_ptr_nonnull(set);
	ck_assert(cd != (iconv_t)-1);
	buf_init(&b, 100);
	for (lead = pair_rows[_i].lead; lead <= pair_rows[_i].last; lead++)
		for (trail = pair_rows[_i].trail; trail < 0xff; trail++) {
			pair[0] = (char)lead;
			pair[1] = (char)trail;
			n = sizeof(want);
			if (!ask(cd, (struct str){ pair, 2 }, want, &n) ||
			    differs(pair_rows[_i].iconv, lead << 8 | trail))
				continue;
			known++;
			buf_reset(&b);
			convert(set, (struct str){ pair, 2 }, 1, &b);
			ck_assert_msg(str_eq(buf_view(&b),
			    (struct str){ want, n }), "%s %x%x: %.*s not %.*s",
			    pair_rows[_i].iconv, lead, trail,
			    STR_ARG(buf_view(&b)), (int)n, want);
		}
	ck_assert_uint_gt(known, 3000);
	buf_free(&b);
	iconv_close(cd);
}
END_TEST

/* Sets with states, and those of more than two bytes: all that iconv can write, in texts, read as iconv reads it. */
static const struct {
	const char	*name;		/* iconv's, too */
	uint32_t	 last;		/* farther on it has nothing */
	unsigned	 known;		/* so many characters at least */
} states[] = {
	{ "EUC-TW", 0x2fa1f, 48000 }, { "JOHAB", 0xffff, 16800 },
	{ "ISO-2022-CN", 0xffff, 16000 }, { "ISO-2022-CN-EXT", 0x2fa1f, 51000 },
	{ "ISO-2022-KR", 0xffff, 8100 }, { "ISO-2022-JP", 0xffff, 6900 },
	{ "ISO-2022-JP-2", 0xffff, 13000 }, { "ISO-2022-JP-3", 0x2a6ff, 11000 },
	{ "EUC-JISX0213", 0x2a6ff, 11000 }, { "SHIFT_JISX0213", 0x2a6ff, 11000 },
	{ "UTF-7", 0xffff, 60000 }, { "UTF-16", 0x10fff, 60000 },
	{ "UTF-32", 0x10fff, 60000 }, { "GB18030", 0x10fff, 60000 },
	{ "BIG5-HKSCS", 0x2fa1f, 18000 },
};

/* JIS X 0208 and GB 2312 are read as Windows does, and as everybody sends them; iconv has other signs for these. */
static bool
is_windows_sign(const char *set, uint32_t c)
{
	static const uint16_t	signs[] = { 0x5c, 0x7e, 0xa2, 0xa3, 0xa5, 0xac,
	    0xb7, 0x2014, 0x2015, 0x2016, 0x203e, 0x2212, 0x2225, 0x301c,
	    0x30fb, 0xff5e };
	size_t			i;

	for (i = 0; i < nitems(signs); i++)
		if (signs[i] == c)
			return strncmp(set, "ISO-2022-JP", 11) == 0 ||
			    strcmp(set, "SHIFT_JISX0213") == 0 ||
			    strncmp(set, "ISO-2022-CN", 11) == 0;
	return false;
}

static bool
whole(iconv_t cd, struct str in, struct buf *out)
{
	char	*from = (char *)(uintptr_t)in.p, *to = out->p;
	size_t	 left = in.n, room = 4096;

	iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 ||
	    iconv(cd, NULL, NULL, &to, &room) == (size_t)-1)
		return false;
	out->n = (size_t)(to - out->p);
	return true;
}

static void
same_text(const char *name, iconv_t write, iconv_t read, struct str text,
    struct buf *bytes, struct buf *want, struct buf *got)
{
	size_t	i;

	ck_assert(whole(write, text, bytes));
	ck_assert_msg(whole(read, buf_view(bytes), want), "%s: %.*s", name,
	    STR_ARG(text));
	buf_reset(got);
	convert(charset_find(str_from(name)), buf_view(bytes), 7, got);
	for (i = 0; i < want->n && i < got->n && want->p[i] == got->p[i]; i++)
		;
	ck_assert_msg(str_eq(buf_view(got), buf_view(want)), "%s: %.8s not "
	    "%.8s", name, i < got->n ? got->p + i : "", want->p + i);
}

START_TEST(with_states)
{
	const char	*name = states[_i].name;
	iconv_t		 write = iconv_open(name, "UTF-8");
	iconv_t		 read = iconv_open("UTF-8", name);
	struct buf	 b[4], one;
	/* glibc mixes up the planes of two that follow each other */
	bool		 alone = strncmp(name, "ISO-2022-CN", 11) == 0;
	unsigned	 known = 0, i;
	uint32_t	 c;

	ck_assert(write != (iconv_t)-1 && read != (iconv_t)-1);
	for (i = 0; i < nitems(b); i++) {
		buf_init(&b[i], 8192);
		ck_assert_int_eq(buf_reserve(&b[i], 4096), 0);
	}
	buf_init(&one, 8);
	for (c = ' '; c <= states[_i].last; c++) {
		buf_reset(&one);
		if (is_windows_sign(name, c) || c == 0xfeff ||
		    (c >= 0x7f && c < 0xa0) ||
		    (c >= 0xe0000 && c < 0xe0080) || !utf8_put(&one, c) ||
		    !whole(write, buf_view(&one), &b[1]))
			continue;
		known++;
		buf_addstr(&b[0], buf_view(&one));
		if (c % 3 == 0 && !alone)
			buf_adds(&b[0], c % 7 == 0 ? "a\n" : "b-");
		if (b[0].n > 300 || alone) {
			same_text(name, write, read, buf_view(&b[0]), &b[1],
			    &b[2], &b[3]);
			buf_reset(&b[0]);
		}
	}
	same_text(name, write, read, buf_view(&b[0]), &b[1], &b[2], &b[3]);
	ck_assert_msg(known >= states[_i].known, "%s: %u", name, known);
	for (i = 0; i < nitems(b); i++)
		buf_free(&b[i]);
	buf_free(&one);
	iconv_close(write);
	iconv_close(read);
}
END_TEST

/* GB 18030's four bytes: the whole of Unicode there and back. */
START_TEST(four_bytes)
{
	const struct charset	*set = charset_find(STR("gb18030"));
	iconv_t		 cd = iconv_open("GB18030", "UTF-8");
	char		 bytes[8];
	struct buf	 b, u;
	uint32_t	 c;
	size_t		 n;

	ck_assert(cd != (iconv_t)-1);
	buf_init(&b, 100);
	buf_init(&u, 100);
	for (c = 0x80; c < 0x110000; c += c < 0x10000 ? 1 : 977) {
		buf_reset(&u);
		n = sizeof(bytes);
		if (!utf8_put(&u, c) || !ask(cd, buf_view(&u), bytes, &n))
			continue;
		buf_reset(&b);
		convert(set, (struct str){ bytes, n }, 3, &b);
		ck_assert_msg(str_eq(buf_view(&b), buf_view(&u)), "U+%04X: "
		    "%.*s", (unsigned)c, STR_ARG(buf_view(&b)));
	}
	buf_free(&b);
	buf_free(&u);
	iconv_close(cd);
}
END_TEST

static const struct {
	const char	*set;
	struct str	 in;
	const char	*out;
} rows[] = {
	{ "utf-8", STR("a\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80"),
	    "a\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "utf-8", STR("a\xffz"), "a\xef\xbf\xbdz" },
	{ "utf-8", STR("\xe2\x82z\xf0\x9f\x98"), "\xef\xbf\xbdz\xef\xbf\xbd" },
	{ "utf-8", STR("\xed\xa0\x80"),
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "", STR("gr\xc3\xbc\xdf"), "gr\xc3\xbc\xc3\x9f" },
	{ "us-ascii", STR("\xe9\x94z\x81"),
	    "\xc3\xa9\xe2\x80\x9dz\xef\xbf\xbd" },
	{ "ISO-8859-1", STR("\xe4\x80"), "\xc3\xa4\xe2\x82\xac" },
	{ "utf-16", STR("\xfe\xff\0a\xd8\x3d\xde\0"), "a\xf0\x9f\x98\x80" },
	{ "utf-16", STR("\xff\xfe" "a\0\x3d\xd8\0\xde"),
	    "a\xf0\x9f\x98\x80" },
	{ "utf-16", STR("\0a\0b"), "ab" },
	{ "utf-16le", STR("a\0b\0c"), "ab\xef\xbf\xbd" },
	{ "utf-16be", STR("\xd8\0\0a\xdc\0"), "\xef\xbf\xbd" "a\xef\xbf\xbd" },
	{ "utf-32", STR("\xff\xfe\0\0\0\xf6\1\0"), "\xf0\x9f\x98\x80" },
	{ "utf-32be", STR("\0\0\0a\0\x11\0\0"), "a\xef\xbf\xbd" },
	{ "utf-7", STR("Hi Mom -+Jjo--!"), "Hi Mom -\xe2\x98\xba-!" },
	{ "utf-7", STR("A+ImIDkQ."), "A\xe2\x89\xa2\xce\x91." },
	{ "utf-7", STR("1+-1+2D3eAA-"), "1+1\xf0\x9f\x98\x80" },
	{ "utf-7", STR("+2D0AYQ-+"), "a+" },
	{ "iso-2022-jp", STR("a\33$B4A;z\33(Bz"),
	    "a\xe6\xbc\xa2\xe5\xad\x97z" },
	{ "iso-2022-jp", STR("\33$@\x34\x41\33(J\\\33(I1\33(B"),
	    "\xe6\xbc\xa2\xc2\xa5\xef\xbd\xb1" },
	{ "iso-2022-jp-2", STR("\33$A=;\33$(Dw!\33.A\33Ni"),
	    "\xe4\xba\xa4\xef\xbf\xbd\xc3\xa9" },
	{ "iso-2022-jp", STR("\33$B4"), "\xef\xbf\xbd" },
	{ "iso-2022-jp", STR("\33xy\33"), "\xef\xbf\xbdxy\xef\xbf\xbd" },
	{ "iso-2022-kr", STR("\33$)C\16GQ1\33\17a"),
	    "\xed\x95\x9c\xef\xbf\xbd\xef\xbf\xbd" "a" },
	{ "iso-2022-kr", STR("\33$)CKorean \16GQ1[\nab\16GQ\17."),
	    "Korean \xed\x95\x9c\xea\xb8\x80\nab\xed\x95\x9c." },
	{ "iso-2022-jp-2004", STR("\33$(Q\x24\x77\x2e\x21\33$(P!!\33(B"),
	    "\xe3\x81\x8b\xe3\x82\x9a\xe4\xbf\xb1\xf0\xa0\x82\x89" },
	{ "iso-2022-cn", STR("\33$)A\16=;\17x"), "\xe4\xba\xa4x" },
	{ "iso-2022-cn", STR("\33$)G\16D!\33$*H\33N!!\17x\33N!"),
	    "\xe4\xb8\x80\xe4\xb9\x82x\xef\xbf\xbd" },
	{ "iso-2022-cn-ext", STR("\33$+I\33O!!\33O"),
	    "\xe4\xb8\xa8\xef\xbf\xbd" },
	{ "euc-tw", STR("\xc4\xa1\x8e\xa2\xa1\xa1z\x8e\xa2\xa1z\x8e\xa2"),
	    "\xe4\xb8\x80\xe4\xb9\x82z\xef\xbf\xbdz\xef\xbf\xbd" },
	{ "euc-tw", STR("\x8e\xb0\xa1\xa1\xa1"),
	    "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "johab", STR("\x88\x61\x84\x41\x88\x41\xff\x88"),
	    "\xea\xb0\x80\xef\xbf\xbd" "A\xe3\x84\xb1\xef\xbf\xbd\xef\xbf\xbd" },
	{ "hz-gb-2312", STR("a~{<:Ky2;S{~}~~b~\nc"),
	    "a\xe5\xb7\xb1\xe6\x89\x80\xe4\xb8\x8d\xe6\xac\xb2~bc" },
	{ "euc-jp", STR("\xb4\xc1\x8e\xb1\x8f\xb0\xa1\xff\xb4z"),
	    "\xe6\xbc\xa2\xef\xbd\xb1\xe4\xb8\x82\xef\xbf\xbd\xef\xbf\xbdz" },
	{ "shift_jis", STR("\x8a\xbf\xb1\\\x81z\x81"),
	    "\xe6\xbc\xa2\xef\xbd\xb1\\\xe3\x80\x91\xef\xbf\xbd" },
	{ "big5", STR("\x88\x62\xa4\xa4"), "\xc3\x8a\xcc\x84\xe4\xb8\xad" },
	{ "euc-kr", STR("\xc7\xd1\xc7"), "\xed\x95\x9c\xef\xbf\xbd" },
	{ "gb2312", STR("\xd6\xd0\x80\xd6 "),
	    "\xe4\xb8\xad\xe2\x82\xac\xef\xbf\xbd " },
};

START_TEST(texts)
{
	const struct charset	*set = charset_find(str_from(rows[_i].set));
	struct buf		 b;
	size_t			 step;

	ck_assert_ptr_nonnull(set);
	buf_init(&b, 1000);
	for (step = 1; step < 20; step++) {
		buf_reset(&b);
		convert(set, rows[_i].in, step, &b);
		ck_assert_msg(str_eq(buf_view(&b), str_from(rows[_i].out)),
		    "%d %s by %zu: %.*s", _i, rows[_i].set, step,
		    STR_ARG(buf_view(&b)));
	}
	buf_free(&b);
}
END_TEST

START_TEST(names)
{
	static const char *const	same[][2] = {
		{ "UTF-8", "utf8" }, { "ISO_8859-1:1987", "latin1" },
		{ "x-sjis", "Windows-31J" }, { "utf-8*en", "UTF_8" },
		{ "windows-1252", "CP1252" }, { "KS_C_5601-1987", "euc-kr" },
		{ "iso-8859-8-i", "ISO-8859-8" }, { "x-mac-roman", "mac" },
		{ " us-ascii ", "" }, { "GB_2312-80", "gb2312" },
	};
	static const char *const	unknown[] = {
		"x", "-", "utf-9", "utf", "windows", "iso8859", "x-unknown-x",
		"a name that is longer than any that could be of a charset",
		"utf-8 utf-16",
	};
	size_t	i;

	for (i = 0; i < nitems(same); i++) {
		ck_assert_ptr_nonnull(charset_find(str_from(same[i][0])));
		ck_assert_ptr_eq(charset_find(str_from(same[i][0])),
		    charset_find(str_from(same[i][1])));
	}
	for (i = 0; i < nitems(unknown); i++)
		ck_assert_ptr_null(charset_find(str_from(unknown[i])));
	ck_assert_ptr_ne(charset_find(STR("iso-8859-1")),
	    charset_find(STR("iso-8859-11")));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("charset");
	TCase	*t = tcase_create("charset");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, one_byte, 0, nitems(charset_list));
	tcase_add_loop_test(t, two_bytes, 0, nitems(pair_rows));
	tcase_add_test(t, four_bytes);
	tcase_add_loop_test(t, with_states, 0, nitems(states));
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, texts, 0, nitems(rows));
	tcase_add_test(t, names);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
