/* tests/unit/test_words.c - encoded words as they are found in mail, parameters, base subjects. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "common/fmt/words.h"

static const struct {
	const char	*in, *out;
} words[] = {
	{ "", "" }, { "plain", "plain" }, { "  two  words ", "two  words" },
	{ "folded\r\n line\n\ttab", "folded line tab" },
	{ "=?us-ascii?Q?a?=", "a" }, { "=?UTF-8?b?w7ZrbwA=?=", "\xc3\xb6ko " },
	{ "=?ISO-8859-1?Q?a_b=E4?=", "a b\xc3\xa4" },
	{ "=?utf-8*en?q?=C3=A4?=", "\xc3\xa4" },
	/* between two of them blanks are nothing (RFC 2047 8) */
	{ "(=?ISO-8859-1?Q?a?= b)", "(a b)" },
	{ "=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab" },
	{ "=?ISO-8859-1?Q?a?=\r\n \t=?utf-8?Q?b?= c", "ab c" },
	{ "=?ISO-8859-1?Q?a_b?=", "a b" },
	{ "=?us-ascii?Q?a?= =?us-ascii?Q?_b?=", "a b" },
	/* a character begun in one and ended in the next */
	{ "=?utf-8?B?w6TD?= =?utf-8?B?tg==?=", "\xc3\xa4\xc3\xb6" },
	{ "=?utf-8?Q?=E2=82?= =?UTF8?B?rA==?=", "\xe2\x82\xac" },
	{ "=?utf-8?Q?=E2=82?= =?iso-8859-1?Q?=E4?=",
	    "\xef\xbf\xbd\xc3\xa4" },
	{ "=?utf-8?Q?=E2=82?=.", "\xef\xbf\xbd." },
	{ "=?iso-2022-jp?B?GyRCNEE7ehsoQg==?=",
	    "\xe6\xbc\xa2\xe5\xad\x97" },
	/* as they should not be */
	{ "=?utf-8?Q?hello world?=", "hello world" },
	{ "=?utf-8?Q?hello\r\n world?= x", "hello world x" },
	{ "=?utf-8?B?aGVs bG8?=", "hello" },
	{ "a=?utf-8?Q?b?=c", "abc" }, { "\"=?utf-8?Q?b?=\"", "\"b\"" },
	{ "=?utf-8?Q?a?==?utf-8?Q?b?=", "ab" },
	{ "=?utf-8?Q?lost end", "lost end" },
	{ "=?utf-8?B?aGVsbG8=?", "hello" },
	{ "=?utf-8?Q?=4G=?=", "=4G" }, { "=?utf-8?Q?\?=", "" },
	{ "=?nonsense?Q?a=20b?= c", "=?nonsense?Q?a=20b?= c" },
	{ "=?utf-8?X?a?= =?", "=?utf-8?X?a?= =?" },
	{ "=?utf-8?Q?a?= =?x?Q?b?=", "a =?x?Q?b?=" },
	{ "=?=?utf-8?Q?a?=", "=?a" }, { "=\??Q?a?=", "=\??Q?a?=" },
	{ "=?utf-8?Q?a=0D=0AX:_b?=", "a  X: b" },
	/* 8-bit */
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
	{ "gr\xfc\xdf", "gr\xc3\xbc\xc3\x9f" },
	{ "\xc3\r\n\xbc", "\xc3\xbc" },
	/* folded at a TAB */
	{ "a\r\n\tb", "a b" }, { "a\n\tb\tc", "a b\tc" },
	{ "a \r\n\t\tb", "a  \tb" },
	{ "=?utf-8?Q?a?=\r\n\tb", "a b" },
	{ "a\r\n\t=?utf-8?Q?b?=", "a b" },
	{ "=?utf-8?Q?a?=\r\n\t=?utf-8?Q?b?=", "ab" },
};

START_TEST(decoded)
{
	struct buf	b;

	buf_init(&b, 1000);
	ck_assert_int_eq(words_decode(str_from(words[_i].in), &b), 0);
	ck_assert_msg(str_eq(buf_view(&b), str_from(words[_i].out)),
	    "%d: %.*s", _i, STR_ARG(buf_view(&b)));
	buf_free(&b);
}
END_TEST

/* Many that could begin a word: linear all the same. */
START_TEST(many)
{
	struct buf	in, b;
	size_t		i;

	buf_init(&in, 4u << 20);
	buf_init(&b, 16u << 20);
	for (i = 0; i < 200000; i++)
		buf_adds(&in, i % 2 == 0 ? "=?x?q?" : "=?utf-8?x?");
	buf_adds(&in, "=?utf-8?q?a");
	ck_assert_int_eq(words_decode(buf_view(&in), &b), 0);
	ck_assert_uint_eq(b.n, in.n - 10);
	buf_free(&in);
	buf_free(&b);
}
END_TEST

