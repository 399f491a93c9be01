/* tests/unit/test_imap.c - the words of IMAP; fuzz_imap.c calls the same. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/imap.h"

#define IN(s)	{ (s), sizeof(s) - 1 }

static struct arena	arena;

static void
begin(void)
{
	arena_init(&arena, 1 << 20);
}

static void
end(void)
{
	arena_free(&arena);
}

/* ---- strings; left: what is not consumed */

static const struct {
	struct str	 in;
	bool		 ok;
	const char	*out;
	size_t		 left;
} astrings[] = {
	{ IN("INBOX"),			true, "INBOX", 0 },
	{ IN("INBOX x"),		true, "INBOX", 2 },
	{ IN("a]b"),			true, "a]b", 0 },
	{ IN("a(b"),			true, "a", 2 },
	{ IN("a\\b"),			true, "a", 2 },
	{ IN("\"\""),			true, "", 0 },
	{ IN("\"a b\" c"),		true, "a b", 2 },
	{ IN("\"a\\\"b\\\\\""),		true, "a\"b\\", 0 },
	{ IN("\"a\\b\""),		false, NULL, 0 },
	{ IN("\"a"),			false, NULL, 0 },
	{ IN("\"a\\"),			false, NULL, 0 },
	{ IN("\"a\r\n\""),		false, NULL, 0 },
	{ IN("\"a\0\""),		false, NULL, 0 },
	{ IN("\"\xc3\xa4\""),		true, "\xc3\xa4", 0 },
	{ IN("{3}\r\na)b c"),		true, "a)b", 2 },
	{ IN("{3+}\r\na)bc"),		true, "a)b", 1 },
	{ IN("{0}\r\n"),		true, "", 0 },
	{ IN("{3}\r\nab"),		false, NULL, 0 },
	{ IN("{3}\nabc"),		false, NULL, 0 },
	{ IN("{3}abc"),			false, NULL, 0 },
	{ IN("{}\r\n"),			false, NULL, 0 },
	{ IN("{-1}\r\n"),		false, NULL, 0 },
	{ IN("{3}\r\na\0b"),		false, NULL, 0 },
	{ IN("{99999999999999999999}\r\nx"), false, NULL, 0 },
	{ IN("~{3}\r\nabc"),		true, "abc", 0 },
	{ IN(""),			false, NULL, 0 },
	{ IN(" x"),			false, NULL, 0 },
	{ IN("%"),			false, NULL, 0 },
	{ IN("\xc3\xa4"),		false, NULL, 0 },
};

START_TEST(astring)
{
	struct cur	c = cur_from(astrings[_i].in);
	struct str	out;

	ck_assert_int_eq(imap_astring(&c, &arena, &out), astrings[_i].ok);
	if (astrings[_i].ok) {
		ck_assert(str_eq(out, str_from(astrings[_i].out)));
		ck_assert_uint_eq(cur_left(&c), astrings[_i].left);
	} else
		ck_assert_ptr_eq(c.p, astrings[_i].in.p);
}
END_TEST

START_TEST(literal8_may_hold_nul)
{
	struct str	in = STR("~{3}\r\na\0b"), out;
	struct cur	c = cur_from(in);

	ck_assert(imap_string(&c, &arena, &out));
	ck_assert(str_eq(out, STR("a\0b")));
}
END_TEST

START_TEST(nil)
{
	struct cur	c = cur_from(STR("nil NILS \"NIL\""));
	struct str	out;
	bool		is_nil;

	ck_assert(imap_nstring(&c, &arena, &out, &is_nil));
	ck_assert(is_nil);
	ck_assert_ptr_null(out.p);
	ck_assert(imap_sp(&c));
	ck_assert(!imap_nstring(&c, &arena, &out, &is_nil));
	ck_assert(imap_astring(&c, &arena, &out) && imap_sp(&c));
	ck_assert(imap_nstring(&c, &arena, &out, &is_nil));
	ck_assert(!is_nil);
	ck_assert(str_eq(out, STR("NIL")));
}
END_TEST

