/* tests/unit/test_inside.c - links in a directory, with Landlock around it and without. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/proc/sandbox.h"

static char	top[] = "/tmp/ph-inside.XXXXXX";
static char	mine[64], theirs[64];
static int	root;

static void
put(const char *path)
{
	int	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, "text", 4), 0);
	fdio_close(&fd);
}

/* mine: what is asked for; theirs: beside it. */
static void
setup(void)
{
	strlcpy(top, "/tmp/ph-inside.XXXXXX", sizeof(top));
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(mine, sizeof(mine), "%s/mine", top);
	snprintf(theirs, sizeof(theirs), "%s/theirs", top);
	ck_assert_int_eq(mkdir(theirs, 0700), 0);
	ck_assert_int_eq(chdir(theirs), 0);
	put("file");
	ck_assert_int_eq(mkdir(mine, 0700), 0);
	ck_assert_int_eq(chdir(mine), 0);
	ck_assert_int_eq(mkdir("dir", 0700), 0);
	put("file");
	put("dir/file");
	ck_assert_int_eq(symlink("dir", "dir-link"), 0);
	ck_assert_int_eq(symlink("file", "file-link"), 0);
	ck_assert_int_eq(symlink("file", "dir/file-link"), 0);
	ck_assert_int_eq(symlink("../theirs", "their-dir"), 0);
	ck_assert_int_eq(symlink("../theirs/file", "their-file"), 0);
	ck_assert_int_eq(symlink("nowhere", "no-link"), 0);
	ck_assert_int_ne(root = open(mine, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC), -1);
}

static void
teardown(void)
{
	static const char *const	names[] = { "mine/dir/file-link",
		"mine/dir/file", "mine/dir-link", "mine/file-link",
		"mine/their-dir", "mine/their-file", "mine/no-link",
		"mine/file", "theirs/file" };
	size_t				i;

	fdio_close(&root);
	ck_assert_int_eq(chdir(top), 0);
	for (i = 0; i < nitems(names); i++)
		unlink(names[i]);
	rmdir("mine/dir");
	rmdir("mine");
	rmdir("theirs");
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(top), 0);
}

#define DIRECTORY	(O_RDONLY | O_DIRECTORY)

/* 0: opened; else errno: with no wall, and behind one. */
static const struct {
	const char	*path;
	int		 flags, open, walled;
} rows[] = {
	{ "file",		O_RDONLY,	0,		0 },
	{ "dir",		DIRECTORY,	0,		0 },
	{ "dir/.",		DIRECTORY,	0,		0 },
	{ "dir/file",		O_RDONLY,	0,		0 },
	{ ".",			DIRECTORY,	0,		0 },
	{ "none",		O_RDONLY,	ENOENT,		ENOENT },
	{ "none/file",		O_RDONLY,	ENOENT,		ENOENT },
	{ "file",		DIRECTORY,	ENOTDIR,	ENOTDIR },
	{ "file/file",		O_RDONLY,	ENOTDIR,	ENOTDIR },
	{ "file-link",		O_RDONLY,	EACCES,		0 },
	{ "file-link",		DIRECTORY,	EACCES,		ENOTDIR },
	{ "dir-link",		DIRECTORY,	EACCES,		0 },
	{ "dir-link/file",	O_RDONLY,	EACCES,		0 },
	{ "dir-link/.",		DIRECTORY,	EACCES,		0 },
	{ "dir/file-link",	O_RDONLY,	EACCES,		0 },
	{ "no-link",		O_RDONLY,	EACCES,		ENOENT },
	{ "their-file",		O_RDONLY,	EACCES,		EACCES },
	{ "their-dir",		DIRECTORY,	EACCES,		EACCES },
	{ "their-dir/file",	O_RDONLY,	EACCES,		EACCES },
};

static int
attempt(int i)
{
	int	fd = inside_open(root, rows[i].path, rows[i].flags);
	int	error = fd == -1 ? errno : 0;

	fdio_close(&fd);
	return error;
}

START_TEST(no_wall)
{
	ck_assert_int_eq(attempt(_i), rows[_i].open);
}
END_TEST

START_TEST(wall)
{
	const struct sandbox_path	paths[] = { { mine, SANDBOX_READ } };
	struct diag			why;
	pid_t				pid;
	int				status;

	if (sandbox_landlock_abi() == 0)
		return;
	ck_assert_int_ne(pid = fork(), -1);
	if (pid == 0)
		_exit(sandbox_enter_files(paths, 1, &why) == -1 ? 255 :
		    attempt(_i));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), rows[_i].walled);
}
END_TEST

START_TEST(slurp)
{
	struct buf	b;

	buf_init(&b, 64);
	ck_assert_int_eq(inside_slurp(root, "dir/file", &b), 0);
	ck_assert(str_eq(buf_view(&b), STR("text")));
	ck_assert_int_eq(inside_slurp(root, "dir", &b), -1);
	ck_assert_int_eq(errno, EISDIR);
	ck_assert_int_eq(inside_slurp(root, "their-file", &b), -1);
	ck_assert_int_eq(errno, EACCES);
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("inside");
	TCase	*tc = tcase_create("links");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, no_wall, 0, (int)nitems(rows));
	tcase_add_loop_test(tc, wall, 0, (int)nitems(rows));
	tcase_add_test(tc, slurp);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
