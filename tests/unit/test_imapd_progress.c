/* tests/unit/test_imapd_progress.c - what a client hears of a command that takes long (RFC 9585 4). */
#include <check.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "imapd/progress.h"

static const struct {
	struct str	 tag;
	size_t		 done, total;
	const char	*code;
} rows[] = {
	{ STR("A1"), 454, 1000, "INPROGRESS (\"A1\" 454 1000)" },
	{ STR("A1"), 0, 1, "INPROGRESS (\"A1\" 0 1)" },
	{ STR("A1"), 175, 0, "INPROGRESS (\"A1\" 175 NIL)" },
	{ STR("A1"), 1000, 1000, "INPROGRESS (\"A1\" 1000 NIL)" },
	{ STR("A1"), 1001, 1000, "INPROGRESS (\"A1\" 1001 NIL)" },
	{ STR("a]"), 1, 2, "INPROGRESS (NIL 1 2)" },
	{ STR("]"), 1, 0, "INPROGRESS (NIL 1 NIL)" },
};

START_TEST(codes)
{
	struct buf	b;

	buf_init(&b, 256);
	ck_assert_int_eq(progress_put(&b, rows[_i].tag, rows[_i].done,
	    rows[_i].total), 0);
	ck_assert_str_eq(buf_cstr(&b), rows[_i].code);
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("imapd_progress");
	TCase	*t = tcase_create("codes");
	SRunner	*r;
	int	 failed;

	tcase_add_loop_test(t, codes, 0, (int)nitems(rows));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
