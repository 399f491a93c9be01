/* tests/unit/test_dotlock.c - locks that somebody else takes away meanwhile, and lists that are written under them. */
#include <sys/stat.h>
#include <sys/syscall.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/dotlock.h"
#include "common/store/store_impl.h"
#include "common/store/uidlist_file.h"

#define LONG	(600u << 10)	/* more than a draft keeps */

static char		 top[] = "/tmp/posthouse-dotlock.XXXXXX";
static int		 root = -1;

/* Whose lock of that name is looked at gives it up; who then removes it by its name removes the next one's. */
static const char	*given_up;
static int		 next_one = -1;

static void
setup(void)
{
	strlcpy(top, "/tmp/posthouse-dotlock.XXXXXX", sizeof(top));
	ck_assert_ptr_nonnull(mkdtemp(top));
	root = fdio_opendir(AT_FDCWD, top);
	ck_assert_int_ne(root, -1);
}

static void
teardown(void)
{
	fdio_close(&root);
	ck_assert_int_eq(store_remove_tree(AT_FDCWD, top), 0);
}

static bool
there(const char *name)
{
	return faccessat(root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static mode_t
mode_of(const char *name)
{
	struct stat	st;

	ck_assert_int_eq(fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode;
}

static void
make_old(const char *name)
{
	struct timespec	old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	int		fd = openat(root, name, O_WRONLY | O_CREAT, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(futimens(fd, old), 0);
	fdio_close(&fd);
}

int
unlinkat(int at, const char *name, int flags)
{
	if (given_up != NULL && strcmp(name, given_up) == 0) {
		given_up = NULL;
		next_one = dotlock_take(at, name, 0, DOTLOCK_MODE);
	}
	return (int)syscall(SYS_unlinkat, at, name, flags);
}

int
openat(int at, const char *name, int flags, ...)
{
	if (given_up != NULL && strcmp(name, given_up) == 0 &&
	    (flags & O_CREAT) == 0)
		(void)syscall(SYS_unlinkat, at, name, 0);
	return (int)syscall(SYS_openat, at, name, flags, 0600);
}

START_TEST(gone_before_it_is_broken)
{
	int	fd;

	make_old("a.lock");
	given_up = "a.lock";
	fd = dotlock_take(root, "a.lock", 0, DOTLOCK_MODE);
	/* the next one has it, or this one: not both */
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(next_one, -1);
	ck_assert_ptr_nonnull(given_up);
	given_up = NULL;
	dotlock_drop(root, "a.lock", &fd);
}
END_TEST

/* What nobody can open as a file is judged by its age. */
START_TEST(links)
{
	struct timespec	old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	int		fd;

	ck_assert_int_eq(symlinkat("nowhere", root, "b.lock"), 0);
	ck_assert_int_eq(dotlock_take(root, "b.lock", 30, DOTLOCK_MODE), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(utimensat(root, "b.lock", old, AT_SYMLINK_NOFOLLOW),
	    0);
	fd = dotlock_take(root, "b.lock", 0, DOTLOCK_MODE);
	ck_assert_int_ne(fd, -1);
	ck_assert(S_ISREG(mode_of("b.lock")));
	dotlock_drop(root, "b.lock", &fd);
}
END_TEST

START_TEST(pipes)
{
	struct timespec	old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	int		fd;

	ck_assert_int_eq(mkfifoat(root, "c.lock", 0600), 0);
	ck_assert_int_eq(utimensat(root, "c.lock", old, 0), 0);
	fd = dotlock_take(root, "c.lock", 0, DOTLOCK_MODE);
	ck_assert_int_ne(fd, -1);
	dotlock_drop(root, "c.lock", &fd);
	/* a directory is no lock of anybody's, and nothing waits for it */
	ck_assert_int_eq(mkdirat(root, "c.lock", 0700), 0);
	ck_assert_int_eq(utimensat(root, "c.lock", old, 0), 0);
	ck_assert_int_eq(dotlock_take(root, "c.lock", 0, DOTLOCK_MODE), -1);
	ck_assert_int_eq(errno, EISDIR);
	ck_assert(there("c.lock"));
}
END_TEST

/* A link has all bits: what takes its place is nobody else's. */
START_TEST(replaces_links)
{
	struct buf	text;
	int		fd;

	buf_init(&text, 16);
	buf_adds(&text, "x");
	ck_assert_int_eq(symlinkat("nowhere", root, "d"), 0);
	fd = dotlock_take(root, "d.lock", 0, DOTLOCK_MODE);
	ck_assert_int_eq(dotlock_replace(root, "d.lock", &fd, "d", &text), 0);
	ck_assert_uint_eq(mode_of("d"), S_IFREG | 0600);
	ck_assert_int_eq(symlinkat("nowhere", root, "e"), 0);
	fd = uidlist_lock(root, "e.lock", true);
	ck_assert_int_eq(uidlist_replace(root, "e.lock", fd, "e",
	    buf_view(&text)), 0);
	ck_assert_uint_eq(mode_of("e"), S_IFREG | 0600);
	fdio_close(&fd);
	buf_free(&text);
}
END_TEST

/* Who dies just before his list takes its place has left a lock that is known to be dead. */
START_TEST(dies_before_the_rename)
{
	int	fd = uidlist_lock(root, "f.lock", false);

	ck_assert_int_eq(mkdirat(root, "f", 0700), 0);
	ck_assert_int_eq(uidlist_replace(root, "f.lock", fd, "f", STR("x")),
	    -1);
	ck_assert(there("f.lock"));
	fdio_close(&fd);
	fd = uidlist_lock(root, "f.lock", false);
	ck_assert_int_ne(fd, -1);
	fdio_close(&fd);
}
END_TEST

/* Of a list that lost lines nothing is written. */
START_TEST(damaged_draft)
{
	struct uidlist_draft	d;
	struct stat		st;
	int			fd = uidlist_lock(root, "g.lock", true);

	uidlist_draft_init(&d, fd);
	ck_assert_int_eq(buf_reserve(&d.text, LONG), 0);
	memset(d.text.p, 'x', LONG);
	d.text.n = LONG;
	d.text.bad = true;
	ck_assert_int_eq(uidlist_draft_send(&d), -1);
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	d.text.bad = false;
	ck_assert_int_eq(uidlist_draft_send(&d), 0);
	ck_assert_uint_eq(d.text.n, 0);
	/* the end of one that is too long */
	buf_adds(&d.text, "12");
	ck_assert_int_eq(uidlist_draft_check(&d), 0);
	d.written = UIDLIST_MAX - 1;
	ck_assert_int_eq(uidlist_draft_check(&d), -1);
	ck_assert_int_eq(errno, EFBIG);
	uidlist_draft_free(&d);
	fdio_close(&fd);
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("dotlock");
	TCase	*t = tcase_create("dotlock");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, gone_before_it_is_broken);
	tcase_add_test(t, links);
	tcase_add_test(t, pipes);
	tcase_add_test(t, replaces_links);
	tcase_add_test(t, dies_before_the_rename);
	tcase_add_test(t, damaged_draft);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
