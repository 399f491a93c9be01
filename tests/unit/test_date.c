/* tests/unit/test_date.c - dates of RFC 5322, both ways. */
#include <check.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "common/fmt/date.h"

static const struct { const char *in; bool ok; int64_t t; int offset; } rows[] = {
	{ "Thu, 1 Jan 1970 00:00:00 +0000", true, 0, 0 },
	{ "Tue, 24 Nov 2026 06:55:03 +0100", true, 1795499703, 60 },
	{ "24 Nov 2026 06:55:03 +0100", true, 1795499703, 60 },
	{ "Tue, 24 Nov 2026 06:55 GMT", true, 1795503300, 0 },
	{ "Tue (x (y) \\) z), 24 Nov 26 05:55:03 Z", true, 1795499703, 0 },
	{ "1 Jan 00 00:00:00 EST", true, 946702800, -300 },
	{ "29 Feb 2000 00:00:00 +0000", true, 951782400, 0 },
	{ "31 Dec 2016 23:59:60 +0000", true, 1483228800, 0 },
	{ "29 Feb 1900 00:00:00 +0000", false, 0, 0 },
	{ "31 Apr 2026 00:00:00 +0000", false, 0, 0 },
	{ "24 Nov 2026 24:00:00 +0100", true, 1795478400, 0 },
	{ "24 Nov 2026 06:55:03", true, 1795503303, 0 },
	{ "24 Nov 2026 06:55:03 +01000", true, 1795503303, 0 },
	{ "24 Nov 2026 06:55:03 +0160", true, 1795503303, 0 },
	{ "(((", false, 0, 0 },
	/* 4.3: years of two and of three digits, military zones, any blanks */
	{ "1 Jan 49 00:00:00 +0000", true, 2493072000, 0 },
	{ "1 Jan 50 00:00:00 +0000", true, -631152000, 0 },
	{ "1 Jan 103 00:00:00 +0000", true, 1041379200, 0 },
	{ "1 Jan 2003 00:00:00 B", true, 1041379200, 0 },
	{ "\r\n 1(x)Jan\t2003 00 : 00 : 00 nowhere", true, 1041379200, 0 },
	{ "1 Jan 3 00:00:00 +0000", false, 0, 0 },
	{ "1 Jan 20030 00:00:00 +0000", false, 0, 0 },
	{ "0 Jan 2003 00:00:00 +0000", false, 0, 0 },
	{ "100 Jan 2003 00:00:00 +0000", false, 0, 0 },
	{ "1 Foo 2003 00:00:00 +0000", false, 0, 0 },
	{ "1 Jan 2003 00:60:00 +0000", true, 1041379200, 0 },
	{ "1 Jan 2003 00:00:61 +0000", true, 1041379200, 0 },
	{ "1 Jan 2003 01:00:1 +0000", true, 1041379200, 0 },
	{ "1 Jan 2003 0000 +0000", true, 1041379200, 0 },
	{ "1 Jan 2003 00:00:00 +000", true, 1041379200, 0 },
	{ "1 Jan 2003 00:00:00 +2400", true, 1041379200, 0 },
	{ "1 Jan 2003 00:00:00 (", true, 1041379200, 0 },
	{ "1 Jan 2003 00:00:00 (\\", true, 1041379200, 0 },
	/* RFC 5256 2.2: what is around the day may be wrong */
	{ "Tue 24 Nov 2026 06:55:03 +0100", true, 1795499703, 60 },
	{ "mardi, 24 NOVEMBER 2026 06:55:03 -01:00", true, 1795503303, 0 },
	{ "24 Nov 2026 06:55:03 (CET)", true, 1795503303, 0 },
	{ "24 Sept 2026", true, 1790208000, 0 },
	{ "24 Nov 2026 noon", true, 1795478400, 0 },
	{ "Tue Nov 24 06:55:03 2026", false, 0, 0 },
	{ "Tue,", false, 0, 0 },
	{ "24 No 2026 06:55:03", false, 0, 0 },
	{ "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
	    "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
	    "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
	    false, 0, 0 },
	{ "", false, 0, 0 },
};

START_TEST(parse)
{
	struct cur	c = cur_from(str_from(rows[_i].in));
	int64_t		t = -1;
	int		offset = -1;

	ck_assert_int_eq(date_parse(&c, &t, &offset), rows[_i].ok);
	if (rows[_i].ok) {
		ck_assert_int_eq(t, rows[_i].t);
		ck_assert_int_eq(offset, rows[_i].offset);
	} else
		ck_assert_ptr_eq(c.p, rows[_i].in);
}
END_TEST

START_TEST(format)
{
	char	s[DATE_SIZE];

	ck_assert_int_eq(date_format(1795499703, 60, s), 0);
	ck_assert_str_eq(s, "Tue, 24 Nov 2026 06:55:03 +0100");
	ck_assert_int_eq(date_format(1795499703, -570, s), 0);
	ck_assert_str_eq(s, "Mon, 23 Nov 2026 20:25:03 -0930");
	ck_assert_int_eq(date_format(-1, 0, s), 0);
	ck_assert_str_eq(s, "Wed, 31 Dec 1969 23:59:59 +0000");
	ck_assert_int_eq(date_format(INT64_MAX, 0, s), -1);
	/* the years 0 to 9999, and offsets of less than a day */
	ck_assert_int_eq(date_format(253402300799, 0, s), 0);
	ck_assert_str_eq(s, "Fri, 31 Dec 9999 23:59:59 +0000");
	ck_assert_int_eq(date_format(253402300799, 1, s), -1);
	ck_assert_int_eq(date_format(-62167219200, 0, s), 0);
	ck_assert_str_eq(s, "Sat, 1 Jan 0000 00:00:00 +0000");
	ck_assert_int_eq(date_format(-62167219201, 0, s), -1);
	ck_assert_int_eq(date_format(0, 1440, s), -1);
	ck_assert_int_eq(date_format(0, -1440, s), -1);
	ck_assert_int_eq(date_format_mbox(INT64_MIN, s), -1);
	ck_assert_int_eq(date_format_mbox(253402300800, s), -1);
	ck_assert_int_eq(date_format_mbox(0, s), 0);
	ck_assert_str_eq(s, "Thu Jan  1 00:00:00 1970");
}
END_TEST

START_TEST(round_trip)
{
	char		s[DATE_SIZE];
	struct cur	c;
	int64_t		t, back;
	int		offset;

	for (t = -60000000000; t < 250000000000; t += 123456789) {
		ck_assert_int_eq(date_format(t, 330, s), 0);
		c = cur_from(str_from(s));
		ck_assert_msg(date_parse(&c, &back, &offset), "%s", s);
		ck_assert_int_eq(back, t);
	}
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("date");
	TCase	*t = tcase_create("date");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, parse, 0, nitems(rows));
	tcase_add_test(t, format);
	tcase_add_test(t, round_trip);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
