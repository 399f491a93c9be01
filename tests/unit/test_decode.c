/* tests/unit/test_decode.c - transfer encodings as they are in mail, in one piece and byte by byte. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/decode.h"

static const struct {
	enum mime_encoding	 encoding;
	struct str		 in, out;
	bool			 malformed;
} rows[] = {
	{ MIME_7BIT, STR("a=41\nQQ==\r\n"), STR("a=41\nQQ==\r\n"), false },
	{ MIME_BINARY, STR("a\0b"), STR("a\0b"), false },
	{ MIME_UNKNOWN, STR("=41"), STR("=41"), false },
	/* base64 */
	{ MIME_BASE64, STR(""), STR(""), false },
	{ MIME_BASE64, STR("QUJD"), STR("ABC"), false },
	{ MIME_BASE64, STR("QUI="), STR("AB"), false },
	{ MIME_BASE64, STR("QQ=="), STR("A"), false },
	{ MIME_BASE64, STR("QU\r\nJ\tD\nQUJ D\r\n"), STR("ABCABC"), false },
	{ MIME_BASE64, STR("+/+/"), STR("\373\377\277"), false },
	{ MIME_BASE64, STR("AAAA////"), STR("\0\0\0\377\377\377"), false },
	{ MIME_BASE64, STR("QUJDQ"), STR("ABC"), true },
	{ MIME_BASE64, STR("QUJDQQ"), STR("ABCA"), true },
	{ MIME_BASE64, STR("QUJDQUI"), STR("ABCAB"), true },
	{ MIME_BASE64, STR("QQ="), STR("A"), true },
	{ MIME_BASE64, STR("QQ==="), STR("A"), true },
	{ MIME_BASE64, STR("QUI=="), STR("AB"), true },
	{ MIME_BASE64, STR("Q==="), STR(""), true },
	{ MIME_BASE64, STR("=QUJD"), STR(""), true },
	{ MIME_BASE64, STR("QU*J\200D"), STR("ABC"), true },
	{ MIME_BASE64, STR("QU-_JD"), STR("ABC"), true },
	{ MIME_BASE64, STR("QUI=\r\n\r\n"), STR("AB"), false },
	{ MIME_BASE64, STR("QUI=\n-- \na list's footer\n"), STR("AB"), true },
	/* quoted-printable */
	{ MIME_QP, STR("=41=4a=4A"), STR("AJJ"), false },
	{ MIME_QP, STR("a\nb\r\nc"), STR("a\r\nb\r\nc"), false },
	{ MIME_QP, STR("so=\nft=\r\n end=  \t\r\ns= \n"), STR("soft ends"),
	    false },
	{ MIME_QP, STR("a \t\nb  \r\n\r\n c "), STR("a\r\nb\r\n\r\n c"),
	    false },
	{ MIME_QP, STR("a=20\nb =20\n"), STR("a \r\nb  \r\n"), false },
	{ MIME_QP, STR("a=20 \n"), STR("a \r\n"), false },
	{ MIME_QP, STR("a ="), STR("a "), false },
	{ MIME_QP, STR("a = "), STR("a "), false },
	{ MIME_QP, STR("a =4"), STR("a =4"), true },
	{ MIME_QP, STR("=XY=4Z=4"), STR("=XY=4Z=4"), true },
	{ MIME_QP, STR("1=1==31"), STR("1=1=1"), true },
	{ MIME_QP, STR("= x=\t=41"), STR("= x=\tA"), true },
	{ MIME_QP, STR("a\rb \rc\r"), STR("a\rb \rc"), false },
	{ MIME_QP, STR("=\r=\r\n=00\0\377"), STR("=\r\0\0\377"), true },
};

/* In pieces of so many bytes. */
static void
decode(size_t row, size_t step)
{
	struct str	in = rows[row].in, piece;
	struct decode	d;
	struct buf	b;

	buf_init(&b, 1000);
	decode_begin(&d, rows[row].encoding);
	while (in.n > 0) {
		piece = (struct str){ in.p, in.n < step ? in.n : step };
		ck_assert_int_eq(decode_feed(&d, piece, &b), 0);
		in.p += piece.n;
		in.n -= piece.n;
	}
	ck_assert_int_eq(decode_end(&d, &b), 0);
	ck_assert_msg(str_eq(buf_view(&b), rows[row].out),
	    "%zu by %zu: %.*s", row, step, STR_ARG(buf_view(&b)));
	ck_assert_int_eq(d.malformed, rows[row].malformed);
	buf_free(&b);
}

