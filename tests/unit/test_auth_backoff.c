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

static const struct backoff_limits	ten = { 10, 600000 };

static unsigned
of(const char *name, int64_t now)
{
	return backoff_failures(&b, BACKOFF_CLIENT, str_from(name), &ten, now);
}

static bool
failed_at(const char *name, int64_t now)
{
	return backoff_failed(&b, BACKOFF_CLIENT, str_from(name), &ten, now);
}

START_TEST(counting)
{
	ck_assert_uint_eq(of("a", 0), 0);
	ck_assert(!failed_at("a", 1000));
	ck_assert(!failed_at("a", 2000));
	ck_assert_uint_eq(of("a", 3000), 2);
	/* a user is not a client */
	ck_assert_uint_eq(backoff_failures(&b, BACKOFF_USER, STR("a"), &ten,
	    3000), 0);
	ck_assert_uint_eq(of("b", 3000), 0);
	/* one is forgiven each minute */
	ck_assert_uint_eq(of("a", 63000), 1);
	ck_assert_uint_eq(of("a", 122000), 0);
	ck_assert_uint_eq(of("a", INT64_MAX / 4), 0);
	backoff_forgive(&b, BACKOFF_CLIENT, STR("a"), &ten, 1, 3000);
	ck_assert_uint_eq(of("a", 3000), 1);
	backoff_forgive(&b, BACKOFF_CLIENT, STR("a"), &ten, 7, 3000);
	ck_assert_uint_eq(of("a", 3000), 0);
	backoff_forgive(&b, BACKOFF_CLIENT, STR("c"), &ten, 7, 3000);
}
END_TEST

static bool
blocked(const char *name, int64_t now)
{
	return backoff_blocked(&b, BACKOFF_CLIENT, str_from(name), now);
}

START_TEST(blocks)
{
	int64_t	now = 1000, length = ten.block_time;
	int	i, n;

	for (i = 0; i < 9; i++)
		ck_assert(!failed_at("a", now++));
	ck_assert(!blocked("a", now));
	ck_assert(failed_at("a", now));
	for (n = 0; n < 8; n++) {
		ck_assert(blocked("a", now));
		ck_assert(!blocked("b", now));
		ck_assert(!failed_at("a", now));	/* was on its way */
		ck_assert(blocked("a", now + length - 1));
		ck_assert(!blocked("a", now + length));	/* by itself */
		now += length;
		for (i = 0; !failed_at("a", now); i++)
			ck_assert_int_lt(i, 10);
		length = n < BACKOFF_DOUBLED ? 2 * length : length;
	}
	/* long after, it is as at first */
	now += length + (ten.block_time << BACKOFF_DOUBLED) + 1;
	for (i = 0; !failed_at("a", now); i++)
		ck_assert_int_lt(i, 10);
	ck_assert_int_eq(i, 9);
	ck_assert(!blocked("a", now + ten.block_time));
}
END_TEST

START_TEST(never)
{
	static const struct backoff_limits	off = { 0, 600000 };
	int					i;

	for (i = 0; i < 100000; i++)
		ck_assert(!backoff_failed(&b, BACKOFF_USER, STR("a"), &off, i));
	ck_assert(!backoff_blocked(&b, BACKOFF_USER, STR("a"), 100000));
	ck_assert_uint_eq(backoff_failures(&b, BACKOFF_USER, STR("a"), &off,
	    100000), 200);
}
END_TEST

START_TEST(known_ones)
{
	ck_assert(!backoff_is_known(&b, STR("a"), 5));
	backoff_remember(&b, STR("a"), 5);
	ck_assert(backoff_is_known(&b, STR("a"), BACKOFF_FRIEND));
	ck_assert(!backoff_is_known(&b, STR("a"), 5 + BACKOFF_FRIEND));
	backoff_remember(&b, STR("a"), 1000);
	ck_assert(backoff_is_known(&b, STR("a"), 5 + BACKOFF_FRIEND));
	ck_assert(!backoff_is_known(&b, STR("b"), 5));
}
END_TEST

/* A flood of others may push an entry out, but not the one that has just failed, nor one that is blocked. */
START_TEST(flood)
{
	char		name[32];
	unsigned	i, kept = 0;

	for (i = 0; i < 10; i++)
		(void)failed_at("blocked", i);
	for (i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		(void)failed_at(name, (int64_t)i);
		ck_assert_uint_eq(of(name, (int64_t)i), 1);
	}
	for (i = 99000; i < 100000; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		kept += of(name, 100000);
	}
	ck_assert_uint_gt(kept, 900);	/* the youngest are kept */
	ck_assert(blocked("blocked", 100000));
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
	tcase_add_test(t, blocks);
	tcase_add_test(t, never);
	tcase_add_test(t, known_ones);
	tcase_add_test(t, flood);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
