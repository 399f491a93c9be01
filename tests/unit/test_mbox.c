/* tests/unit/test_mbox.c - appending to an mbox file: quoting, line ends, locks, and what a failure leaves. */
#include "common/store/mbox.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"

#define NOW	1700000000	/* Tue Nov 14 22:13:20 2023 */
#define FROM	"From s@x.test Tue Nov 14 22:13:20 2023\n"

static char	dir[32], path[64], lock[64];

static void
setup(void)
{
	strlcpy(dir, "/tmp/test_mbox.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/box", dir);
	snprintf(lock, sizeof(lock), "%s/box.lock", dir);
}

static void
teardown(void)
{
	unlink(path);
	unlink(lock);
	ck_assert_int_eq(rmdir(dir), 0);	/* and nothing else is there */
}

static int
content(struct str s)
{
	int	fd = memfd_create("content", 0);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, s.p, s.n), 0);
	return fd;
}

static int
append(struct str body, int64_t timeout, struct diag *why)
{
	int	fd = content(body), r, saved;

	r = mbox_append(path, "s@x.test", NOW, STR("X: 1\n"), fd, 0,
	    (off_t)body.n, timeout, why);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}

static void
check_file(struct str want)
{
	struct buf	b;

	buf_init(&b, 1 << 20);
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, path, &b), 0);
	ck_assert_msg(str_eq(buf_view(&b), want), "got \"%.200s\"",
	    buf_cstr(&b));
	buf_free(&b);
}

static void
make_box(const char *text)
{
	int	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	close(fd);
}

static const struct { struct str in; const char *out; } bodies[] = {
	{ STR(""),			"" },
	{ STR("\r\n"),			"\n" },
	{ STR("a: b\r\n\r\nhi\r\n"),	"a: b\n\nhi\n" },
	{ STR("a: b\n\nhi\n"),		"a: b\n\nhi\n" },
	{ STR("no end"),		"no end\n" },
	{ STR("From me\r\n"),		">From me\n" },
	{ STR("\r\n>From me"),		"\n>>From me\n" },
	{ STR(">>From\tme\n"),		">>From\tme\n" },
	{ STR("Fromme\nFrom \n"),	"Fromme\n>From \n" },
	{ STR(" From me\nfrom me\n"),	" From me\nfrom me\n" },
	{ STR("a\rFrom b\r\r\n"),	"a\rFrom b\r\n" },
	{ STR("From"),			"From\n" },
};

START_TEST(quoting)
{
	char		want[256];
	struct diag	why = { "" };

	snprintf(want, sizeof(want), FROM "X: 1\n%s\n", bodies[_i].out);
	ck_assert_msg(append(bodies[_i].in, 1000, &why) == 0, "%s", why.text);
	check_file(str_from(want));
	ck_assert_int_eq(access(lock, F_OK), -1);
}
END_TEST

/* What was there keeps its end; ours begins behind an empty line. */
static const struct { const char *old, *sep; } olds[] = {
	{ "", "" }, { "x", "\n\n" }, { "x\n", "\n" }, { "x\n\n", "" },
	{ "\n", "" }, { "\n\n", "" }
};

START_TEST(separation)
{
	char		want[256];
	struct diag	why;

	make_box(olds[_i].old);
	ck_assert_int_eq(append(STR("b\n"), 1000, &why), 0);
	snprintf(want, sizeof(want), "%s%s" FROM "X: 1\nb\n\n", olds[_i].old,
	    olds[_i].sep);
	check_file(str_from(want));
}
END_TEST

/* Long lines: the pieces that are read end anywhere, between CR and LF too. */
START_TEST(long_lines)
{
	static const size_t	lens[] = { 65527, 65528, 65529, 65530, 65535,
				    65536, 65537, 131064, 131065, 131066,
				    131072, 200000 };
	size_t		n = lens[_i];
	struct buf	in, want;
	struct diag	why = { "" };

	buf_init(&in, 1 << 20);
	buf_init(&want, 1 << 20);
	ck_assert_int_eq(buf_reserve(&in, n), 0);
	memset(in.p, 'x', n);
	in.n = n;
	ck_assert_int_eq(buf_adds(&want, FROM "X: 1\n"), 0);
	ck_assert_int_eq(buf_addstr(&want, buf_view(&in)), 0);
	ck_assert_int_eq(buf_adds(&want, "From z\n"
	    ">From y\n\n"), 0);
	/* the first is inside a line, wherever a piece of it may begin */
	ck_assert_int_eq(buf_adds(&in, "From z\r\nFrom y\r\n"), 0);
	ck_assert_msg(append(buf_view(&in), 1000, &why) == 0, "%s", why.text);
	check_file(buf_view(&want));
	buf_free(&in);
	buf_free(&want);
}
END_TEST

START_TEST(part_of_a_file)
{
	struct diag	why;
	int		fd = content(STR("envelope\nbody\ntrailer"));

	ck_assert_int_eq(mbox_append(path, "", NOW, STR(""), fd, 9, 5, 1000,
	    &why), 0);
	check_file(STR("From MAILER-DAEMON Tue Nov 14 22:13:20 2023\nbody\n\n"));
	/* shorter than it was said to be: nothing of it stays */
	ck_assert_int_eq(mbox_append(path, "", NOW, STR(""), fd, 9, 500, 1000,
	    &why), -1);
	ck_assert_int_eq(errno, EIO);
	check_file(STR("From MAILER-DAEMON Tue Nov 14 22:13:20 2023\nbody\n\n"));
	close(fd);
}
END_TEST

