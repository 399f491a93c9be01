/* tests/unit/test_radix.c - common/base/radix.h */
#include <check.h>
#include <stdlib.h>

#include "common/base/radix.h"

/* A linear congruential sequence: the same in each run. */
static uint64_t
next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return *state >> 11;
}

static const struct {
	const char	*label;
	uint64_t	 mask;	/* of the keys */
	size_t		 n;
} rows[] = {
	{ "none", UINT64_MAX, 0 },
	{ "one", UINT64_MAX, 1 },
	{ "two", UINT64_MAX, 2 },
	{ "all the same", 0, 1000 },
	{ "two keys in the highest byte", UINT64_C(1) << 63, 1000 },
	{ "the lowest byte", 0xff, 5000 },
	{ "an odd number of bytes", 0xff00ff00ff, 5000 },
	{ "an even number of bytes", 0xffff, 5000 },
	{ "all bytes", UINT64_MAX, 5000 },
};

START_TEST(sorts)
{
	const size_t		 n = rows[_i].n;
	struct radix_place	*p = calloc(n + 1, sizeof(*p));
	uint64_t		*keys = calloc(n + 1, sizeof(*keys));
	char			*seen = calloc(n + 1, 1);
	uint64_t		 state = 1;
	size_t			 i;

	ck_assert(p != NULL && keys != NULL && seen != NULL);
	for (i = 0; i < n; i++) {
		keys[i] = (next(&state) << 11 ^ next(&state)) & rows[_i].mask;
		p[i] = (struct radix_place){ keys[i], (uint32_t)i };
	}
	p[n].key = 4711;	/* nobody's */
	ck_assert_int_eq(radix_sort(p, n), 0);
	for (i = 0; i < n; i++) {
		ck_assert_uint_lt(p[i].number, n);
		ck_assert_int_eq(seen[p[i].number]++, 0);
		ck_assert_uint_eq(p[i].key, keys[p[i].number]);
		ck_assert_msg(i == 0 || p[i - 1].key < p[i].key ||
		    (p[i - 1].key == p[i].key &&
		    p[i - 1].number < p[i].number), "%s: %zu",
		    rows[_i].label, i);
	}
	ck_assert_uint_eq(p[n].key, 4711);
	free(p);
	free(keys);
	free(seen);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("radix");
	TCase	*t = tcase_create("radix");
	SRunner	*r;
	int	 failed;

	tcase_add_loop_test(t, sorts, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