START_TEST(encodings)
{
	size_t	step;

	for (step = 1; step < 40; step++)
		decode((size_t)_i, step);
}
END_TEST

/* Blanks without end are not held for ever, nor lost. */
START_TEST(many_blanks)
{
	const struct str	blanks = STR("                          ");
	struct decode		d;
	struct buf		b;
	int			i;

	buf_init(&b, 100000);
	decode_begin(&d, MIME_QP);
	ck_assert_int_eq(decode_feed(&d, STR("="), &b), 0);
	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(decode_feed(&d, blanks, &b), 0);
	ck_assert_int_eq(decode_feed(&d, STR("."), &b), 0);
	ck_assert_int_eq(decode_end(&d, &b), 0);
	ck_assert(d.malformed);
	ck_assert_uint_eq(b.n, 1000 * blanks.n + 2);
	buf_free(&b);
}
END_TEST

START_TEST(no_room)
{
	struct decode	d;
	struct buf	b;

	buf_init(&b, 4);
	decode_begin(&d, MIME_QP);
	ck_assert_int_eq(decode_feed(&d, STR("a=41a=41a"), &b), -1);
	buf_reset(&b);
	decode_begin(&d, MIME_BASE64);
	ck_assert_int_eq(decode_feed(&d, STR("QUJDQUJDQUJD"), &b), -1);
	buf_free(&b);
}
END_TEST

static const struct {
	const char	*in, *out;
} pages[] = {
	{ "", "" }, { "plain", "plain" }, { "a<b>b</b>c", "abc" },
	{ "a<br>b<BR/>c", "a b c" }, { "<p class=\"x>y\">a</p>", " a " },
	{ "<a href='>'>x</a>", "x" }, { "<!-- > -- > -->a<!--->b-->c", "ac" },
	{ "<!DOCTYPE html>a<?xml x?>b", "ab" },
	{ "<HEAD><title>t</title><meta x></head><body>a", "  a" },
	{ "<head><style>x</style><body>a", " a" },
	{ "<script>if (a<b) x('</p>') && y</script>a", " a" },
	{ "<style>p > a { }</STYLE >a", " a" },
	{ "a &lt; b &amp;&amp; c&gt;d", "a < b && c>d" },
	{ "&Auml;&auml;&euro;&#228;&#xE4;&#X20ac;",
	    "\xc3\x84\xc3\xa4\xe2\x82\xac\xc3\xa4\xc3\xa4\xe2\x82\xac" },
	{ "a&nbsp;b", "a\xc2\xa0" "b" }, { "&copy 2", "\xc2\xa9 2" },
	{ "AT&T & x &unknown; &#; &#xd800; &#99999999999;",
	    "AT&T & x &unknown; &#; &#xd800; &#99999999999;" },
	{ "&averylongnameindeed;", "&averylongnameindeed;" },
	{ "1 < 2 <3 x<", "1 < 2 <3 x" }, { "a&lt<b>", "a<" },
	{ "<averylongnameindeed>a", " a" }, { "\xc3\xa4<b\xc3\xa4", "\xc3\xa4" },
};

START_TEST(tags)
{
	struct untag	u;
	struct buf	b;
	struct str	in;
	size_t		step, n;

	buf_init(&b, 1000);
	for (step = 1; step < 60; step++) {
		buf_reset(&b);
		untag_begin(&u);
		in = str_from(pages[_i].in);
		for (; in.n > 0; in.p += n, in.n -= n) {
			n = in.n < step ? in.n : step;
			ck_assert_int_eq(untag_feed(&u,
			    (struct str){ in.p, n }, &b), 0);
		}
		ck_assert_msg(str_eq(buf_view(&b), str_from(pages[_i].out)),
		    "%s by %zu: %.*s", pages[_i].in, step,
		    STR_ARG(buf_view(&b)));
	}
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("decode");
	TCase	*t = tcase_create("decode");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, encodings, 0, nitems(rows));
	tcase_add_loop_test(t, tags, 0, nitems(pages));
	tcase_add_test(t, many_blanks);
	tcase_add_test(t, no_room);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