START_TEST(dot_lock)
{
	struct timespec	old[2] = { { 1000, 0 }, { 1000, 0 } };
	struct diag	why = { "" };
	int		fd = open(lock, O_WRONLY | O_CREAT, 0600);

	ck_assert_int_ne(fd, -1);
	close(fd);
	ck_assert_int_eq(append(STR("b"), 50, &why), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(why.text, "box.lock"));
	ck_assert_int_eq(access(path, F_OK), -1);	/* nothing was made */
	ck_assert_int_eq(access(lock, F_OK), 0);	/* it is not ours */
	/* one that nobody has touched for long is broken */
	ck_assert_int_eq(utimensat(AT_FDCWD, lock, old, 0), 0);
	ck_assert_int_eq(append(STR("b"), 20000, &why), 0);
	ck_assert_int_eq(access(lock, F_OK), -1);
}
END_TEST

/* Holds the fcntl lock until it is told, then does `last` and goes. */
static pid_t
hold_lock(int *tell, void (*last)(void))
{
	struct flock	l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int		up[2], down[2], fd;
	char		c;
	pid_t		pid;

	ck_assert_int_eq(pipe(up), 0);
	ck_assert_int_eq(pipe(down), 0);
	if ((pid = fork()) == 0) {
		close(down[1]);
		if ((fd = open(path, O_RDWR)) == -1 ||
		    fcntl(fd, F_SETLK, &l) == -1 || write(up[1], "", 1) != 1)
			_exit(1);
		(void)!read(down[0], &c, 1);
		if (last != NULL)
			last();
		_exit(0);
	}
	ck_assert_int_eq(read(up[0], &c, 1), 1);
	close(up[0]);
	close(up[1]);
	close(down[0]);
	*tell = down[1];
	return pid;
}

START_TEST(fcntl_lock)
{
	struct diag	why;
	pid_t		pid;
	int		tell;

	make_box("x\n\n");
	pid = hold_lock(&tell, NULL);
	ck_assert_int_eq(append(STR("b"), 50, &why), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	check_file(STR("x\n\n"));
	ck_assert_int_eq(access(lock, F_OK), -1);
	close(tell);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(append(STR("b"), 20000, &why), 0);
	check_file(STR("x\n\n" FROM "X: 1\nb\n\n"));
}
END_TEST

static void
replace_later(void)
{
	char	fresh[80];
	int	fd;

	usleep(250000);		/* the other one waits for the lock by then */
	snprintf(fresh, sizeof(fresh), "%s/fresh", dir);
	fd = open(fresh, O_WRONLY | O_CREAT, 0600);
	if (fd == -1 || write(fd, "new\n\n", 5) != 5 ||
	    rename(fresh, path) == -1)
		_exit(1);
}

/* A mail program that writes the file anew: mail must not go into the old one. */
START_TEST(replaced_while_waiting)
{
	struct diag	why = { "" };
	pid_t		pid;
	int		tell, status;

	make_box("x\n\n");
	pid = hold_lock(&tell, replace_later);
	close(tell);
	ck_assert_msg(append(STR("b"), 20000, &why) == 0, "%s", why.text);
	check_file(STR("new\n\n" FROM "X: 1\nb\n\n"));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(no_traps)	/* loop: what is in the file's place */
{
	struct diag	why = { "" };
	char		other[64];
	struct stat	st;

	snprintf(other, sizeof(other), "%s/other", dir);
	make_box("");
	ck_assert_int_eq(rename(path, other), 0);
	switch (_i) {
	case 0:
		ck_assert_int_eq(symlink(other, path), 0);
		break;
	case 1:
		ck_assert_int_eq(link(other, path), 0);
		break;
	case 2:
		ck_assert_int_eq(mkfifo(path, 0600), 0);
		break;
	case 3:
		ck_assert_int_eq(mkdir(path, 0700), 0);
		break;
	}
	ck_assert_int_eq(append(STR("b"), 1000, &why), -1);
	ck_assert_int_ne(errno, 0);
	ck_assert_str_ne(why.text, "");
	ck_assert_int_eq(stat(other, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	ck_assert_int_eq(access(lock, F_OK), -1);
	unlink(other);
	if (_i == 3)
		rmdir(path);
}
END_TEST

/* The disk is full in the middle of a message. */
START_TEST(all_or_nothing)
{
	struct rlimit	limit = { 70000, RLIM_INFINITY };
	struct diag	why;
	int		status;
	pid_t		pid;

	make_box("x\n\n");
	if ((pid = fork()) == 0) {
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &limit) == -1)
			_exit(1);
		_exit(mbox_append(path, "s", NOW, STR(""), open("/dev/zero",
		    O_RDONLY), 0, 200000, 1000, &why) == -1 &&
		    errno == EFBIG ? 0 : 2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	check_file(STR("x\n\n"));
}
END_TEST

START_TEST(long_name)
{
	char		name[5000];
	struct diag	why;

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(mbox_append(name, "s", NOW, STR(""), 0, 0, 0, 0,
	    &why), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("mbox");
	TCase	*tc = tcase_create("mbox");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, quoting, 0, nitems(bodies));
	tcase_add_loop_test(tc, separation, 0, nitems(olds));
	tcase_add_loop_test(tc, long_lines, 0, 12);
	tcase_add_test(tc, part_of_a_file);
	tcase_add_test(tc, dot_lock);
	tcase_add_test(tc, fcntl_lock);
	tcase_add_test(tc, replaced_while_waiting);
	tcase_add_loop_test(tc, no_traps, 0, 4);
	tcase_add_test(tc, all_or_nothing);
	tcase_add_test(tc, long_name);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
