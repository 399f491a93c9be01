/* tests/unit/test_cur.c - a cursor: match and advance, or leave it untouched. */
#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/cur.h"

START_TEST(bytes_and_words)
{
	struct cur	c = cur_from(STR("aB cd"));

	ck_assert_uint_eq(cur_left(&c), 5);
	ck_assert_int_eq(cur_peek(&c), 'a');
	ck_assert(!cur_byte(&c, 'A'));
	ck_assert(cur_byte(&c, 'a'));
	ck_assert(!cur_word(&c, STR("b c d")));
	ck_assert(!cur_word(&c, STR("b cde")));
	ck_assert(cur_word(&c, STR("b C")));
	ck_assert(str_eq(cur_rest(&c), STR("d")));
	ck_assert(cur_word(&c, STR("")));
	ck_assert(!cur_skip_wsp(&c));
	ck_assert(cur_byte(&c, 'd'));
	ck_assert(cur_done(&c));
	ck_assert_int_eq(cur_peek(&c), -1);
	ck_assert(!cur_byte(&c, '\0'));
	ck_assert_uint_eq(cur_left(&c), 0);
}
END_TEST

START_TEST(high_bytes)
{
	struct cur	c = cur_from(STR("\xff\0"));

	ck_assert_int_eq(cur_peek(&c), 255);
	ck_assert(cur_byte(&c, '\xff'));
	ck_assert_int_eq(cur_peek(&c), 0);
	ck_assert(cur_byte(&c, '\0'));
}
END_TEST

START_TEST(spans)
{
	struct cur	c = cur_from(STR("123a"));
	struct str	s;

	ck_assert(!cur_span(&c, is_digit, 2, &s));
	ck_assert(!cur_span(&c, is_wsp, 9, &s));
	ck_assert_uint_eq(cur_left(&c), 4);
	ck_assert(cur_span(&c, is_digit, 3, &s));
	ck_assert(str_eq(s, STR("123")));
	ck_assert(!cur_span(&c, is_digit, 3, &s));
	ck_assert(cur_span(&c, is_alpha, 1, &s));
	ck_assert(!cur_span(&c, is_alpha, 1, &s));
}
END_TEST

START_TEST(until)
{
	struct cur	c = cur_from(STR("a:b::"));
	struct str	s;

	ck_assert(!cur_until(&c, ';', &s));
	ck_assert_uint_eq(cur_left(&c), 5);
	ck_assert(cur_until(&c, ':', &s));
	ck_assert(str_eq(s, STR("a")));
	ck_assert(cur_until(&c, ':', &s));
	ck_assert(cur_until(&c, ':', &s));
	ck_assert_uint_eq(s.n, 0);
	ck_assert(!cur_until(&c, ':', &s));
}
END_TEST

static const struct { const char *in; unsigned long long max; bool ok;
    unsigned long long want; const char *rest; } numbers[] = {
	{ "12x", 99, true, 12, "x" },
	{ "100", 99, false, 0, "100" },
	{ "7", 5, false, 0, "7" },
	{ "0007 ", 7, true, 7, " " },
	{ "-1", 99, false, 0, "-1" },
	{ "", 99, false, 0, "" },
	{ "18446744073709551615", ULLONG_MAX, true, ULLONG_MAX, "" },
	{ "18446744073709551616", ULLONG_MAX, false, 0,
	    "18446744073709551616" },
	{ "000000000000000000000000000000001", 9, false, 0,
	    "000000000000000000000000000000001" },
};

START_TEST(number)
{
	struct cur		c = cur_from(str_from(numbers[_i].in));
	unsigned long long	n = 0;

	ck_assert_int_eq(cur_number(&c, numbers[_i].max, &n), numbers[_i].ok);
	ck_assert_uint_eq(n, numbers[_i].want);
	ck_assert(str_eq(cur_rest(&c), str_from(numbers[_i].rest)));
}
END_TEST

START_TEST(blanks)
{
	struct cur	c = cur_from(STR(" \t\r "));

	ck_assert(cur_skip_wsp(&c));
	ck_assert_int_eq(cur_peek(&c), '\r');
	ck_assert(!cur_skip_wsp(&c));
}
END_TEST

/* The classes, byte by byte, against their definitions. */
START_TEST(classes)
{
	static const char	atext[] = "!#$%&'*+-/=?^_`{|}~";
	int			i;

	for (i = 0; i < 256; i++) {
		unsigned char	c = (unsigned char)i;
		bool		alpha = (i >= 65 && i <= 90) ||
				    (i >= 97 && i <= 122);
		bool		digit = i >= 48 && i <= 57;

		ck_assert_int_eq(is_alpha(c), alpha);
		ck_assert_int_eq(is_digit(c), digit);
		ck_assert_int_eq(is_alnum(c), alpha || digit);
		ck_assert_int_eq(is_wsp(c), i == 32 || i == 9);
		ck_assert_int_eq(is_vchar(c), i >= 33 && i <= 126);
		ck_assert_int_eq(is_atext(c), alpha || digit ||
		    (i != 0 && strchr(atext, i) != NULL));
	}
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("cur");
	TCase	*t = tcase_create("cur");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_test(t, bytes_and_words);
	tcase_add_test(t, high_bytes);
	tcase_add_test(t, spans);
	tcase_add_test(t, until);
	tcase_add_loop_test(t, number, 0, nitems(numbers));
	tcase_add_test(t, blanks);
	tcase_add_test(t, classes);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
