/* tests/unit/test_fdio.c - whole reads and writes. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/base/now.h"

static char	path[] = "/tmp/posthouse-fdio.XXXXXX";
static int	fd = -1;

static void
setup(void)
{
	strlcpy(path, "/tmp/posthouse-fdio.XXXXXX", sizeof(path));
	ck_assert_int_ne(fd = mkstemp(path), -1);
}

static void
teardown(void)
{
	fdio_close(&fd);
	(void)unlink(path);
}

START_TEST(whole)
{
	char	back[16];

	ck_assert_int_eq(fdio_write(fd, "hello world", 11), 0);
	ck_assert_int_eq(fdio_pwrite(fd, "W", 1, 6), 0);
	ck_assert_int_eq(fdio_pread(fd, back, sizeof(back), 0), 11);
	ck_assert_int_eq(memcmp(back, "hello World", 11), 0);
	ck_assert_int_eq(fdio_pread(fd, back, 5, 6), 5);
	ck_assert_int_eq(memcmp(back, "World", 5), 0);
	ck_assert_int_eq(fdio_read(fd, back, 4), 0);
	ck_assert_int_eq(fdio_write(fd, "", 0), 0);
}
END_TEST

/* A pipe gives a part at a time. */
START_TEST(parts)
{
	static char	big[300000];
	int		pair[2], status;
	pid_t		pid;

	ck_assert_int_eq(pipe(pair), 0);
	if ((pid = fork()) == 0) {
		close(pair[0]);
		_exit(fdio_write(pair[1], big, sizeof(big)) == 0 ? 0 : 1);
	}
	close(pair[1]);
	big[7] = 'x';
	ck_assert_int_eq(fdio_read(pair[0], big, sizeof(big)), sizeof(big));
	ck_assert_int_eq(big[7], 0);
	ck_assert_int_eq(fdio_read(pair[0], big, 1), 0);
	close(pair[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* As on a full disk: some bytes go, then none. */
START_TEST(short_write)
{
	struct rlimit	rl = { 10, 10 };
	int		status;
	pid_t		pid;

	if ((pid = fork()) == 0) {
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &rl) == -1)
			_exit(2);
		_exit(fdio_write(fd, "0123456789abc", 13) == -1 &&
		    errno == EFBIG ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static const size_t sizes[] = { 0, 1, 255, 8191, 8192, 8193, 16384, 50000 };

START_TEST(slurp)
{
	size_t		n = sizes[_i];
	char		*text = calloc(1, n + 1);
	struct buf	b;

	ck_assert_ptr_nonnull(text);
	memset(text, 'z', n);
	ck_assert_int_eq(fdio_write(fd, text, n), 0);
	buf_init(&b, n + 10);
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, path, &b), 0);
	ck_assert(str_eq(buf_view(&b), (struct str){ text, n }));
	buf_free(&b);
	buf_init(&b, n);			/* fits exactly */
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, path, &b), 0);
	ck_assert_uint_eq(b.n, n);
	buf_free(&b);
	if (n > 0) {
		buf_init(&b, n - 1);
		ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, path, &b), -1);
		ck_assert_int_eq(errno, EMSGSIZE);
		buf_free(&b);
	}
	free(text);
}
END_TEST

START_TEST(no_such_file)
{
	struct buf	b;

	buf_init(&b, 10);
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, "/nonexistent", &b), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(fdio_opendir(AT_FDCWD, path), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	/* a pipe is not waited for */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, path, &b), -1);
	ck_assert_int_eq(errno, ENXIO);
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, "/dev/null", &b), -1);
	ck_assert_int_eq(errno, ENXIO);
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, "/", &b), -1);
	ck_assert_int_eq(errno, EISDIR);
	buf_free(&b);
}
END_TEST

START_TEST(flags)
{
	ck_assert_int_eq(fdio_nonblock(fd, 1), 0);
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	ck_assert_int_eq(fdio_nonblock(fd, 0), 0);
	ck_assert(!(fcntl(fd, F_GETFL) & O_NONBLOCK));
	ck_assert_int_eq(fdio_cloexec(fd, 1), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fdio_cloexec(fd, 0), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(fdio_nonblock(-1, 1), -1);
}
END_TEST

START_TEST(waiting)
{
	int	pair[2];
	int64_t	from = now_ms();

	ck_assert_int_eq(pipe(pair), 0);
	ck_assert_int_eq(fdio_wait(pair[0], POLLIN, from + 50), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_ge(now_ms() - from, 49);
	ck_assert_int_eq(fdio_wait(pair[0], POLLIN, from - 1), -1);
	ck_assert_int_eq(fdio_wait(pair[1], POLLOUT, from - 1), 0);
	ck_assert_int_eq(fdio_write(pair[1], "x", 1), 0);
	ck_assert_int_eq(fdio_wait(pair[0], POLLIN, -1), 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(closing)
{
	int	one = dup(fd), number = one;

	errno = ENOSPC;
	fdio_close(&one);
	ck_assert_int_eq(one, -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(fcntl(number, F_GETFD), -1);
	errno = ENOSPC;
	fdio_close(&one);
	ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

struct seen {
	size_t	n, stop_at;
	int	dir;
	bool	strange;
};

static int
see(void *arg, int dir, const char *name)
{
	struct seen	*s = arg;

	s->dir = dir;
	s->strange |= strlen(name) != 1 || strchr("abc", *name) == NULL ||
	    faccessat(dir, name, F_OK, 0) == -1;
	return ++s->n == s->stop_at ? 7 : 0;
}

START_TEST(each_name)
{
	struct seen	s = { .stop_at = 0 };
	int		dir, before;

	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_ne(dir = fdio_opendir(AT_FDCWD, path), -1);
	ck_assert_int_ne(before = dup(dir), -1);
	close(before);
	ck_assert_int_eq(fdio_each(dir, ".", see, &s), 0);
	ck_assert_uint_eq(s.n, 0);
	for (const char *n = "abc"; *n != '\0'; n++)
		ck_assert_int_eq(mkdirat(dir, (char[]){ *n, '\0' }, 0700), 0);
	ck_assert_int_eq(fdio_each(dir, ".", see, &s), 0);
	ck_assert_uint_eq(s.n, 3);
	ck_assert(!s.strange);
	ck_assert_int_eq(fcntl(s.dir, F_GETFD), -1);	/* closed */
	s = (struct seen){ .stop_at = 2 };
	ck_assert_int_eq(fdio_each(AT_FDCWD, path, see, &s), 7);
	ck_assert_uint_eq(s.n, 2);
	ck_assert_int_eq(fdio_each(dir, "none", see, &s), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(dup(dir), before);		/* none is left open */
	close(before);
	for (const char *n = "abc"; *n != '\0'; n++)
		unlinkat(dir, (char[]){ *n, '\0' }, AT_REMOVEDIR);
	close(dir);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("fdio");
	TCase	*t = tcase_create("fdio");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, whole);
	tcase_add_test(t, parts);
	tcase_add_test(t, short_write);
	tcase_add_loop_test(t, slurp, 0, nitems(sizes));
	tcase_add_test(t, no_such_file);
	tcase_add_test(t, flags);
	tcase_add_test(t, waiting);
	tcase_add_test(t, closing);
	tcase_add_test(t, each_name);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
