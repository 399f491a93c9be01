/* tests/unit/test_buf.c - a growing buffer with a hard maximum. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

static struct buf	b;

static void
teardown(void)
{
	buf_free(&b);
}

START_TEST(grows)
{
	size_t	i;

	buf_init(&b, 100000);
	ck_assert_uint_eq(buf_view(&b).n, 0);
	for (i = 0; i < 100000; i++)
		ck_assert_int_eq(buf_addc(&b, (char)(i % 251)), 0);
	ck_assert_uint_eq(b.n, 100000);
	for (i = 0; i < 100000; i++)
		ck_assert_int_eq(b.p[i], (char)(i % 251));
	ck_assert(buf_ok(&b));
}
END_TEST

START_TEST(maximum)
{
	buf_init(&b, 4);
	ck_assert_int_eq(buf_adds(&b, "abcd"), 0);
	ck_assert(buf_ok(&b));
	ck_assert_int_eq(buf_addc(&b, 'e'), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert(!buf_ok(&b));
	ck_assert_uint_eq(b.n, 4);
	/* what fits afterwards does not hide that something did not */
	buf_consume(&b, 4);
	ck_assert_int_eq(buf_adds(&b, "x"), 0);
	ck_assert(!buf_ok(&b));
	buf_reset(&b);
	ck_assert(buf_ok(&b));
	ck_assert_uint_eq(b.n, 0);
	ck_assert_int_eq(buf_reserve(&b, 5), -1);
	ck_assert_int_eq(buf_reserve(&b, (size_t)-1), -1);
}
END_TEST

START_TEST(formats)
{
	char	wide[600];
	size_t	i;

	buf_init(&b, 4096);
	memset(wide, 'w', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	ck_assert_int_eq(buf_addf(&b, "%d-%s;", 42, "x"), 0);
	ck_assert(str_eq(buf_view(&b), STR("42-x;")));
	/* longer than the first try, at every offset near the capacity */
	for (i = 0; i < 6; i++)
		ck_assert_int_eq(buf_addf(&b, "%s", wide), 0);
	ck_assert_uint_eq(b.n, 5 + 6 * 599);
	ck_assert_int_eq(b.p[b.n - 1], 'w');
	ck_assert_int_eq(buf_addf(&b, "%s", wide), -1);
	ck_assert(!buf_ok(&b));
}
END_TEST

static const struct {
	uint64_t	 v;
	const char	*text;
} numbers[] = {
	{ 0, "0" },
	{ 7, "7" },
	{ 10, "10" },
	{ UINT32_MAX, "4294967295" },
	{ INT64_MAX, "9223372036854775807" },
	{ UINT64_MAX, "18446744073709551615" },
};

START_TEST(decimal)
{
	size_t	n = strlen(numbers[_i].text);

	buf_init(&b, n);
	ck_assert_int_eq(buf_addu(&b, numbers[_i].v), 0);
	ck_assert_uint_eq(b.n, n);
	ck_assert_int_eq(memcmp(b.p, numbers[_i].text, n), 0);
	buf_free(&b);
	buf_init(&b, n - 1);
	ck_assert_int_eq(buf_addu(&b, numbers[_i].v), -1);
	ck_assert_uint_eq(b.n, 0);
	ck_assert(!buf_ok(&b));
}
END_TEST

START_TEST(exact_fits)
{
	size_t	n;
	char	text[1025];

	for (n = 250; n < 1025; n++) {
		memset(text, 'x', n);
		text[n] = '\0';
		buf_init(&b, 2048);
		ck_assert_int_eq(buf_addf(&b, "%s", text), 0);
		ck_assert_uint_eq(b.n, n);
		ck_assert_int_eq(memcmp(b.p, text, n), 0);
		buf_free(&b);
	}
}
END_TEST

START_TEST(consume)
{
	buf_init(&b, 64);
	ck_assert_int_eq(buf_adds(&b, "abcdef"), 0);
	buf_consume(&b, 0);
	buf_consume(&b, 2);
	ck_assert(str_eq(buf_view(&b), STR("cdef")));
	buf_consume(&b, 4);
	ck_assert_uint_eq(b.n, 0);
}
END_TEST

START_TEST(c_strings)
{
	buf_init(&b, 5);
	ck_assert_str_eq(buf_cstr(&b), "");
	ck_assert_int_eq(buf_adds(&b, "abcd"), 0);
	ck_assert_str_eq(buf_cstr(&b), "abcd");
	ck_assert_uint_eq(b.n, 4);
	ck_assert_int_eq(buf_addc(&b, 'e'), 0);
	ck_assert_ptr_null(buf_cstr(&b));	/* no room for the NUL */
	ck_assert_int_eq(errno, EMSGSIZE);
	buf_reset(&b);
	ck_assert_int_eq(buf_addstr(&b, STR("a\0b")), 0);
	ck_assert_ptr_null(buf_cstr(&b));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(wipe)
{
	buf_init(&b, 64);
	ck_assert_int_eq(buf_adds(&b, "secret"), 0);
	buf_wipe(&b);
	ck_assert_ptr_null(b.p);
	ck_assert_uint_eq(b.n, 0);
	ck_assert_uint_eq(b.max, 64);
	buf_wipe(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("buf");
	TCase	*t = tcase_create("buf");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, grows);
	tcase_add_test(t, maximum);
	tcase_add_test(t, formats);
	tcase_add_loop_test(t, decimal, 0, (int)nitems(numbers));
	tcase_add_test(t, exact_fits);
	tcase_add_test(t, consume);
	tcase_add_test(t, c_strings);
	tcase_add_test(t, wipe);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