#define P(name, value)	{ STR(name), STR(value), NULL }
static const struct {
	struct part_param	 params[4];
	const char		*name, *out;
} params[] = {
	{ { P("charset", "x"), P("FileName", "a.txt") }, "filename", "a.txt" },
	{ { P("name", "=?utf-8?B?w7Y=?=.txt") }, "name", "\xc3\xb6.txt" },
	{ { P("name", "\xf6.txt") }, "name", "\xc3\xb6.txt" },
	{ { P("filename*", "iso-8859-1'en'%A3%20rates") }, "filename",
	    "\xc2\xa3 rates" },
	{ { P("filename", "x"), P("filename*", "''%C3%B6") }, "filename",
	    "\xc3\xb6" },
	/* RFC 2231 3, 4.1 */
	{ { P("URL*1", "cs.utk.edu/moore"), P("url*0", "ftp://") }, "URL",
	    "ftp://cs.utk.edu/moore" },
	{ { P("title*0*", "us-ascii'en'This%20is%20"),
	    P("title*1*", "%2A%2A%2Afun%2A%2A%2A%20"),
	    P("title*2", "isn't it!") }, "title",
	    "This is ***fun*** isn't it!" },
	{ { P("t*0*", "utf-8''%E2%82"), P("t*1*", "%AC") }, "t",
	    "\xe2\x82\xac" },
	{ { P("t*0", "a"), P("t*2", "c") }, "t", "a" },	/* one is lost */
	{ { P("t*0", "a%20b"), P("t*1*", "%20%zz%") }, "t", "a%20b %zz%" },
	{ { P("t*", "no quotes%20%0A") }, "t", "no quotes  " },
	{ { P("t*", "nonsense''%E4") }, "t", "\xc3\xa4" },
	/* none of that name */
	{ { P("t*1", "a"), P("tt", "b"), P("t*x", "c"), P("t*0x", "d") }, "t",
	    NULL },
	{ { P("t*99999999999999999999", "a"), P("t*256", "b") }, "t", NULL },
};

START_TEST(param)
{
	struct part_param	list[4];
	struct buf		b;
	size_t			i;

	for (i = 0; i < nitems(list); i++) {
		list[i] = params[_i].params[i];
		list[i].next = i + 1 < nitems(list) &&
		    params[_i].params[i + 1].name.n > 0 ? &list[i + 1] : NULL;
	}
	buf_init(&b, 1000);
	errno = 0;
	ck_assert_int_eq(words_param(list, params[_i].name, &b),
	    params[_i].out == NULL ? -1 : 0);
	if (params[_i].out == NULL)
		ck_assert_int_eq(errno, ENOENT);
	ck_assert_msg(str_eq(buf_view(&b), str_from(params[_i].out)),
	    "%d: %.*s", _i, STR_ARG(buf_view(&b)));
	buf_free(&b);
}
END_TEST

static const struct {
	const char	*in, *out;
	bool		 reply;
} subjects[] = {
	{ "", "", false }, { "Hello", "HELLO", false },
	{ " a \t b\r\n c ", "A B C", false }, { "Re: a", "A", true },
	{ "rE :a", "A", true }, { "RE[2]: a", "A", true },
	{ "re [x] : a", "A", true }, { "Fw: Fwd: re:a", "A", true },
	{ "a (fwd)", "A", true }, { "a (FWD) (fwd) ", "A", true },
	{ "a(fwd)", "A", true }, { "(fwd)", "", true },
	{ "[list] a", "A", false }, { "[list] Re: [other] Re: a", "A", true },
	{ "[a][b] c", "C", false }, { "[a]", "[A]", false },
	{ "[a] [b]", "[B]", false }, { "Re: [a]", "[A]", true },
	{ "[a] re:", "", true }, { "re:", "", true },
	{ "[fwd: a]", "A", true }, { "[Fwd: [list] Re: a (fwd)]", "A", true },
	{ "[fwd:[fwd: a]]", "A", true }, { "[fwd:]", "", true },
	{ "[fwd: a", "[FWD: A", false }, { "[[a] b", "[[A] B", false },
	{ "[a]b", "B", false }, { "reb: a", "REB: A", false },
	{ "Re a", "RE A", false }, { "Reply: a", "REPLY: A", false },
	{ "fwdx: a", "FWDX: A", false }, { "a [b]", "A [B]", false },
	{ "Re: \xc3\xb6", "O\xcc\x88", true },
};

START_TEST(base)
{
	struct buf	b;
	bool		reply;

	buf_init(&b, 1000);
	ck_assert_int_eq(words_base_subject(str_from(subjects[_i].in), &b,
	    &reply), 0);
	ck_assert_msg(str_eq(buf_view(&b), str_from(subjects[_i].out)),
	    "%s: %.*s", subjects[_i].in, STR_ARG(buf_view(&b)));
	ck_assert_int_eq(reply, subjects[_i].reply);
	buf_free(&b);
}
END_TEST

START_TEST(long_subject)
{
	static const char *const	parts[] = { "[]", "[a] ", "[fwd:", "[",
					    "Re:", "(fwd)", "re[" };
	struct buf	in, b;
	size_t		i, k;
	bool		reply;

	for (k = 0; k < nitems(parts); k++) {
		buf_init(&in, 2u << 20);
		buf_init(&b, 2u << 20);
		for (i = 0; i < 100000; i++)
			buf_adds(&in, parts[k]);
		ck_assert_int_eq(words_base_subject(buf_view(&in), &b,
		    &reply), 0);
		ck_assert_int_eq(reply, k == 4 || k == 5);
		buf_free(&in);
		buf_free(&b);
	}
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("words");
	TCase	*t = tcase_create("words");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, decoded, 0, nitems(words));
	tcase_add_test(t, many);
	tcase_add_loop_test(t, param, 0, nitems(params));
	tcase_add_loop_test(t, base, 0, nitems(subjects));
	tcase_add_test(t, long_subject);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
