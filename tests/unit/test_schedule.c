/* tests/unit/test_schedule.c - what the scheduler promises, one thing after the other. */
#include "queue/schedule.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/hop.h"

#include "common/fmt/record.h"
#include "common/proc/proto_hop.h"

#define FIRST	60000
#define MOST	(8 * FIRST)

static const struct schedule_rules	none;
static struct schedule_limits		limits;
static struct schedule			*s;
static struct schedule_job		jobs[4000];
static size_t				njobs;

static void
setup(void)
{
	limits = (struct schedule_limits){ .workers = 10, .concurrency = 4,
	    .running = 1000, .dests = 50, .retry_first = FIRST,
	    .retry_max = MOST };
	ck_assert_int_eq(schedule_new(&s, &limits, 42), 0);
	memset(jobs, 0, sizeof(jobs));
	njobs = 0;
}

static void
teardown(void)
{
	schedule_free(&s);
	ck_assert_ptr_null(s);
}

static struct schedule_job *
job(uint64_t sender, enum schedule_class class)
{
	struct schedule_job	*j = &jobs[njobs++];

	j->sender = sender;
	j->class = class;
	j->first = true;
	return j;
}

static int
add_as(const char *key, uint64_t sender, enum schedule_class class, int64_t now)
{
	return schedule_add(s, job(sender, class), str_from(key), &none, 1000,
	    now);
}

static void
add(const char *key, size_t n, int64_t now)
{
	while (n-- > 0)
		ck_assert_int_eq(add_as(key, 1, SCHEDULE_NORMAL, now), 0);
}

static const char *
key_of(const struct schedule_job *j)
{
	return schedule_key(j->dest).p;
}

static void
ended(struct schedule_job *j, enum schedule_end end, int64_t now)
{
	schedule_ended(s, j->dest, j->hosts, end, STR("because"), now - 10,
	    now);
	schedule_closed(s, j->dest);
}

/* One job, opened and ended. */
static void
one(const char *key, enum schedule_end end, int64_t now)
{
	struct schedule_job	*j = schedule_next(s, now);

	ck_assert_ptr_nonnull(j);
	ck_assert_str_eq(key_of(j), key);
	ended(j, end, now);
}

START_TEST(window)	/* two at first, one more for each turn, never more than may be */
{
	struct schedule_job	*open[20];
	size_t			 n, round;
	static const size_t	 want[] = { 2, 2, 3, 4, 4 };

	add("a", 100, 0);
	for (round = 0; round < nitems(want); round++) {
		for (n = 0; (open[n] = schedule_next(s, 0)) != NULL; )
			n++;
		ck_assert_msg(n == want[round], "round %zu: %zu", round, n);
		while (n-- > 0)
			ended(open[n], SCHEDULE_DONE, 0);
	}
	/* halved by a failure that is not its death: others talk to it */
	for (n = 0; (open[n] = schedule_next(s, 0)) != NULL; )
		n++;
	ended(open[--n], SCHEDULE_FAILED, 0);
	ck_assert_ptr_null(schedule_next(s, 0));
	while (n-- > 0)
		ended(open[n], SCHEDULE_LOST, 0);
	for (n = 0; schedule_next(s, 0) != NULL; )
		n++;
	ck_assert_uint_eq(n, 2);
}
END_TEST

