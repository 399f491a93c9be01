/* tests/unit/test_fault.c - temporary or not, in errno, exit statuses and enhanced status codes. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/base/attr.h"
#include "common/base/fault.h"

static const struct {
	const char	*status;
	int		 exit;
} rows[] = {
	{ "2.0.0", EX_OK }, { "2.1.5", EX_OK }, { "4.2.2", EX_TEMPFAIL },
	{ "4.7.0", EX_TEMPFAIL }, { "5.1.1", EX_NOUSER },
	{ "5.1.2", EX_NOHOST }, { "5.2.2", EX_CANTCREAT },
	{ "5.3.4", EX_DATAERR }, { "5.3.5", EX_CONFIG },
	{ "5.3.0", EX_UNAVAILABLE }, { "5.4.6", EX_UNAVAILABLE },
	{ "5.5.0", EX_PROTOCOL }, { "5.6.0", EX_DATAERR },
	{ "5.7.1", EX_NOPERM }, { "5.0.0", EX_UNAVAILABLE },
	/* what is no status says nothing for good */
	{ "", EX_TEMPFAIL }, { "5", EX_TEMPFAIL }, { "x", EX_TEMPFAIL },
};

START_TEST(status)
{
	ck_assert_int_eq(status_exit(rows[_i].status), rows[_i].exit);
}
END_TEST

/* Whatever is permanent stays so on its way from one form to the others. */
START_TEST(agree)
{
	ck_assert_int_eq(exit_is_temp(status_exit(exit_status(_i))),
	    exit_is_temp(_i));
	ck_assert_int_eq(exit_is_temp(errno_sysexit(_i)), errno_is_temp(_i));
	ck_assert_int_eq(exit_is_temp(status_exit(errno_status(_i))),
	    errno_is_temp(_i));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("fault");
	TCase	*t = tcase_create("fault");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, status, 0, nitems(rows));
	tcase_add_loop_test(t, agree, 0, 256);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
