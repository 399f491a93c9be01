/* tests/unit/test_siphash.c - as others hash. */
#include <check.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "common/base/siphash.h"

/* Of the bytes 0, 1, 2 ... under the key 0, 1 ... 15, by OpenSSL ("openssl mac ... SIPHASH"). */
static const struct {
	size_t	 n;
	uint64_t first, second;	/* in the order of bytes as they are written */
} rows[] = {
	{ 0, UINT64_C(0xa3817f04ba25a8e6), UINT64_C(0x6df67214c7550293) },
	{ 1, UINT64_C(0xda87c1d86b99af44), UINT64_C(0x347659119b22fc45) },
	{ 7, UINT64_C(0xa1f1ebbed8dbc153), UINT64_C(0xc0b84aa61ff08239) },
	{ 8, UINT64_C(0x3b62a9ba6258f561), UINT64_C(0x0f83e264f31497b4) },
	{ 9, UINT64_C(0x264499060ad9baab), UINT64_C(0xc47f8b02bb6d71ed) },
	{ 15, UINT64_C(0x5493e99933b0a811), UINT64_C(0x7e08ec0f97cfc3d9) },
	{ 16, UINT64_C(0x6ee2a4ca67b054bb), UINT64_C(0xfd3315bf85230577) },
	{ 63, UINT64_C(0x5150d1772f50834a), UINT64_C(0x503e069a973fbd7c) },
	{ 64, UINT64_C(0x1eaf077dc0d4cd3f), UINT64_C(0x8cad4d383658a74b) },
	{ 255, UINT64_C(0x1c9bb67528165f8e), UINT64_C(0x468248e3799b0eab) },
	{ 256, UINT64_C(0x67a00304d3834c46), UINT64_C(0x12eaee7b5f579acb) },
};

static uint64_t
swapped(uint64_t n)
{
	return __builtin_bswap64(n);
}

START_TEST(row)
{
	static const uint64_t	key[2] = { UINT64_C(0x0706050403020100),
				    UINT64_C(0x0f0e0d0c0b0a0908) };
	char			text[256];
	struct siphash		h;
	size_t			i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	h = siphash(key, (struct str){ text, rows[_i].n });
	ck_assert_uint_eq(h.w[0], swapped(rows[_i].first));
	ck_assert_uint_eq(h.w[1], swapped(rows[_i].second));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("siphash");
	TCase	*tc = tcase_create("rows");
	SRunner	*r;
	int	 failed;

	tcase_add_loop_test(tc, row, 0, (int)nitems(rows));
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
