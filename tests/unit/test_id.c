/* tests/unit/test_id.c - names of messages: 20 characters that sort by time. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/id.h"

static const struct id some[] = {
	{ 0, 0 },
	{ 1, 0 },
	{ 0, 1 },
	{ (UINT64_C(1) << 52) - 1, (UINT64_C(1) << 48) - 1 },
	{ UINT64_C(0x5a5a5a5a5a5a5), UINT64_C(0xa5a5a5a5a5a5) },
	{ UINT64_C(1796000000000000), 0x123456789abc },
};

START_TEST(round_trip)
{
	char		text[ID_SIZE];
	struct id	back;

	id_format(some[_i], text);
	ck_assert_uint_eq(strlen(text), ID_LEN);
	ck_assert_uint_eq(strspn(text, "0123456789abcdefghjkmnpqrstvwxyz"),
	    ID_LEN);
	ck_assert(id_parse(str_from(text), &back));
	ck_assert(id_eq(some[_i], back));
	ck_assert_int_eq(id_cmp(&some[_i], &back), 0);
	back.random ^= 1;
	ck_assert_int_eq(id_cmp(&some[_i], &back),
	    some[_i].random < back.random ? -1 : 1);
	back.time_us ^= 2;
	ck_assert_int_eq(id_cmp(&some[_i], &back),
	    some[_i].time_us < back.time_us ? -1 : 1);
}
END_TEST

START_TEST(each_bit_counts)
{
	char		text[ID_SIZE], zero[ID_SIZE];
	struct id	id = { 0, 0 }, back;
	unsigned	bit;

	id_format(id, zero);
	for (bit = 0; bit < 100; bit++) {
		id.random = bit < 48 ? UINT64_C(1) << bit : 0;
		id.time_us = bit < 48 ? 0 : UINT64_C(1) << (bit - 48);
		id_format(id, text);
		ck_assert_str_ne(text, zero);
		ck_assert(id_parse(str_from(text), &back));
		ck_assert(id_eq(id, back));
		ck_assert(!id_eq(back, some[0]));
	}
}
END_TEST

START_TEST(sorts_by_time)
{
	struct timespec	ts = { 1796000000, 0 };
	char		last[ID_SIZE] = "", text[ID_SIZE];
	unsigned	i;

	for (i = 0; i < 1000; i++) {
		ts.tv_nsec += 1000;
		id_format(id_make(&ts), text);
		ck_assert_int_lt(strcmp(last, text), 0);
		memcpy(last, text, sizeof(last));
	}
	ts.tv_sec += 86400 * 365 * 50;	/* far from the end of the 52 bits */
	id_format(id_make(&ts), text);
	ck_assert_int_lt(strcmp(last, text), 0);
}
END_TEST

START_TEST(same_moment)
{
	struct timespec	ts = { 1796000000, 5000 };
	struct id	first = id_make(&ts), id;
	unsigned	i;

	for (i = 0; i < 1000; i++) {
		id = id_make(&ts);
		ck_assert_uint_eq(id.time_us, first.time_us);
		ck_assert(!id_eq(id, first));
	}
}
END_TEST

static const char *const bad[] = {
	"", "0", "0000000000000000000", "000000000000000000000",
	"0000000000000000000i", "0000000000000000000l", "0000000000000000000o",
	"0000000000000000000u", "A0000000000000000000", "../../../../../../..",
	"00000000000000000 00", "0000000000000000000\n",
};

START_TEST(no_names)
{
	struct id	id;

	ck_assert(!id_parse(str_from(bad[_i]), &id));
}
END_TEST

START_TEST(shards)
{
	char		text[SHARD_LEN + 1], other[SHARD_LEN + 1];
	struct id	id = { UINT64_C(1796000000000000) & ~UINT64_C(0xfffff),
	    0 };
	unsigned	i, j;

	for (i = 0; i < SHARD_COUNT; i += 37)
		for (j = 0; j < SHARD_COUNT; j++) {
			id_shard_name(i, text);
			id_shard_name(j, other);
			ck_assert_int_eq(strcmp(text, other) == 0, i == j);
		}
	/* what arrives together lies together, what comes later elsewhere */
	id_shard(id, text);
	ck_assert_uint_eq(strlen(text), SHARD_LEN);
	id.time_us += 0xfffff;
	id.random = 77;
	id_shard(id, other);
	ck_assert_str_eq(text, other);
	id.time_us += 1;
	id_shard(id, other);
	ck_assert_str_ne(text, other);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("id");
	TCase	*t = tcase_create("id");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, round_trip, 0, nitems(some));
	tcase_add_test(t, each_bit_counts);
	tcase_add_test(t, sorts_by_time);
	tcase_add_test(t, same_moment);
	tcase_add_loop_test(t, no_names, 0, nitems(bad));
	tcase_add_test(t, shards);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
