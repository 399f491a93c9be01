/* tests/unit/test_fetch_partial.c - a large text in pieces: how much of it is read to make them all. */
#include <stdlib.h>

#include <check.h>

#include "common/base/attr.h"
#include "imapd/fetch_partial.h"

#define PIECE	65536
#define SIZE	(UINT64_C(32) << 20)
#define STEP	UINT64_C(102400)
#define STEPS	(SIZE / STEP)

static struct partials	p;

static void
setup(void)
{
	p = (struct partials){ .next = 0 };
}

/* As FETCH does it, with a text that is as long as what is made of it: octets that were read. */
static uint64_t
take(uint64_t inode, uint64_t skip, uint64_t count)
{
	struct partial_memo	begin = { .inode = inode, .size = SIZE };
	struct partial_memo	m, from, before;
	bool			half = false;

	from = m = before = partial_resume(&p, &begin, skip);
	ck_assert_uint_eq(from.at, from.made);
	ck_assert_uint_le(from.made, skip);
	while (m.made < skip + count && m.at < SIZE) {
		before = m;
		if (!half && partial_is_halfway(&m, &from, skip)) {
			partial_keep(&p, &m, &from, skip);
			half = true;
		}
		m.at += PIECE;
		m.made += PIECE;
	}
	partial_keep(&p, &before, &from, skip);
	return m.at - from.at;
}

START_TEST(forwards)
{
	uint64_t	i, sum = 0;

	for (i = 0; i < STEPS; i++)
		sum += take(1, i * STEP, STEP);
	ck_assert_uint_lt(sum, 3 * SIZE);
}
END_TEST

START_TEST(backwards)
{
	uint64_t	i, sum = 0;

	for (i = STEPS; i > 0; i--)
		sum += take(1, (i - 1) * STEP, STEP);
	ck_assert_uint_lt(sum, 20 * SIZE);
}
END_TEST

START_TEST(several_at_once)
{
	uint64_t	i, sum = 0, file;

	for (i = 0; i < STEPS; i++)
		for (file = 1; file <= PARTIAL_PLACES; file++)
			sum += take(file, i * STEP, STEP);
	ck_assert_uint_lt(sum, 3 * PARTIAL_PLACES * SIZE);
}
END_TEST

START_TEST(two_readers_of_one)
{
	uint64_t	i, sum = 0;

	for (i = 0; i < STEPS / 2; i++) {
		sum += take(1, i * STEP, STEP);
		sum += take(1, SIZE / 2 + i * STEP, STEP);
	}
	ck_assert_uint_lt(sum, 4 * SIZE);
}
END_TEST

static const struct partial_memo others[] = {
	{ .inode = 2, .size = 9 }, { .device = 1, .inode = 1, .size = 9 },
	{ .inode = 1, .size = 8 }, { .inode = 1, .size = 9, .from = 1 },
	{ .inode = 1, .size = 9, .changed = 1 },
	{ .inode = 1, .size = 9, .decoded = true },
};

START_TEST(of_another)
{
	struct partial_memo	m = { .inode = 1, .size = 9 }, begin = m;

	m.at = 7;
	m.made = 5;
	partial_keep(&p, &m, &begin, 5);
	ck_assert_uint_eq(partial_resume(&p, &begin, 5).at, 7);
	ck_assert_uint_eq(partial_resume(&p, &begin, 4).at, 0);
	begin = others[_i];
	ck_assert_uint_eq(partial_resume(&p, &begin, 5).at, 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("fetch_partial");
	TCase	*t = tcase_create("all");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, forwards);
	tcase_add_test(t, backwards);
	tcase_add_test(t, several_at_once);
	tcase_add_test(t, two_readers_of_one);
	tcase_add_loop_test(t, of_another, 0, nitems(others));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
