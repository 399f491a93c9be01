/* tests/unit/test_maildir.c - names, batches, and what a failure leaves. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/store/maildir.h"

static char	top[] = "/tmp/posthouse-maildir.XXXXXX";
static int	dir = -1;

static void
setup(void)
{
	strlcpy(top, "/tmp/posthouse-maildir.XXXXXX", sizeof(top));
	ck_assert_ptr_nonnull(mkdtemp(top));
	dir = fdio_opendir(AT_FDCWD, top);
	ck_assert_int_ne(dir, -1);
}

/* Number of entries in a directory; empties it if asked. */
static int
entries(int parent, const char *name, bool empty)
{
	struct dirent	*e;
	DIR		*d;
	int		 fd, n = 0;

	if ((fd = fdio_opendir(parent, name)) == -1)
		return -1;
	d = fdopendir(fd);
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		n++;
		if (empty)
			unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	return n;
}

static void
remove_maildir(int parent, const char *name)
{
	static const char *const parts[] = { "tmp", "new", "cur" };
	size_t	i;
	int	fd;

	if ((fd = fdio_opendir(parent, name)) == -1)
		return;
	for (i = 0; i < nitems(parts); i++) {
		entries(fd, parts[i], true);
		unlinkat(fd, parts[i], AT_REMOVEDIR);
	}
	remove_maildir(fd, ".Work.Lists");
	unlinkat(fd, "maildirfolder", 0);
	fdio_close(&fd);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static void
teardown(void)
{
	remove_maildir(dir, "Maildir");
	fdio_close(&dir);
	ck_assert_int_eq(rmdir(top), 0);
}

static const struct {
	const char	*name, *base, *flags;
	bool		 has;
	uint64_t	 size;
} names[] = {
	{ "1.M2P3.host,S=12,W=13:2,FS", "1.M2P3.host,S=12,W=13", "FS", true, 12 },
	{ "1.M2P3.host", "1.M2P3.host", "", false, 0 },
	{ "1.host,S=:2,S", "1.host,S=", "S", false, 0 },
	{ "1.host,S=1x:2,", "1.host,S=1x", "", false, 0 },
	{ "1.host,W=5", "1.host,W=5", "", false, 0 },
	{ "1.host:1,x,S=5", "1.host", "", false, 0 },
	{ "", "", "", false, 0 },
};

START_TEST(name_parts)
{
	struct str	name = str_from(names[_i].name);
	uint64_t	size = 0;

	ck_assert(str_eq(maildir_name_base(name), str_from(names[_i].base)));
	ck_assert(str_eq(maildir_name_flags(name), str_from(names[_i].flags)));
	ck_assert_int_eq(maildir_name_size(name, 'S', &size), names[_i].has);
	ck_assert_uint_eq(size, names[_i].size);
}
END_TEST

START_TEST(batch)
{
	struct maildir		m;
	struct maildir_draft	d[10];
	struct diag		why = { "" };
	size_t			i;

	ck_assert_int_eq(maildir_open(&m, dir, "Maildir", "", false, &why), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(maildir_open(&m, dir, "Maildir", "", true, &why), 0);
	for (i = 0; i < nitems(d); i++) {
		ck_assert_int_eq(maildir_begin(&m, "a/b:c", &d[i]), 0);
		ck_assert_ptr_null(strchr(d[i].name, '/'));
		ck_assert_ptr_null(strchr(d[i].name, ':'));
		ck_assert_int_eq(fdio_write(d[i].fd, "hello\n", 6), 0);
	}
	ck_assert_int_eq(entries(m.root, "tmp", false), 10);
	ck_assert_int_eq(maildir_commit(&m, d, nitems(d)), 0);
	ck_assert_int_eq(entries(m.root, "tmp", false), 0);
	ck_assert_int_eq(entries(m.root, "new", false), 10);
	ck_assert_int_eq(d[0].size, 6);
	ck_assert_int_eq(d[0].fd, -1);
	maildir_close(&m);
}
END_TEST

START_TEST(failure_leaves_nothing)
{
	struct maildir		m;
	struct maildir_draft	d[3];
	struct diag		why = { "" };
	size_t			i;

	ck_assert_int_eq(maildir_open(&m, dir, "Maildir", "", true, &why), 0);
	for (i = 0; i < nitems(d); i++)
		ck_assert_int_eq(maildir_begin(&m, "h", &d[i]), 0);
	/* the third cannot be renamed: it has gone */
	ck_assert_int_eq(unlinkat(m.tmp, d[2].name, 0), 0);
	ck_assert_int_eq(maildir_commit(&m, d, nitems(d)), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(entries(m.root, "tmp", false), 0);
	ck_assert_int_eq(entries(m.root, "new", false), 0);
	ck_assert_int_eq(maildir_begin(&m, "h", &d[0]), 0);
	maildir_abort(&m, &d[0]);
	ck_assert_int_eq(entries(m.root, "tmp", false), 0);
	maildir_close(&m);
}
END_TEST

START_TEST(folders)
{
	static const char *const bad[] = { "../x", ".x", "a..b", "a/b", "a.",
	    "a\nb", "\303\244", " \177" };
	struct maildir	m;
	struct diag	why = { "" };
	struct stat	st;
	size_t		i;

	ck_assert_int_eq(maildir_open(&m, dir, "Maildir", "", true, &why), 0);
	maildir_close(&m);
	ck_assert_int_eq(maildir_open(&m, dir, "Maildir", "Work.Lists", true,
	    &why), 0);
	ck_assert_int_eq(fstatat(dir, "Maildir/.Work.Lists/maildirfolder", &st,
	    0), 0);
	maildir_close(&m);
	for (i = 0; i < nitems(bad); i++)
		ck_assert_int_eq(maildir_open(&m, dir, "Maildir", bad[i], true,
		    &why), -1);
}
END_TEST

/* However fast they are made: who gives UIDs by names gives them in this order. */
START_TEST(names_in_order)
{
	char		name[MAILDIR_TMP_MAX + 1];
	long long	s, us, last = 0;
	int		i;

	for (i = 0; i < 100000; i++) {
		maildir_unique("h", name);
		ck_assert_int_eq(sscanf(name, "%lld.M%6lldP", &s, &us), 2);
		ck_assert_int_gt(s * 1000000 + us, last);
		last = s * 1000000 + us;
	}
	ck_assert_int_le(last / 1000000, time(NULL) + 1);
}
END_TEST

static void
looked_at(const struct maildir *m, int64_t when)
{
	const struct timespec	t[2] = { { when, 0 }, { 0, UTIME_OMIT } };

	ck_assert_int_eq(utimensat(m->root, "tmp", t, 0), 0);
}

/* The time of modification is the message's; only what nobody has changed for 36 hours is nobody's. */
START_TEST(cleaned)
{
	const struct timespec	old[2] = { { 1000, 0 }, { 1000, 0 } };
	const int64_t		now = time(NULL);
	struct maildir_draft	d[3];
	struct maildir		m;
	struct diag		why = { "" };
	struct stat		st;
	size_t			i;

	ck_assert_int_eq(maildir_open(&m, dir, "Maildir", "", true, &why), 0);
	for (i = 0; i < nitems(d); i++) {
		ck_assert_int_eq(maildir_begin(&m, "h", &d[i]), 0);
		ck_assert_int_eq(futimens(d[i].fd, old), 0);
		fdio_close(&d[i].fd);
	}
	ck_assert_int_eq(mkdirat(m.tmp, "directory", 0700), 0);
	looked_at(&m, 0);
	maildir_clean(&m, now);
	maildir_clean(&m, now + 35 * 3600);
	ck_assert_int_eq(entries(m.root, "tmp", false), 4);
	/* it was looked at an hour before */
	maildir_clean(&m, now + 36 * 3600 + 60);
	ck_assert_int_eq(entries(m.root, "tmp", false), 4);
	looked_at(&m, now + 100 * 3600);	/* yet to come */
	errno = 0;
	maildir_clean(&m, now + 36 * 3600 + 60);
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(entries(m.root, "tmp", false), 1);
	ck_assert_int_eq(fstat(m.tmp, &st), 0);
	ck_assert_int_eq(st.st_atim.tv_sec, now + 36 * 3600 + 60);
	ck_assert_int_eq(unlinkat(m.tmp, "directory", AT_REMOVEDIR), 0);
	maildir_close(&m);
}
END_TEST

/* A link in its place leads nowhere, and where nothing is to be done nothing is said. */
START_TEST(not_cleaned)
{
	struct maildir	m;
	struct diag	why = { "" };
	int		fd;

	ck_assert_int_eq(maildir_open(&m, dir, "Maildir", "", true, &why), 0);
	ck_assert_int_eq(unlinkat(m.root, "tmp", AT_REMOVEDIR), 0);
	errno = EINTR;
	maildir_clean(&m, (int64_t)1 << 40);
	ck_assert_int_eq(errno, EINTR);
	fd = openat(m.new, "x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	fdio_close(&fd);
	ck_assert_int_eq(symlinkat("new", m.root, "tmp"), 0);
	maildir_clean(&m, (int64_t)1 << 40);
	ck_assert_int_eq(entries(m.root, "new", false), 1);
	ck_assert_int_eq(unlinkat(m.root, "tmp", 0), 0);
	maildir_close(&m);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("maildir");
	TCase	*t = tcase_create("maildir");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, name_parts, 0, nitems(names));
	tcase_add_test(t, batch);
	tcase_add_test(t, failure_leaves_nothing);
	tcase_add_test(t, folders);
	tcase_add_test(t, names_in_order);
	tcase_add_test(t, cleaned);
	tcase_add_test(t, not_cleaned);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