START_TEST(death)	/* jobs come back, one of them in time to try; the while doubles */
{
	struct schedule_job	*j;
	int64_t			 now = 1000, until = 0, back = FIRST;
	size_t			 i, n, early;

	add("a", 20, now);
	for (i = 0; i < 6; i++) {
		one("a", SCHEDULE_FAILED, now);
		ck_assert_ptr_null(schedule_next(s, now));
		for (early = n = 0; (j = schedule_refused(s)) != NULL; n++) {
			ck_assert(j->dead);
			ck_assert(str_eq(schedule_why(j->dest), STR("because")));
			ck_assert_int_ge(j->until, now + back * 3 / 4);
			ck_assert_int_le(j->until, now + 5000 + back * 5 / 2);
			if (until == 0 || j->until < until)
				until = j->until;
			early += j->until <= now + back * 5 / 4;
		}
		if (i == 0)
			ck_assert_uint_eq(n, 19);
		/* who comes too early is told when */
		ck_assert_int_eq(add_as("a", 1, SCHEDULE_SMALL, now + 1), 1);
		if (until == 0)
			until = jobs[njobs - 1].until;
		ck_assert_uint_le(early, 1);
		now = until;
		until = 0;
		/* one is let through, the others are not */
		ck_assert_int_eq(add_as("a", 1, SCHEDULE_SMALL, now), 0);
		ck_assert_int_eq(add_as("a", 1, SCHEDULE_SMALL, now), 1);
		back = back * 2 > MOST ? MOST : back * 2;
	}
	one("a", SCHEDULE_DONE, now);
	ck_assert(schedule_hurries(s));
	ck_assert(schedule_hurry(s, schedule_tag(jobs[0].dest)));
	ck_assert(!schedule_hurry(s, schedule_tag(jobs[0].dest) + 1));
	schedule_hurried(s);
	ck_assert(!schedule_hurries(s));
	ck_assert_int_eq(add_as("a", 1, SCHEDULE_SMALL, now), 0);
}
END_TEST

START_TEST(many_failures_at_once)	/* are one */
{
	struct schedule_job	*x, *y;

	add("a", 2, 0);
	x = schedule_next(s, 0);
	y = schedule_next(s, 0);
	ended(x, SCHEDULE_FAILED, 0);
	ended(y, SCHEDULE_FAILED, 0);
	ck_assert_int_eq(add_as("a", 1, SCHEDULE_SMALL, FIRST * 5 / 4), 0);
}
END_TEST

START_TEST(stranger)	/* whoever names a server of others cannot bring them down with his own */
{
	struct schedule_job	*j;

	add("a", 1, 0);
	one("a", SCHEDULE_DONE, 0);
	j = job(9, SCHEDULE_SMALL);
	j->hosts = 77;
	ck_assert_int_eq(schedule_add(s, j, STR("a"), &none, 1000, 5), 0);
	one("a", SCHEDULE_FAILED, 5);
	ck_assert_int_eq(add_as("a", 1, SCHEDULE_SMALL, 6), 0);
	one("a", SCHEDULE_FAILED, 6);
	ck_assert_int_eq(add_as("a", 1, SCHEDULE_SMALL, 7), 1);
}
END_TEST

START_TEST(lost)	/* our own fault tells nothing of the destination */
{
	add("a", 2, 0);
	one("a", SCHEDULE_LOST, 0);
	one("a", SCHEDULE_FAILED, 1);
	ck_assert_int_eq(add_as("a", 1, SCHEDULE_SMALL, 100 * FIRST), 0);
	one("a", SCHEDULE_LOST, 100 * FIRST);
	ck_assert_int_eq(add_as("a", 1, SCHEDULE_SMALL, 100 * FIRST + 1), 1);
	ck_assert_int_eq(add_as("a", 1, SCHEDULE_SMALL, 101 * FIRST), 0);
}
END_TEST

START_TEST(turns)	/* a backlog does not make a destination come more often */
{
	struct schedule_job	*j;
	size_t			 i, b = 0;

	limits.workers = 1;
	schedule_set_limits(s, &limits);
	add("a", 500, 0);
	add("b", 20, 0);
	for (i = 0; i < 40; i++) {
		j = schedule_next(s, 0);
		b += strcmp(key_of(j), "b") == 0;
		ended(j, SCHEDULE_DONE, 0);
	}
	ck_assert_uint_eq(b, 20);
}
END_TEST