static const struct {
	struct str	in;
	bool		ok;
	struct str	rest;
	uint64_t	n;
	bool		plus, binary;
} announcements[] = {
	{ IN("a APPEND x {310}"),	true, IN("a APPEND x "), 310, false, false },
	{ IN("a {310+}"),		true, IN("a "), 310, true, false },
	{ IN("a ~{310+}"),		true, IN("a "), 310, true, true },
	{ IN("{0}"),			true, IN(""), 0, false, false },
	{ IN("a {310} "),		false, IN(""), 0, false, false },
	{ IN("a {}"),			false, IN(""), 0, false, false },
	{ IN("a {x}"),			false, IN(""), 0, false, false },
	{ IN("a {1-}"),			false, IN(""), 0, false, false },
	{ IN("a 310}"),			false, IN(""), 0, false, false },
	{ IN("}"),			false, IN(""), 0, false, false },
	{ IN(""),			false, IN(""), 0, false, false },
	{ IN("{18446744073709551616}"),	false, IN(""), 0, false, false },
};

START_TEST(announcement)
{
	struct str		line = announcements[_i].in;
	struct imap_literal	l;

	ck_assert_int_eq(imap_literal_at_end(&line, &l),
	    announcements[_i].ok);
	if (!announcements[_i].ok) {
		ck_assert_uint_eq(line.n, announcements[_i].in.n);
		return;
	}
	ck_assert(str_eq(line, announcements[_i].rest));
	ck_assert_uint_eq(l.n, announcements[_i].n);
	ck_assert_int_eq(l.plus, announcements[_i].plus);
	ck_assert_int_eq(l.binary, announcements[_i].binary);
}
END_TEST

static const char *const blanks[][2] = {
	{ "a FETCH 1 (FLAGS)", "a FETCH 1 (FLAGS)" },
	{ "a  FETCH   1  FLAGS", "a FETCH 1 FLAGS" },
	{ "a FETCH 1 ( FLAGS  UID )  ", "a FETCH 1 (FLAGS UID)" },
	{ "a STORE 1 FLAGS ( )", "a STORE 1 FLAGS ()" },
	{ "a SEARCH ((( ALL ) ) )", "a SEARCH (((ALL)))" },
	{ "a NOOP ", "a NOOP" },
	{ " a NOOP", " a NOOP" },
	{ "  )", ")" },
	{ " ", "" },
	{ "", "" },
	{ "a LIST \"  \" \" ( )  \"", "a LIST \"  \" \" ( )  \"" },
	{ "a X \"\\\"  \"  (\"( \" \")\")", "a X \"\\\"  \" (\"( \" \")\")" },
	{ "a X \"not  closed  ", "a X \"not  closed  " },
	{ "a X \"\\", "a X \"\\" },
	{ "a APPEND x  {3}", "a APPEND x {3}" },
	{ "a APPEND x {3}  ", "a APPEND x {3} " },
};

START_TEST(blanks_out)
{
	char	line[80];
	size_t	n;

	ck_assert_uint_lt(strlcpy(line, blanks[_i][0], sizeof(line)),
	    sizeof(line));
	n = imap_blanks(line, strlen(line));
	line[n] = '\0';
	ck_assert_str_eq(line, blanks[_i][1]);
	ck_assert_uint_eq(imap_blanks(line, n), n);
}
END_TEST

START_TEST(flags)
{
	struct cur	c = cur_from(STR("\\Seen $Label \\* x]"));
	struct str	out;

	ck_assert(imap_flag(&c, &out) && str_eq(out, STR("\\Seen")));
	ck_assert(imap_sp(&c) && imap_flag(&c, &out));
	ck_assert(str_eq(out, STR("$Label")) && imap_sp(&c));
	ck_assert(!imap_flag(&c, &out));
	ck_assert_int_eq(cur_peek(&c), '\\');
}
END_TEST

/* ---- sets: as parsed, ended with a largest, and written again */

static const struct {
	struct str	 in;
	uint32_t	 largest;
	const char	*out;		/* NULL: no set */
	size_t		 ranges;
} sets[] = {
	{ IN("1"),			10, "1", 1 },
	{ IN("1,2,3"),			10, "1:3", 1 },
	{ IN("3:1"),			10, "1:3", 1 },
	{ IN("5,1:2,2:3"),		10, "1:3,5", 2 },
	{ IN("*"),			10, "10", 1 },
	{ IN("*:8"),			10, "8:10", 1 },
	{ IN("8:*"),			10, "8:10", 1 },
	{ IN("12:*"),			10, "10", 1 },
	{ IN("*"),			0, "", 0 },
	{ IN("1:*"),			0, "", 0 },
	{ IN("1:4294967295"),		10, "1:20", 1 },
	{ IN("4294967295"),		10, "", 1 },
	{ IN("4294967295:12"),		10, "12:20", 1 },
	{ IN("4294967295:*"),		10, "10", 1 },
	{ IN("*:4294967295"),		0, "", 0 },
	{ IN("*:*"),			10, "10", 1 },
	{ IN("0"),			10, NULL, 0 },
	{ IN("1:0"),			10, NULL, 0 },
	{ IN("4294967296"),		10, NULL, 0 },
	{ IN("1,"),			10, NULL, 0 },
	{ IN(","),			10, NULL, 0 },
	{ IN("1:"),			10, NULL, 0 },
	{ IN(":1"),			10, NULL, 0 },
	{ IN("a"),			10, NULL, 0 },
	{ IN(""),			10, NULL, 0 },
};

