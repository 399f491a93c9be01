/* tests/unit/test_ordered.c - places of what is expunged, against a list from which it is really taken out each time. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "imapd/ordered.h"

static void
fill(struct ordered *o, size_t n, uint32_t step)
{
	uint32_t	*uids = malloc((n + 1) * sizeof(*uids));
	size_t		 i;

	ck_assert_ptr_nonnull(uids);
	for (i = 0; i < n; i++)	/* each once, in an order of its own */
		uids[i] = (uint32_t)((i * step) % n) + 1;
	*o = (struct ordered){ .uids = NULL };
	ordered_set(o, uids, n);
}

/* Number of elements, step (prime to it), and in which steps they are taken out. */
static const struct { size_t n; uint32_t step, take; } rows[] = {
	{ 0, 1, 1 }, { 1, 1, 1 }, { 2, 1, 1 }, { 7, 3, 2 }, { 100, 7, 3 }, { 100, 1, 1 }, { 101, 50, 100 },
};

START_TEST(places)
{
	struct ordered	o;
	uint32_t	list[128], uid;
	size_t		n = rows[_i].n, left = n, i, k, place;

	fill(&o, n, rows[_i].step);
	if (n > 0)
		memcpy(list, o.uids, n * sizeof(*list));
	for (i = 0; i < n; i++) {
		uid = (uint32_t)((i * rows[_i].take) % n) + 1;
		for (k = 0; k < left && list[k] != uid; k++)
			continue;
		ck_assert_int_eq(ordered_take(&o, uid, &place), 0);
		ck_assert_uint_eq(place, k == left ? 0 : k + 1);
		if (k < left)
			memmove(&list[k], &list[k + 1],
			    (--left - k) * sizeof(*list));
		if (i % 5 == 4) {
			ordered_settle(&o);
			ck_assert_uint_eq(o.n, left);
			ck_assert_int_eq(memcmp(o.uids, list,
			    left * sizeof(*list)), 0);
		}
	}
	ck_assert_int_eq(ordered_take(&o, 1000, &place), 0);
	ck_assert_uint_eq(place, 0);
	ordered_free(&o);
}
END_TEST

/* Half of a hundred thousand: seconds if each cost a pass over the others. */
START_TEST(many)
{
	struct ordered	o;
	size_t		place, n = 100000;
	uint32_t	uid;

	fill(&o, n, 7919);
	for (uid = 2; uid <= n; uid += 2) {
		ck_assert_int_eq(ordered_take(&o, uid, &place), 0);
		ck_assert_uint_ne(place, 0);
	}
	ordered_settle(&o);
	ck_assert_uint_eq(o.n, n / 2);
	ordered_free(&o);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("ordered");
	TCase	*t = tcase_create("ordered");
	SRunner	*r;
	int	 failed;

	tcase_add_loop_test(t, places, 0, nitems(rows));
	tcase_add_test(t, many);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
