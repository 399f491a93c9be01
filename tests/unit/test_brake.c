/*
 * tests/unit/test_brake.c - how much is too much: a newsletter on its day, an account that is taken over, one that
 * grows, clocks that jump. And what is remembered of it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "queue/brake_file.h"

#define HOUR	INT64_C(3600)
#define DAY	(24 * HOUR)
#define WEEK	(7 * DAY)
#define START	(20000 * DAY + 9 * HOUR)	/* nine o'clock */

static const struct brake_limits limits = {
	.free = { 100, 500, 250, 50 }, .factor = 5
};
static struct brake_rate	rate;
static enum brake_kind		what;

static void
setup(void)
{
	memset(&rate, 0, sizeof(rate));
}

/* n messages, one a second or as many at once. How many went before the brake; all: n. */
static uint32_t
sends(uint32_t n, int64_t *now, uint32_t at_once)
{
	uint32_t	i;

	for (i = 0; i < n; i++) {
		brake_rate_move(&rate, &limits, *now, LEARN_SLOWLY);
		brake_rate_add(&rate, BRAKE_MESSAGES, 1, *now);
		if (brake_rate_exceeds(&rate, &limits, *now, &what))
			return i;
		*now += i % at_once == 0;
	}
	return n;
}

/* As many as are free, in any hour, whatever the clock shows. */
START_TEST(free_for_all)
{
	int64_t	now = START + _i * 600;

	ck_assert_uint_eq(sends(100, &now, 1), 100);
	ck_assert_uint_eq(sends(1, &now, 1), 0);
	ck_assert_int_eq(what, BRAKE_MESSAGES);
	/* two hours later nothing is left of it */
	now += 2 * HOUR;
	ck_assert_uint_eq(sends(100, &now, 1), 100);
}
END_TEST

/* The hour before counts for what it has in the last sixty minutes. */
START_TEST(sliding)
{
	int64_t	now = START + HOUR - 60;

	ck_assert_uint_eq(sends(60, &now, 60), 60);
	now = START + HOUR + 900;
	brake_rate_move(&rate, &limits, now, LEARN_SLOWLY);
	ck_assert_uint_eq(brake_rate_hour(&rate, BRAKE_MESSAGES, now), 45);
	now = START + HOUR + 1800;
	ck_assert_uint_eq(brake_rate_hour(&rate, BRAKE_MESSAGES, now), 30);
	ck_assert_uint_eq(sends(200, &now, 1000), 71);
	now = START + 3 * HOUR;
	brake_rate_move(&rate, &limits, now, LEARN_SLOWLY);
	ck_assert_uint_eq(brake_rate_hour(&rate, BRAKE_MESSAGES, now), 0);
}
END_TEST

/* 5000 each week: held at first, right since somebody said so; ten times as many never are. */
START_TEST(newsletter)
{
	int64_t	now = START;
	int	week;

	ck_assert_uint_eq(sends(5000, &now, 5), 100);
	while (rate.now[BRAKE_MESSAGES] < 5000)
		brake_rate_add(&rate, BRAKE_MESSAGES, 1, now);
	brake_rate_accept(&rate);
	for (week = 1; week < 60; week++) {
		/* not quite on time, and not quite as many */
		now = START + week * WEEK + (week % 5 - 2) * HOUR;
		ck_assert_uint_eq(sends(5000 + 50 * (uint32_t)(week % 7), &now,
		    5), 5000 + 50 * (uint32_t)(week % 7));
	}
	/* after holidays, still */
	now = START + 67 * WEEK;
	ck_assert_uint_eq(sends(5000, &now, 5), 5000);
	now += WEEK;
	ck_assert_uint_lt(sends(50000, &now, 50), 26000);
}
END_TEST

/* Who sends a few each day and is taken over in the night goes no further than a stranger. */
START_TEST(taken_over)
{
	int64_t	now;
	int	day;

	for (day = 0; day < 100; day++) {
		now = START + day * DAY;
		ck_assert_uint_eq(sends(12, &now, 1), 12);
		now += 4 * HOUR;
		ck_assert_uint_eq(sends(8, &now, 1), 8);
	}
	now += 10 * HOUR;
	ck_assert_uint_eq(sends(5000, &now, 10), 100);
}
END_TEST