START_TEST(set)
{
	struct cur	c = cur_from(sets[_i].in);
	struct imap_set	s;
	struct imap_run	run;
	struct buf	out;
	uint32_t	n;

	ck_assert_int_eq(imap_set(&c, &arena, &s), sets[_i].out != NULL);
	if (sets[_i].out == NULL) {
		ck_assert_ptr_eq(c.p, sets[_i].in.p);
		return;
	}
	imap_set_end(&s, sets[_i].largest);
	ck_assert_uint_eq(s.n, sets[_i].ranges);
	buf_init(&out, 1000);
	imap_run_begin(&run, &out);
	for (n = 1; n <= 20; n++)
		if (imap_set_has(&s, n))
			imap_run_add(&run, n);
	imap_run_end(&run);
	ck_assert(str_eq(buf_view(&out), str_from(sets[_i].out)));
	buf_reset(&out);
	imap_run_begin(&run, &out);
	for (n = 0; n < s.n; n++)
		imap_run_add_range(&run, s.r[n].from, s.r[n].to);
	imap_run_add_range(&run, UINT32_MAX - 1, UINT32_MAX - 1);
	imap_run_add(&run, UINT32_MAX);
	imap_run_end(&run);
	ck_assert_uint_ge(out.n, strlen("4294967294:4294967295"));
	out.n -= strlen("4294967294:4294967295");
	ck_assert(memcmp(out.p + out.n, "4294967294:4294967295", 21) == 0);
	buf_free(&out);
}
END_TEST

START_TEST(set_of_many)
{
	struct buf	text;
	struct imap_set	s;
	struct cur	c;
	unsigned	i;

	arena.max = (size_t)16 << 20;
	buf_init(&text, (size_t)4 << 20);
	for (i = 0; i < IMAP_SET_MAX; i++)
		buf_addf(&text, "%s%u", i > 0 ? "," : "", 3 * i + 1);
	c = cur_from(buf_view(&text));
	ck_assert(imap_set(&c, &arena, &s));
	imap_set_end(&s, UINT32_MAX - 1);
	ck_assert_uint_eq(s.n, IMAP_SET_MAX);
	ck_assert(imap_set_has(&s, 3 * 777 + 1));
	ck_assert(!imap_set_has(&s, 3 * 777 + 2));
	buf_adds(&text, ",1");
	c = cur_from(buf_view(&text));
	ck_assert(!imap_set(&c, &arena, &s));
	buf_free(&text);
}
END_TEST

START_TEST(numbers)
{
	const uint32_t	n[] = { 1, 2, 3, 7, 9, 10, UINT32_MAX };
	struct buf	out;

	buf_init(&out, 100);
	ck_assert_int_eq(imap_put_numbers(&out, n, nitems(n)), 0);
	ck_assert(str_eq(buf_view(&out), STR("1:3,7,9:10,4294967295")));
	buf_free(&out);
}
END_TEST

/* ---- dates */