START_TEST(yields)	/* a kept connection serves no more than a batch if others have none */
{
	struct schedule_job	*j;
	struct schedule_dest	*d;
	size_t			 used = 0;
	bool			 yield;

	limits.workers = 1;
	schedule_set_limits(s, &limits);
	add("a", 500, 0);
	j = schedule_next(s, 0);
	d = j->dest;
	add("b", 1, 0);
	ck_assert(schedule_is_full(s));
	for (; j != NULL && used < 100; used++) {
		schedule_ended(s, d, 0, SCHEDULE_DONE, STR(""), 0, 1);
		j = schedule_again(s, d, used + 1, 1, &yield);
	}
	ck_assert(yield);
	ck_assert_uint_eq(used, 10);
	schedule_closed(s, d);
	one("b", SCHEDULE_DONE, 2);
	/* with nobody waiting it goes on */
	j = schedule_next(s, 2);
	for (used = 0; used < 50; used++) {
		schedule_ended(s, d, 0, SCHEDULE_DONE, STR(""), 0, 3);
		ck_assert_ptr_nonnull(schedule_again(s, d, used + 1, 3, &yield));
		ck_assert(!yield);
	}
}
END_TEST

START_TEST(idle_yields)	/* an unused connection makes room */
{
	struct schedule_job	*j;
	bool			 yield;

	limits.workers = 1;
	schedule_set_limits(s, &limits);
	add("a", 1, 0);
	j = schedule_next(s, 0);
	schedule_ended(s, j->dest, 0, SCHEDULE_DONE, STR(""), 0, 1);
	ck_assert_ptr_null(schedule_again(s, j->dest, 1, 1, &yield));
	ck_assert(!yield);
	add("b", 1, 1);
	ck_assert_ptr_null(schedule_next(s, 1));
	ck_assert(schedule_is_full(s));
	ck_assert_ptr_null(schedule_again(s, j->dest, 1, 1, &yield));
	ck_assert(yield);
}
END_TEST

START_TEST(some_are_left)	/* slow destinations never have all the workers */
{
	char	key[8];
	size_t	i, n;

	limits.workers = 40;
	limits.concurrency = 100;
	schedule_set_limits(s, &limits);
	for (n = 0; n < 3; n++) {	/* with windows wide open */
		snprintf(key, sizeof(key), "s%zu", n);
		for (i = 0; i < 200; i++) {
			add(key, 1, 0);
			one(key, SCHEDULE_DONE, 0);
		}
	}
	add("s0", 200, 0);
	add("s1", 200, 0);
	add("s2", 200, 0);
	for (n = 0; schedule_next(s, 1) != NULL; )
		n++;
	ck_assert_uint_ge(n, 30);
	ck_assert_uint_lt(n, 40);
	add("new", 1, 1);
	ck_assert_str_eq(key_of(schedule_next(s, 1)), "new");
}
END_TEST

START_TEST(classes)	/* 4 to 2 to 1, and the senders of one take turns */
{
	struct schedule_job	*j;
	size_t			 i, c[SCHEDULE_CLASSES] = { 0 }, x = 0;

	for (i = 0; i < 200; i++) {
		ck_assert_int_eq(add_as("a", 1, SCHEDULE_BULK, 0), 0);
		ck_assert_int_eq(add_as("a", 2, SCHEDULE_SMALL, 0), 0);
		ck_assert_int_eq(add_as("a", 1, SCHEDULE_NORMAL, 0), 0);
	}
	for (i = 0; i < 20; i++)	/* another sender, last */
		ck_assert_int_eq(add_as("a", 7, SCHEDULE_BULK, 0), 0);
	for (i = 0; i < 140; i++) {
		j = schedule_next(s, 0);
		c[j->class]++;
		x += j->sender == 7;
		ended(j, SCHEDULE_DONE, 0);
	}
	ck_assert_uint_eq(c[SCHEDULE_SMALL], 80);
	ck_assert_uint_eq(c[SCHEDULE_NORMAL], 40);
	ck_assert_uint_eq(c[SCHEDULE_BULK], 20);
	ck_assert_uint_eq(x, 10);
}
END_TEST

static const size_t	rates[] = { 1, 2, 7, 60, 999, 6000 };