/* Many days teach: half as much again each day goes far, ten times as much does not. */
START_TEST(growth)
{
	int64_t		now;
	uint32_t	n = 40;
	int		day;

	for (day = 0; day < 12; day++, n += n / 2) {
		now = START + day * DAY;
		ck_assert_uint_eq(sends(n, &now, 10), n);
	}
	ck_assert_uint_gt(n, 4000);
	now = START + 12 * DAY;
	ck_assert_uint_lt(sends(10 * n, &now, 50), 4 * n);
}
END_TEST

/* Within a day nothing is learned: an attacker who goes slowly at first has gained nothing. */
START_TEST(no_ramp)
{
	int64_t		now = START;
	uint32_t	all = 0;
	int		hour;

	for (hour = 0; hour < 14; hour++) {
		now = START + hour * HOUR;
		all += sends(1000, &now, 10);
		rate.now[BRAKE_MESSAGES] = 100;
	}
	ck_assert_uint_le(all, 1400);
	/* and of a day no more than twice what was free */
	now += DAY;
	brake_rate_move(&rate, &limits, now, LEARN_SLOWLY);
	ck_assert_uint_le(brake_rate_limit(&rate, &limits, BRAKE_MESSAGES),
	    2 * 100 * 5);
}
END_TEST

START_TEST(learning)
{
	int64_t	now = START;

	brake_rate_move(&rate, &limits, now, LEARN_ALL);
	brake_rate_add(&rate, BRAKE_MESSAGES, 7000, now);
	brake_rate_move(&rate, &limits, now + DAY, LEARN_NOTHING);
	ck_assert_uint_eq(rate.usual[BRAKE_MESSAGES], 0);
	ck_assert_uint_eq(rate.peak[BRAKE_MESSAGES], 7000);
	brake_rate_move(&rate, &limits, now + 2 * DAY, LEARN_ALL);
	ck_assert_uint_eq(rate.usual[BRAKE_MESSAGES], 7000000);
	ck_assert_uint_eq(brake_rate_limit(&rate, &limits, BRAKE_MESSAGES),
	    35000);
	brake_rate_add(&rate, BRAKE_MESSAGES, 90000, now + 2 * DAY);
	brake_rate_forget(&rate);
	ck_assert(!brake_rate_exceeds(&rate, &limits, now + 2 * DAY, &what));
	ck_assert_uint_eq(rate.usual[BRAKE_MESSAGES], 7000000);
	/* the half after four weeks */
	brake_rate_move(&rate, &limits, now + 30 * DAY, LEARN_ALL);
	ck_assert_uint_gt(rate.usual[BRAKE_MESSAGES], 3450000);
	ck_assert_uint_lt(rate.usual[BRAKE_MESSAGES], 3550000);
}
END_TEST

/* Looking often and looking once come to the same. */
START_TEST(steps)
{
	struct brake_rate	once = { .hour = 0 }, often;
	int64_t			t;

	brake_rate_move(&once, &limits, START, LEARN_SLOWLY);
	brake_rate_add(&once, BRAKE_RCPTS, 300, START);
	often = once;
	for (t = START; t <= START + 20 * DAY; t += 7 * HOUR)
		brake_rate_move(&often, &limits, t, LEARN_SLOWLY);
	brake_rate_move(&often, &limits, START + 20 * DAY, LEARN_SLOWLY);
	brake_rate_move(&once, &limits, START + 20 * DAY, LEARN_SLOWLY);
	ck_assert_uint_eq(once.usual[BRAKE_RCPTS], often.usual[BRAKE_RCPTS]);
	ck_assert_int_eq(once.day, often.day);
	ck_assert_int_eq(once.hour, often.hour);
	ck_assert_mem_eq(once.now, often.now, sizeof(once.now));
}
END_TEST

