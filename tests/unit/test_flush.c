/* tests/unit/test_flush.c - files flushed together, and what the kernel says when one cannot be. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/store/durable.h"
#include "common/store/flush.h"

#define MANY	(FLUSH_MAX + 9)

static int	fds[MANY];

static void
setup(void)
{
	char	name[] = "/tmp/posthouse-flush.XXXXXX";
	size_t	i;

	for (i = 0; i < MANY; i++) {
		strlcpy(name, "/tmp/posthouse-flush.XXXXXX", sizeof(name));
		ck_assert_int_ne(fds[i] = mkstemp(name), -1);
		ck_assert_int_eq(unlink(name), 0);
		ck_assert_int_eq(fdio_write(fds[i], "x", 1), 0);
	}
}

static void
teardown(void)
{
	size_t	i;

	for (i = 0; i < MANY; i++)
		fdio_close(&fds[i]);
}

static const size_t	numbers[] = { 0, 1, 2, 33, FLUSH_MAX, MANY };

START_TEST(all_of_them)
{
	struct flush	f = { 0 };

	ck_assert_int_eq(flush_all(&f, fds, numbers[_i]), 0);
	ck_assert_int_eq(flush_all(&f, fds, numbers[_i]), 0);
	/* one alone is no affair of the kernel's queue */
	ck_assert(numbers[_i] > 1 || f.ctx == 0);
	flush_close(&f);
	ck_assert_uint_eq(f.ctx, 0);
}
END_TEST

START_TEST(refused)
{
	struct flush	f = { .refused = true };

	ck_assert_int_eq(flush_all(&f, fds, MANY), 0);
	ck_assert_uint_eq(f.ctx, 0);
	flush_close(&f);
}
END_TEST

/* Wherever it stands in the list, and whoever does the flush. */
static const struct {
	size_t	at;
	bool	refused;
} bad[] = {
	{ 0, false }, { 7, false }, { MANY - 1, false },
	{ 0, true }, { MANY - 1, true }
};

START_TEST(one_is_no_file)
{
	struct flush	f = { .refused = bad[_i].refused };
	int		list[MANY], ends[2];

	memcpy(list, fds, sizeof(list));
	ck_assert_int_eq(pipe(ends), 0);
	list[bad[_i].at] = ends[0];
	errno = 0;
	ck_assert_int_eq(flush_all(&f, list, MANY), -1);
	ck_assert_int_eq(errno, EINVAL);
	list[bad[_i].at] = -1;
	ck_assert_int_eq(flush_all(&f, list, MANY), -1);
	ck_assert_int_eq(errno, EBADF);
	flush_close(&f);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(what_cannot_be_known_is_strict)
{
	int	fd, proc;

	ck_assert_int_ne(fd = fdio_opendir(AT_FDCWD, "/tmp"), -1);
	ck_assert_int_ne(proc = fdio_opendir(AT_FDCWD, "/proc"), -1);
	errno = ERANGE;
	ck_assert_int_eq(durable_for(fd, true), DURABLE_STRICT);
	ck_assert_int_eq(durable_for(proc, false), DURABLE_STRICT);
	ck_assert_int_eq(durable_for(-1, false), DURABLE_STRICT);
	ck_assert_int_eq(durable_for_path("/no/such", false), DURABLE_STRICT);
	ck_assert_int_eq(durable_for_path("/tmp", false),
	    durable_for(fd, false));
	ck_assert_int_eq(errno, ERANGE);
	close(fd);
	close(proc);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("flush");
	TCase	*t = tcase_create("flush");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, all_of_them, 0, nitems(numbers));
	tcase_add_test(t, refused);
	tcase_add_loop_test(t, one_is_no_file, 0, nitems(bad));
	tcase_add_test(t, what_cannot_be_known_is_strict);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
