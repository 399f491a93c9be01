/* tests/unit/test_foreign.c - nobody works on what is taken, and what somebody works on is not taken. */
#include "common/store/foreign.h"

#include <sys/wait.h>

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char	path[40];

static void
setup(void)
{
	int	fd;

	strlcpy(path, "/tmp/test_foreign.XXXXXX", sizeof(path));
	ck_assert_int_ne(fd = mkostemp(path, O_CLOEXEC), -1);
	ck_assert_int_eq((int)write(fd, "x\n", 2), 2);
	close(fd);
}

static void
teardown(void)
{
	unlink(path);
}

/* The first bytes, as Exim does. */
static int
lock_to_write(int fd)
{
	struct flock	l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
			    .l_len = 1 };

	return fcntl(fd, F_SETLK, &l);
}

static bool
can_another_lock(void)
{
	pid_t	pid = fork();
	int	status;

	if (pid == 0)
		_exit(lock_to_write(open(path, O_RDWR | O_CLOEXEC)) == 0 ? 0 :
		    1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status == 0;
}

START_TEST(keeps_off)
{
	int	fd = foreign_open(AT_FDCWD, path);

	ck_assert_int_ne(fd, -1);
	ck_assert(can_another_lock());
	ck_assert(foreign_lock(fd));
	ck_assert(!can_another_lock());
	close(fd);
	ck_assert(can_another_lock());
}
END_TEST

START_TEST(is_kept_off)
{
	int	go[2], fd = foreign_open(AT_FDCWD, path);
	char	c;
	pid_t	pid;

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		c = lock_to_write(open(path, O_RDWR | O_CLOEXEC)) == 0 ? 'y' :
		    'n';
		(void)!write(go[1], &c, 1);
		pause();
		_exit(0);
	}
	ck_assert_int_eq((int)read(go[0], &c, 1), 1);
	ck_assert_int_eq(c, 'y');
	ck_assert(foreign_is_locked(fd));
	ck_assert(!foreign_lock(fd));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(foreign_lock(fd));
	close(fd);
	close(go[0]);
	close(go[1]);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("foreign");
	TCase	*t = tcase_create("foreign");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, keeps_off);
	tcase_add_test(t, is_kept_off);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