static const struct {
	struct str	in;
	bool		ok;
	int64_t		t;
	int		zone;
	const char	*out;
} times[] = {
	{ IN("\"01-Jan-1970 00:00:00 +0000\""), true, 0, 0,
	    " 1-Jan-1970 00:00:00 +0000" },
	{ IN("\" 1-Feb-1994 21:52:25 -0800\""), true, 760168345, -480,
	    " 1-Feb-1994 21:52:25 -0800" },
	{ IN("\"29-feb-2024 23:59:60 +0530\""), true, 1709231400, 330,
	    " 1-Mar-2024 00:00:00 +0530" },
	{ IN("\"29-Feb-2023 00:00:00 +0000\""), false, 0, 0, NULL },
	{ IN("\"31-Apr-2023 00:00:00 +0000\""), false, 0, 0, NULL },
	{ IN("\"01-Jan-1970 24:00:00 +0000\""), false, 0, 0, NULL },
	{ IN("\"01-Jan-1970 00:00:00 +2400\""), false, 0, 0, NULL },
	{ IN("\"01-Jan-1970 00:00:00\""), false, 0, 0, NULL },
	{ IN("\"01-Jan-70 00:00:00 +0000\""), false, 0, 0, NULL },
	{ IN("01-Jan-1970 00:00:00 +0000"), false, 0, 0, NULL },
};

START_TEST(date_time)
{
	char		text[IMAP_DATE_SIZE];
	struct cur	c = cur_from(times[_i].in);
	int64_t		t;
	int		zone;

	ck_assert_int_eq(imap_date_time(&c, &t, &zone), times[_i].ok);
	if (!times[_i].ok) {
		ck_assert_ptr_eq(c.p, times[_i].in.p);
		return;
	}
	ck_assert_int_eq(t, times[_i].t);
	ck_assert_int_eq(zone, times[_i].zone);
	ck_assert_str_eq(imap_put_date_time(text, t, zone), times[_i].out);
}
END_TEST

START_TEST(date)
{
	struct cur	c = cur_from(STR("1-Feb-1994 \"01-Jan-1970\" 1-Feb"));
	int64_t		days;

	ck_assert(imap_date(&c, &days) && days == 8797);
	ck_assert(imap_sp(&c) && imap_date(&c, &days) && days == 0);
	ck_assert(imap_sp(&c) && !imap_date(&c, &days));
	ck_assert_int_eq(cur_peek(&c), '1');
}
END_TEST

START_TEST(date_out_of_range)
{
	char	text[IMAP_DATE_SIZE];

	ck_assert_str_eq(imap_put_date_time(text, INT64_MAX, 0),
	    " 1-Jan-1970 00:00:00 +0000");
}
END_TEST

/* ---- strings out */

static const struct {
	struct str	 in;
	bool		 utf8, atom;
	const char	*out;
} strings[] = {
	{ IN("abc"),		false, false, "\"abc\"" },
	{ IN("abc"),		false, true, "abc" },
	{ IN("nil"),		false, true, "\"nil\"" },
	{ IN(""),		false, true, "\"\"" },
	{ IN("a b"),		false, true, "\"a b\"" },
	{ IN("a\"b\\c"),	false, false, "\"a\\\"b\\\\c\"" },
	{ IN("a\nb"),		false, false, "{3}\r\na\nb" },
	{ IN("\xc3\xa4"),	false, false, "{2}\r\n\xc3\xa4" },
	{ IN("\xc3\xa4"),	true, true, "\"\xc3\xa4\"" },
	{ IN("\xc3"),		true, false, "{1}\r\n\xc3" },
};

START_TEST(strings_out)
{
	struct buf	out;

	buf_init(&out, 100);
	ck_assert_int_eq(strings[_i].atom ?
	    imap_put_astring(&out, strings[_i].in, strings[_i].utf8) :
	    imap_put_string(&out, strings[_i].in, strings[_i].utf8), 0);
	ck_assert(str_eq(buf_view(&out), str_from(strings[_i].out)));
	buf_reset(&out);
	ck_assert_int_eq(imap_put_nstring(&out, (struct str){ NULL, 0 },
	    false), 0);
	ck_assert(str_eq(buf_view(&out), STR("NIL")));
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("imap");
	TCase	*t = tcase_create("imap");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_loop_test(t, astring, 0, nitems(astrings));
	tcase_add_test(t, literal8_may_hold_nul);
	tcase_add_test(t, nil);
	tcase_add_loop_test(t, announcement, 0, nitems(announcements));
	tcase_add_loop_test(t, blanks_out, 0, nitems(blanks));
	tcase_add_test(t, flags);
	tcase_add_loop_test(t, set, 0, nitems(sets));
	tcase_add_test(t, set_of_many);
	tcase_add_test(t, numbers);
	tcase_add_loop_test(t, date_time, 0, nitems(times));
	tcase_add_test(t, date);
	tcase_add_test(t, date_out_of_range);
	tcase_add_loop_test(t, strings_out, 0, nitems(strings));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