START_TEST(rate)	/* never more in any minute, and not far less */
{
	const struct schedule_rules	 r = { .rate = rates[_i] };
	struct schedule_job		*j;
	int64_t				*at, now = 12345, wait;
	size_t				 i, n = rates[_i] * 3 + 2;

	at = calloc(n, sizeof(*at));
	for (i = 0; i < n; i++) {
		ck_assert_int_eq(schedule_add(s, job(1, SCHEDULE_NORMAL),
		    STR("a"), &r, 1000, now), 0);
		njobs = 0;	/* one at a time */
		while ((j = schedule_next(s, now)) == NULL) {
			wait = schedule_wait(s, now);
			ck_assert_int_gt(wait, 0);
			now += wait;
		}
		at[i] = now;
		if (i >= rates[_i])
			ck_assert_int_ge(now - at[i - rates[_i]], 60000);
		ended(j, SCHEDULE_DONE, now);
	}
	ck_assert_int_le(now, 12345 + 4 * 60000);
	free(at);
}
END_TEST

START_TEST(too_much)	/* what is slow has a share of what may be under way */
{
	struct schedule_job	*j, *x, *y;
	size_t			 i, n;

	add("slow", 300, 0);
	x = schedule_next(s, 0);
	y = schedule_next(s, 0);
	add("quick", 1, 0);
	/* nobody needs the room, or it is not known yet that it is slow */
	schedule_shed(s, 800, 60000);
	ck_assert_ptr_null(schedule_refused(s));
	schedule_shed(s, 10, 50);
	ck_assert_ptr_null(schedule_refused(s));
	schedule_shed(s, 10, 60000);
	for (n = 0; (j = schedule_refused(s)) != NULL; n++) {
		ck_assert(!j->dead);
		ck_assert_str_eq(key_of(j), "slow");
		ck_assert_int_ge(j->until, 75000);
		ck_assert_int_le(j->until, 60000 + MOST * 5 / 4);
	}
	ck_assert_uint_eq(n, 300 - 1000 / 6);
	ck_assert_int_eq(schedule_add(s, job(1, SCHEDULE_SMALL), STR("slow"),
	    &none, 10, 60000), 1);
	ck_assert_int_eq(schedule_add(s, job(1, SCHEDULE_SMALL), STR("quick"),
	    &none, 10, 60000), 0);
	ck_assert_int_eq(schedule_add(s, job(1, SCHEDULE_SMALL), STR("slow"),
	    &none, 900, 60000), 0);
	/* once it has nearly done what is left, the others are called */
	ended(x, SCHEDULE_DONE, 60000);
	ended(y, SCHEDULE_DONE, 60000);
	ck_assert(!schedule_hurries(s));
	for (i = 0; i < 167; i++) {
		j = schedule_next(s, 60000);
		ck_assert_ptr_nonnull(j);
		ended(j, SCHEDULE_DONE, 60000);
	}
	ck_assert(schedule_hurries(s));
}
END_TEST

START_TEST(forgets)	/* the number of destinations is bounded; the dead are forgotten last */
{
	struct schedule_counts	c;
	char			key[16];
	size_t			i;

	add("dead", 1, 0);
	one("dead", SCHEDULE_FAILED, 0);
	for (i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "d%zu", i);
		add(key, 1, 1);
		one(key, SCHEDULE_DONE, 1);
	}
	schedule_count(s, &c);
	ck_assert_uint_le(c.dests, 50);
	ck_assert_uint_eq(c.dead, 1);
	ck_assert_int_eq(add_as("dead", 1, SCHEDULE_SMALL, 2), 1);
	/* with time all are */
	add("x", 1, 1000 * MOST);
	schedule_count(s, &c);
	ck_assert_uint_eq(c.dests, 1);
	ck_assert_uint_eq(c.queued, 1);
}
END_TEST

START_TEST(given_back)	/* whose jobs nobody has taken back yet is not forgotten */
{
	struct schedule_job	*j;
	struct schedule_counts	 c;
	size_t			 n;

	limits.dests = 1;
	schedule_set_limits(s, &limits);
	add("a", 3, 0);
	one("a", SCHEDULE_FAILED, 0);
	add("b", 1, 1);
	schedule_count(s, &c);
	ck_assert_uint_eq(c.dests, 2);
	for (n = 0; (j = schedule_refused(s)) != NULL; n++)
		ck_assert_str_eq(key_of(j), "a");
	ck_assert_uint_eq(n, 2);
	add("c", 1, 2);
	schedule_count(s, &c);
	ck_assert_uint_eq(c.dests, 2);
	ck_assert_uint_eq(c.dead, 0);
}
END_TEST

