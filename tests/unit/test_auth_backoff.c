/* tests/unit/test_auth_backoff.c - who has failed how often; bounded whatever is tried. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/backoff.h"
#include "common/base/attr.h"

static struct backoff	b;

static void
setup(void)
{
	backoff_init(&b, 42);
}

static const struct { unsigned failures; int64_t base, delay; } rows[] = {
	{ 0, 2000, 0 },
	{ 1, 2000, 2000 },
	{ 2, 2000, 4000 },
	{ 3, 2000, 8000 },
	{ 5, 2000, BACKOFF_MAX },
	{ 4000000000u, 2000, BACKOFF_MAX },
	{ 1, 60000, BACKOFF_MAX },
	{ 1, 0, 0 },
	{ 1000, 0, 0 },
};

START_TEST(delays)
{
	ck_assert_int_eq(backoff_delay(rows[_i].failures, rows[_i].base),
	    rows[_i].delay);
}
END_TEST

START_TEST(counting)
{
	ck_assert_uint_eq(backoff_failures(&b, 'c', STR("a"), 0), 0);
	backoff_failed(&b, 'c', STR("a"), 1000);
	backoff_failed(&b, 'c', STR("a"), 2000);
	ck_assert_uint_eq(backoff_failures(&b, 'c', STR("a"), 3000), 2);
	/* a user is not a client */
	ck_assert_uint_eq(backoff_failures(&b, 'u', STR("a"), 3000), 0);
	ck_assert_uint_eq(backoff_failures(&b, 'c', STR("b"), 3000), 0);
	/* each failure keeps the memory alive, then it fades */
	ck_assert_uint_eq(backoff_failures(&b, 'c', STR("a"),
	    2000 + BACKOFF_FORGET), 2);
	ck_assert_uint_eq(backoff_failures(&b, 'c', STR("a"),
	    2001 + BACKOFF_FORGET), 0);
	backoff_failed(&b, 'c', STR("a"), 2001 + BACKOFF_FORGET);
	ck_assert_uint_eq(backoff_failures(&b, 'c', STR("a"),
	    2001 + BACKOFF_FORGET), 1);
	backoff_succeeded(&b, 'c', STR("a"));
	ck_assert_uint_eq(backoff_failures(&b, 'c', STR("a"),
	    2001 + BACKOFF_FORGET), 0);
}
END_TEST

/* A flood of others may push an entry out, but not the one that has just failed. */
START_TEST(flood)
{
	char		name[32];
	unsigned	i, kept = 0;

	for (i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		backoff_failed(&b, 'u', str_from(name), (int64_t)i);
		ck_assert_uint_eq(backoff_failures(&b, 'u', str_from(name),
		    (int64_t)i), 1);
	}
	for (i = 99000; i < 100000; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		kept += backoff_failures(&b, 'u', str_from(name), 100000);
	}
	ck_assert_uint_gt(kept, 900);	/* the youngest are kept */
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("auth_backoff");
	TCase	*t = tcase_create("auth_backoff");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, delays, 0, nitems(rows));
	tcase_add_test(t, counting);
	tcase_add_test(t, flood);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
