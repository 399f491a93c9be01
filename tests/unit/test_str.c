/* tests/unit/test_str.c - borrowed views of bytes: a new case is a row. */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/str.h"

#define IN(s)	{ (s), sizeof(s) - 1 }

/* order: of memcmp, a prefix first */
static const struct { struct str a, b; int order; bool same, begins; } pairs[] = {
	{ IN(""), IN(""), 0, true, true },
	{ IN("a"), IN(""), 1, false, true },
	{ IN("abc"), IN("abc"), 0, true, true },
	{ IN("abc"), IN("abd"), -1, false, false },
	{ IN("abc"), IN("ab"), 1, false, true },
	{ IN("ABC"), IN("abc"), -1, true, true },
	{ IN("a\0b"), IN("a\0c"), -1, false, false },
	{ IN("a\0b"), IN("A\0B"), 1, true, true },
	{ IN("\xff"), IN("a"), 1, false, false },
	{ IN("\xc4"), IN("\xe4"), -1, false, false },	/* ASCII only */
	{ IN("@"), IN("`"), -1, false, false },
	{ IN("["), IN("{"), -1, false, false },
};

static int
sign(int n)
{
	return (n > 0) - (n < 0);
}

START_TEST(compare)
{
	struct str	a = pairs[_i].a, b = pairs[_i].b;

	ck_assert_int_eq(sign(str_cmp(a, b)), pairs[_i].order);
	ck_assert_int_eq(sign(str_cmp(b, a)), -pairs[_i].order);
	ck_assert_int_eq(str_eq(a, b), pairs[_i].order == 0);
	ck_assert_int_eq(str_eq_nocase(a, b), pairs[_i].same);
	ck_assert_int_eq(str_starts_nocase(a, b), pairs[_i].begins);
}
END_TEST

START_TEST(views)
{
	ck_assert_uint_eq(str_from(NULL).n, 0);
	ck_assert_uint_eq(str_from("ab").n, 2);
	ck_assert_uint_eq(STR("a\0b").n, 3);
}
END_TEST

START_TEST(copies)
{
	char	dst[4] = "zzz", *p;

	ck_assert_int_eq(str_copy(dst, sizeof(dst), STR("abc")), 0);
	ck_assert_str_eq(dst, "abc");
	ck_assert_int_eq(str_copy(dst, sizeof(dst), STR("abcd")), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	ck_assert_int_eq(str_copy(dst, sizeof(dst), STR("a\0b")), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(str_copy(dst, sizeof(dst), str_from(NULL)), 0);
	ck_assert_str_eq(dst, "");
	ck_assert_int_eq(str_copy(dst, 0, STR("")), -1);
	ck_assert_int_eq(str_lower(dst, sizeof(dst), STR("A\xc4Z")), 0);
	ck_assert_str_eq(dst, "a\xc4z");
	ck_assert_int_eq(str_lower(dst, sizeof(dst), STR("ABCD")), -1);
	ck_assert_ptr_nonnull(p = str_dup(STR("xy")));
	ck_assert_str_eq(p, "xy");
	free(p);
	ck_assert_ptr_null(str_dup(STR("x\0y")));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

static const struct { struct str in, want; } trims[] = {
	{ IN(""), IN("") },
	{ IN(" \t "), IN("") },
	{ IN("a"), IN("a") },
	{ IN(" \ta b\t "), IN("a b") },
	{ IN("\na\n"), IN("\na\n") },
};

START_TEST(trim)
{
	ck_assert(str_eq(str_trim(trims[_i].in), trims[_i].want));
}
END_TEST

static const struct { struct str in; unsigned long long max; int error;
    unsigned long long want; } numbers[] = {
	{ IN("0"), 0, 0, 0 },
	{ IN("1"), 0, ERANGE, 0 },
	{ IN("255"), 255, 0, 255 },
	{ IN("256"), 255, ERANGE, 0 },
	{ IN("0000255"), 255, 0, 255 },
	{ IN("18446744073709551615"), ULLONG_MAX, 0, ULLONG_MAX },
	{ IN("18446744073709551616"), ULLONG_MAX, ERANGE, 0 },
	{ IN("99999999999999999999999"), ULLONG_MAX, ERANGE, 0 },
	{ IN(""), 9, EINVAL, 0 },
	{ IN("-1"), 9, EINVAL, 0 },
	{ IN("+1"), 9, EINVAL, 0 },
	{ IN(" 1"), 9, EINVAL, 0 },
	{ IN("1 "), 9, EINVAL, 0 },
	{ IN("0x1"), 9, EINVAL, 0 },
	{ IN("1\0"), 9, EINVAL, 0 },
};

START_TEST(number)
{
	unsigned long long	n = 77;

	errno = 0;
	ck_assert_int_eq(str_number(numbers[_i].in, numbers[_i].max, &n),
	    numbers[_i].error ? -1 : 0);
	ck_assert_int_eq(errno, numbers[_i].error);
	ck_assert_uint_eq(n, numbers[_i].error ? 77 : numbers[_i].want);
}
END_TEST

START_TEST(lines)
{
	struct str	rest = STR("a\n\nb\0c\r\nlast"), line;

	ck_assert(str_take_line(&rest, &line) && str_eq(line, STR("a")));
	ck_assert(str_take_line(&rest, &line) && line.n == 0);
	ck_assert(str_take_line(&rest, &line) && str_eq(line, STR("b\0c\r")));
	ck_assert(str_take_line(&rest, &line) && str_eq(line, STR("last")));
	ck_assert(!str_take_line(&rest, &line));
	rest = STR("x\n");
	ck_assert(str_take_line(&rest, &line) && str_eq(line, STR("x")));
	ck_assert(!str_take_line(&rest, &line));
}
END_TEST

static const struct {
	struct str	in;
	bool		has;
} controls[] = {
	{ { "", 0 }, false }, { { "a b", 3 }, false }, { { "\xc3\xa4", 2 }, false },
	{ { "a\tb", 3 }, true }, { { "a\0", 2 }, true }, { { "\x7f", 1 }, true },
	{ { "a\n", 2 }, true }, { { "\x1f", 1 }, true }
};

START_TEST(control)
{
	ck_assert_int_eq(str_has_control(controls[_i].in), controls[_i].has);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("str");
	TCase	*t = tcase_create("str");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, compare, 0, nitems(pairs));
	tcase_add_test(t, views);
	tcase_add_test(t, copies);
	tcase_add_loop_test(t, trim, 0, nitems(trims));
	tcase_add_loop_test(t, number, 0, nitems(numbers));
	tcase_add_test(t, lines);
	tcase_add_loop_test(t, control, 0, nitems(controls));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