/* A clock that is wrong for a while neither holds anybody nor lets an attacker go on for ever. */
START_TEST(clock_jumps)
{
	static const int64_t	jumps[] = {
		-10 * 365 * DAY, -DAY, -2 * HOUR, -1, HOUR, DAY, 20 * 365 * DAY
	};
	int64_t	now = START, there;

	ck_assert_uint_eq(sends(80, &now, 1), 80);
	brake_rate_add(&rate, BRAKE_RCPTS, 4000, now);
	brake_rate_accept(&rate);
	there = now + jumps[_i];
	ck_assert_uint_eq(sends(10, &there, 1), 10);
	/* what is usual is not forgotten */
	ck_assert_uint_ge(brake_rate_limit(&rate, &limits, BRAKE_RCPTS), 5000);
	/* back again */
	ck_assert_uint_eq(sends(1, &now, 1), 1);
	now += 2 * HOUR;
	ck_assert_uint_ge(sends(400, &now, 100), 100);
	ck_assert_uint_lt(sends(5000, &now, 100), 5000);
}
END_TEST

/* Numbers at their ends, and limits that are none. */
START_TEST(bounds)
{
	struct brake_limits	none = { .free = { 0, 0, 0, 0 }, .factor = 1000 };
	struct brake_limits	all = { .free = { UINT32_MAX, 1, 1, 1 },
				    .factor = 1000 };

	brake_rate_move(&rate, &all, START, LEARN_ALL);
	brake_rate_add(&rate, BRAKE_RCPTS, UINT32_MAX, START);
	brake_rate_add(&rate, BRAKE_RCPTS, UINT32_MAX, START);
	ck_assert_uint_eq(brake_rate_hour(&rate, BRAKE_RCPTS, START),
	    UINT32_MAX);
	ck_assert(!brake_rate_exceeds(&rate, &none, START, &what));
	ck_assert(!brake_rate_matters(&rate, &none, START));
	ck_assert(brake_rate_exceeds(&rate, &all, START, &what));
	ck_assert_int_eq(what, BRAKE_RCPTS);
	brake_rate_accept(&rate);
	ck_assert_uint_eq(brake_rate_limit(&rate, &all, BRAKE_RCPTS),
	    UINT32_MAX);
	ck_assert(!brake_rate_exceeds(&rate, &all, START, &what));
}
END_TEST

/* Nobody needs to be remembered who is judged as a stranger is. */
START_TEST(matters)
{
	int64_t	now = START;

	ck_assert(!brake_rate_matters(&rate, &limits, now));
	ck_assert_uint_eq(sends(12, &now, 1), 12);
	ck_assert(!brake_rate_matters(&rate, &limits, now));
	ck_assert_uint_eq(sends(12, &now, 1), 12);
	ck_assert(brake_rate_matters(&rate, &limits, now));
	now += 60 * DAY;
	brake_rate_move(&rate, &limits, now, LEARN_SLOWLY);
	ck_assert(!brake_rate_matters(&rate, &limits, now));
}
END_TEST

/* ---- recipients */

static bool
is_new(struct brake_known *k, int n)
{
	char	name[64];

	snprintf(name, sizeof(name), "User%d@Example.%d.test", n, n % 7);
	return brake_known_add(k, str_from(name));
}

START_TEST(known)
{
	static struct brake_known	k;
	int				i, strangers = 0, again = 0;

	memset(&k, 0, sizeof(k));
	for (i = 0; i < 300; i++)
		strangers += is_new(&k, i);
	ck_assert_int_ge(strangers, 290);
	for (i = 0; i < 300; i++)
		again += is_new(&k, i);
	ck_assert_int_eq(again, 0);
	ck_assert(!brake_known_add(&k, STR("uSER7@eXAMPLE.0.TEST")));
	/* thousands of them: those of the last are known, the first are not */
	for (strangers = 0, i = 1000; i < 5000; i++)
		strangers += is_new(&k, i);
	ck_assert_int_ge(strangers, 3000);
	for (again = 0, i = 4700; i < 5000; i++)
		again += is_new(&k, i);
	ck_assert_int_eq(again, 0);
	for (again = 0, i = 0; i < 300; i++)
		again += is_new(&k, i);
	ck_assert_int_ge(again, 150);
}
END_TEST

/* ---- the file */

static struct brake_record	got[4];
static size_t			ngot;

static int
take(void *arg, struct brake_record *r)
{
	(void)arg;
	ck_assert_uint_lt(ngot, nitems(got));
	got[ngot++] = *r;
	return 0;
}