START_TEST(rate_of_others)	/* one that may go by its rate and has too many connections stops nobody */
{
	const struct schedule_rules	 r = { .rate = 2 };
	struct schedule_job		*j;
	size_t				 i;

	for (i = 0; i < 6; i++)
		ck_assert_int_eq(schedule_add(s, job(1, SCHEDULE_NORMAL),
		    i < 3 ? STR("a") : STR("b"), &r, 1000, 0), 0);
	j = schedule_next(s, 0);
	schedule_ended(s, j->dest, j->hosts, SCHEDULE_DONE, STR(""), 0, 1);
	one("b", SCHEDULE_DONE, 1);
	j = schedule_next(s, 30000);
	ck_assert_str_eq(key_of(j), "a");
	/* two connections, and from now on one is all that it may have */
	schedule_ended(s, j->dest, j->hosts, SCHEDULE_FAILED, STR(""), 30000,
	    30000);
	one("b", SCHEDULE_DONE, 31000);
	j = schedule_next(s, 70000);
	ck_assert_ptr_nonnull(j);
	ck_assert_str_eq(key_of(j), "b");
	ck_assert_int_eq(schedule_wait(s, 70000), -1);
}
END_TEST

START_TEST(revive)
{
	add("a", 1, 0);
	one("a", SCHEDULE_FAILED, 0);
	add("b", 1, 0);
	one("b", SCHEDULE_FAILED, 0);
	schedule_revive(s, STR("a"), 1);
	ck_assert_int_eq(add_as("a", 1, SCHEDULE_SMALL, 1), 0);
	ck_assert_int_eq(add_as("b", 1, SCHEDULE_SMALL, 1), 1);
	schedule_revive(s, (struct str){ NULL, 0 }, 1);
	ck_assert_int_eq(add_as("b", 1, SCHEDULE_SMALL, 1), 0);
}
END_TEST

START_TEST(undo)	/* it is the next again, and counts for no rate */
{
	const struct schedule_rules	 r = { .rate = 1 };
	struct schedule_job		*j;

	ck_assert_int_eq(schedule_add(s, job(1, SCHEDULE_SMALL), STR("a"), &r,
	    1000, 0), 0);
	ck_assert_int_eq(schedule_add(s, job(1, SCHEDULE_SMALL), STR("a"), &r,
	    1000, 0), 0);
	j = schedule_next(s, 5);
	ck_assert_ptr_eq(j, &jobs[0]);
	schedule_undo(s, j, 5);
	schedule_closed(s, j->dest);
	ck_assert_ptr_eq(schedule_next(s, 6), j);
	ck_assert_ptr_null(schedule_next(s, 6));
}
END_TEST

/* ---- hop.c */

struct answer {
	const char	*code, *status, *key, *tls, *expires;
	const char	*hosts[4];
	bool		 ok;
};

static void
put_answer(const struct answer *a, struct buf *b)
{
	struct buf	t;
	size_t		i;

	buf_init(b, 65536);
	record_puts(b, HOP_CODE, a->code);
	record_puts(b, HOP_STATUS, a->status);
	record_puts(b, HOP_TEXT, "text");
	record_puts(b, HOP_EXPIRES, a->expires);
	record_puts(b, HOP_KEY, a->key);
	record_puts(b, HOP_TLS, a->tls);
	record_puts(b, HOP_PROTOCOL, "smtp");
	for (i = 0; i < nitems(a->hosts) && a->hosts[i] != NULL; i++) {
		buf_init(&t, 1000);
		record_puts(&t, TARGET_HOST, a->hosts[i]);
		record_puts(&t, TARGET_ADDR, "192.0.2.1");
		record_put(b, HOP_TARGET, buf_view(&t));
		buf_free(&t);
	}
	ck_assert(buf_ok(b));
}