START_TEST(file)
{
	static struct brake_known	k;
	struct brake_record		a = { .name = STR("ann") }, b = {
		.name = STR("uid=33"), .since = 1795521180123,
		.what = BRAKE_NEW, .seen = 251, .limit = 250, .told = true,
		.held = 77, .nsamples = 2 };
	struct buf	out;
	struct diag	why;
	int64_t		saved;
	int64_t		now = START;

	ngot = 0;
	(void)sends(70, &now, 1);
	brake_rate_accept(&rate);
	a.rate = rate;
	a.known = &k;
	(void)is_new(&k, 1);
	ck_assert(id_parse(STR("0123456789abcdefghjk"), &b.samples[0]));
	ck_assert(id_parse(STR("0123456789abcdefghjm"), &b.samples[1]));
	buf_init(&out, 65536);
	brake_file_head(&out, 1795521180000);
	brake_file_add(&out, &a);
	brake_file_add(&out, &b);
	ck_assert(buf_ok(&out));
	ck_assert_msg(brake_file_read(buf_view(&out), &saved, take, NULL,
	    &why) == 0, "%s", why.text);
	ck_assert_int_eq(saved, 1795521180000);
	ck_assert_uint_eq(ngot, 2);
	ck_assert(str_eq(got[0].name, STR("ann")) && got[0].since == 0);
	ck_assert_mem_eq(&got[0].rate, &rate, sizeof(rate));
	ck_assert_mem_eq(got[0].known, &k, sizeof(k));
	ck_assert(str_eq(got[1].name, STR("uid=33")) && got[1].known == NULL);
	ck_assert(got[1].since == b.since && got[1].what == b.what &&
	    got[1].seen == 251 && got[1].limit == 250 && got[1].told &&
	    got[1].held == 77 && got[1].nsamples == 2 &&
	    id_eq(got[1].samples[1], b.samples[1]));
	free(got[0].known);
	buf_free(&out);
}
END_TEST

#define ONE(n)	"1:" n ",\n"
#define FOUR	"7:0 0 0 0,\n"
#define USER	"N" ONE("a") "h" ONE("1") "d" ONE("1") "c" FOUR "b" FOUR "p" FOUR

static const struct { const char *in; size_t n; bool ok; } files[] = {
	{ "V1:1,\nT1:0,\n", 0, true },
	{ "V1:1,\nT1:0,\nZ1:x,\n", 0, true },
	{ "", 0, false },
	{ "V1:2,\nT1:0,\n", 0, false },
	{ "T1:0,\nV1:1,\n", 0, false },
	{ "V1:1,\n", 0, false },
	{ "V1:1,\nT2:-1,\n", 0, false },
	{ "V1:1,\nT1:0,\nU66:" USER "u" FOUR ",\n", 1, true },
	{ "V1:1,\nT1:0,\nU66:" USER "u" FOUR ",\nU6:", 1, false },
	{ "V1:1,\nT1:0,\nU54:" USER ",\n", 0, false },
	{ "V1:1,\nT1:0,\nU72:" USER "u" FOUR "s" ONE("7") ",\n", 0, false },
	{ "V1:1,\nT1:0,\nU72:" USER "u" FOUR "k" ONE("7") ",\n", 0, false },
	{ "V1:1,\nT1:0,\nU64:" USER "u5:0 0 0,\n,\n", 0, false },
};

START_TEST(odd_files)
{
	struct diag	why = { "" };
	int64_t		saved;

	ngot = 0;
	ck_assert_int_eq(brake_file_read(str_from(files[_i].in), &saved, take,
	    NULL, &why), files[_i].ok ? 0 : -1);
	ck_assert_uint_eq(ngot, files[_i].n);
	ck_assert_int_eq(why.text[0] == '\0', files[_i].ok);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("brake");
	TCase	*t = tcase_create("brake");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, free_for_all, 0, 6);
	tcase_add_test(t, sliding);
	tcase_add_test(t, newsletter);
	tcase_add_test(t, taken_over);
	tcase_add_test(t, growth);
	tcase_add_test(t, no_ramp);
	tcase_add_test(t, learning);
	tcase_add_test(t, steps);
	tcase_add_loop_test(t, clock_jumps, 0, 7);
	tcase_add_test(t, bounds);
	tcase_add_test(t, matters);
	tcase_add_test(t, known);
	tcase_add_test(t, file);
	tcase_add_loop_test(t, odd_files, 0, (int)nitems(files));
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