static const struct answer answers[] = {
	{ "250", "2.0.0", "smtp:a", "off", "60", { "a", "b" }, true },
	{ "250", "2.0.0", "smtp:a", "off", "90000", { "a" }, true },
	{ "250", "2.0.0", "smtp:a", "off", "60", { NULL }, false },
	{ "250", "2.0.0", "", "off", "60", { "a" }, false },
	{ "550", "5.1.2", "", "", "60", { NULL }, true },
	{ "450", "4.4.3", "", "", "60", { NULL }, true },
	{ "550", "4.1.2", "", "", "60", { NULL }, false },
	{ "354", "3.0.0", "", "", "60", { NULL }, false },
	{ "x", "5.1.2", "", "", "60", { NULL }, false },
};

START_TEST(hop_answers)
{
	struct hop	*h;
	struct buf	 b;

	put_answer(&answers[_i], &b);
	h = hop_new(buf_view(&b), 1);
	ck_assert(answers[_i].ok == (h != NULL));
	if (h != NULL) {
		ck_assert(str_eq(h->text, STR("text")));
		ck_assert_int_ge(h->seconds, 10);
		ck_assert_int_le(h->seconds, 3600);
	}
	hop_release(&h);
	ck_assert_ptr_null(h);
	/* cut anywhere it makes no sense, and is not read beyond its end */
	for (b.n--; b.n > 0; b.n--)
		if ((h = hop_new(buf_view(&b), 1)) != NULL) {
			ck_assert(b.p[b.n - 1] == '\n');
			hop_release(&h);
		}
	buf_free(&b);
}
END_TEST

static const struct { struct answer a, b; bool alike; } pairs[] = {
	{ { "250", "2.0.0", "k", "off", "60", { "a", "b" }, 0 },
	  { "250", "2.0.0", "k", "off", "99", { "b", "a" }, 0 }, true },
	{ { "250", "2.0.0", "k", "off", "60", { "a", "b" }, 0 },
	  { "250", "2.0.0", "k", "off", "60", { "a" }, 0 }, false },
	{ { "250", "2.0.0", "k", "off", "60", { "a", "b" }, 0 },
	  { "250", "2.0.0", "k", "off", "60", { "a", "c" }, 0 }, false },
	{ { "250", "2.0.0", "k", "off", "60", { "a" }, 0 },
	  { "250", "2.0.0", "k", "verified", "60", { "a" }, 0 }, false },
	{ { "250", "2.0.0", "k", "off", "60", { "a" }, 0 },
	  { "250", "2.0.0", "l", "off", "60", { "a" }, 0 }, false },
};

START_TEST(hops_alike)	/* no session is used for mail that would not go there by itself */
{
	struct buf	x, y;
	struct hop	*h, *g;

	put_answer(&pairs[_i].a, &x);
	put_answer(&pairs[_i].b, &y);
	h = hop_new(buf_view(&x), 1);
	g = hop_new(buf_view(&y), 1);
	ck_assert_ptr_nonnull(h);
	ck_assert_ptr_nonnull(g);
	ck_assert(hop_alike(h, h));
	ck_assert(hop_alike(h, g) == pairs[_i].alike);
	ck_assert(hop_alike(g, h) == pairs[_i].alike);
	hop_release(&h);
	hop_release(&g);
	buf_free(&x);
	buf_free(&y);
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("schedule");
	TCase	*tc = tcase_create("schedule");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, window);
	tcase_add_test(tc, death);
	tcase_add_test(tc, many_failures_at_once);
	tcase_add_test(tc, stranger);
	tcase_add_test(tc, lost);
	tcase_add_test(tc, turns);
	tcase_add_test(tc, yields);
	tcase_add_test(tc, idle_yields);
	tcase_add_test(tc, some_are_left);
	tcase_add_test(tc, classes);
	tcase_add_loop_test(tc, rate, 0, nitems(rates));
	tcase_add_test(tc, too_much);
	tcase_add_test(tc, forgets);
	tcase_add_test(tc, given_back);
	tcase_add_test(tc, rate_of_others);
	tcase_add_test(tc, revive);
	tcase_add_test(tc, undo);
	tcase_add_loop_test(tc, hop_answers, 0, nitems(answers));
	tcase_add_loop_test(tc, hops_alike, 0, nitems(pairs));
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
