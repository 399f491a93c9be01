/* tests/unit/test_maildir_count.c - what names of Maildir files say, and what a Maildir holds by them. */
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/store/maildir.h"

static const struct {
	struct str	name;
	const char	*base, *flags;
} names[] = {
	{ STR(""),			"",		"" },
	{ STR("1.a.h"),			"1.a.h",	"" },
	{ STR("1.a.h:2,"),		"1.a.h",	"" },
	{ STR("1.a.h:2,FRS"),		"1.a.h",	"FRS" },
	{ STR("1.a.h:2,S:2,T"),		"1.a.h",	"S:2,T" },
	{ STR("1.a.h:1,S"),		"1.a.h",	"" },
	{ STR("1.a.h:"),		"1.a.h",	"" },
	{ STR("1.a.h:2"),		"1.a.h",	"" },
	{ STR(":2,S"),			"",		"S" },
	{ STR("1.a.h,S=5:2,Sab"),	"1.a.h,S=5",	"Sab" },
};

START_TEST(parts)
{
	struct str	base = maildir_name_base(names[_i].name);
	struct str	flags = maildir_name_flags(names[_i].name);

	ck_assert(str_eq(base, str_from(names[_i].base)));
	ck_assert(str_eq(flags, str_from(names[_i].flags)));
}
END_TEST

static const struct {
	struct str	name;
	char		which;
	bool		ok;
	uint64_t	size;
} sizes[] = {
	{ STR(""),			'S',	false,	0 },
	{ STR("1.a.h"),			'S',	false,	0 },
	{ STR("1.a.h,S=5"),		'S',	true,	5 },
	{ STR("1.a.h,S=0"),		'S',	true,	0 },
	{ STR("1.a.h,S=5,W=7:2,S"),	'S',	true,	5 },
	{ STR("1.a.h,S=5,W=7:2,S"),	'W',	true,	7 },
	{ STR("1.a.h,W=7,S=5"),		'S',	true,	5 },
	{ STR("1.a.h,S=,W=7"),		'S',	false,	0 },
	{ STR("1.a.h,S=x"),		'S',	false,	0 },
	{ STR("1.a.h,S=-5"),		'S',	false,	0 },
	{ STR("1.a.h,S=5x"),		'S',	false,	0 },
	{ STR("1.a.h,S="),		'S',	false,	0 },
	{ STR("1.a.h,S"),		'S',	false,	0 },
	{ STR("1.a.hS=5"),		'S',	false,	0 },
	{ STR("1.a.h:2,S=5"),		'S',	false,	0 },	/* a flag */
	{ STR("1.a.h,S=9223372036854775807"), 'S', true, INT64_MAX },
	{ STR("1.a.h,S=9223372036854775808"), 'S', false, 0 },
	{ STR("1.a.h,S=99999999999999999999999"), 'S', false, 0 },
	{ STR("1.a.h,S=1\0"),		'S',	false,	0 },
};

START_TEST(size_in_name)
{
	uint64_t	got = 42;

	ck_assert_int_eq(maildir_name_size(sizes[_i].name, sizes[_i].which,
	    &got), sizes[_i].ok);
	ck_assert_uint_eq(got, sizes[_i].ok ? sizes[_i].size : 42);
}
END_TEST

static char		top[40];
static int		root = -1;
static struct maildir	m;

static void
setup(void)
{
	struct diag	why;

	strlcpy(top, "/tmp/test_count.XXXXXX", sizeof(top));
	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_ne(root = fdio_opendir(AT_FDCWD, top), -1);
	ck_assert_int_eq(maildir_open(&m, root, "M", "", true, &why), 0);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
teardown(void)
{
	maildir_close(&m);
	fdio_close(&root);
	ck_assert_int_eq(nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void
put(const char *name, const char *text)
{
	int	fd = openat(m.root, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_msg(fd != -1, "%s", name);
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	fdio_close(&fd);
}

static void
check_usage(uint64_t bytes, uint64_t count)
{
	uint64_t	b = 1, c = 1;

	ck_assert_int_eq(maildir_usage(&m, &b, &c), 0);
	ck_assert_uint_eq(b, bytes);
	ck_assert_uint_eq(c, count);
}

START_TEST(usage)
{
	check_usage(0, 0);
	put("new/1.a.h,S=1000", "x");		/* the name is believed */
	put("cur/2.a.h,S=100:2,S", "x");
	put("cur/3.a.h:2,T", "12345");		/* by stat */
	put("cur/4.a.h,S=x", "123");
	put("tmp/5.a.h,S=7", "x");		/* not there yet */
	put("cur/.hidden", "x");
	put("dovecot-uidlist", "x");
	check_usage(1108, 4);
	ck_assert_int_eq(mkdirat(m.root, ".Work", 0700), 0);
	check_usage(1108, 4);			/* neither cur nor new */
	ck_assert_int_eq(mkdirat(m.root, ".Work/cur", 0700), 0);
	ck_assert_int_eq(mkdirat(m.root, ".Work/new", 0700), 0);
	put(".Work/cur/6.a.h,S=10000:2,", "x");
	put(".Work/new/7.a.h,S=20000", "x");
	put(".file", "x");
	check_usage(31108, 6);
	ck_assert_int_eq(mkdirat(m.root, "sub", 0700), 0);
	ck_assert_int_eq(mkdirat(m.root, "sub/cur", 0700), 0);
	put("sub/cur/8.a.h,S=1", "x");		/* no folder of Maildir++ */
	check_usage(31108, 6);
}
END_TEST

/* Names that lie cannot make the sum small again. */
START_TEST(usage_overflow)
{
	uint64_t	b, c;

	put("cur/1.a.h,S=9223372036854775807", "x");
	put("cur/2.a.h,S=9223372036854775807", "x");
	put("cur/3.a.h,S=9223372036854775807", "x");
	ck_assert_int_eq(maildir_usage(&m, &b, &c), 0);
	ck_assert_uint_eq(c, 3);
	ck_assert_uint_ge(b, INT64_MAX);
}
END_TEST

START_TEST(usage_of_nothing)
{
	struct maildir	none = { .root = -1, .tmp = -1, .new = -1, .cur = -1 };
	uint64_t	b, c;

	ck_assert_int_eq(maildir_usage(&none, &b, &c), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

START_TEST(usage_add)
{
	struct buf	b;

	errno = ENOTTY;
	maildir_usage_add(&m, 5, 1);
	ck_assert_int_eq(errno, ENOTTY);	/* it is not kept: nothing */
	ck_assert_int_eq(faccessat(m.root, "maildirsize", F_OK, 0), -1);
	put("maildirsize", "1000S\n10 1\n");
	maildir_usage_add(&m, 5, 1);
	maildir_usage_add(&m, -15, -2);
	ck_assert_int_eq(errno, ENOENT);
	buf_init(&b, 4096);
	ck_assert_int_eq(fdio_slurp_at(m.root, "maildirsize", &b), 0);
	ck_assert(str_eq(buf_view(&b), STR("1000S\n10 1\n5 1\n-15 -2\n")));
	buf_free(&b);
	/* never through a link */
	ck_assert_int_eq(renameat(m.root, "maildirsize", m.root, "other"), 0);
	ck_assert_int_eq(symlinkat("other", m.root, "maildirsize"), 0);
	maildir_usage_add(&m, 5, 1);
	buf_init(&b, 4096);
	ck_assert_int_eq(fdio_slurp_at(m.root, "other", &b), 0);
	ck_assert(str_eq(buf_view(&b), STR("1000S\n10 1\n5 1\n-15 -2\n")));
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("maildir_count");
	TCase	*tc = tcase_create("names"), *dir = tcase_create("usage");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(tc, parts, 0, nitems(names));
	tcase_add_loop_test(tc, size_in_name, 0, nitems(sizes));
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(dir, setup, teardown);
	tcase_add_test(dir, usage);
	tcase_add_test(dir, usage_overflow);
	tcase_add_test(dir, usage_of_nothing);
	tcase_add_test(dir, usage_add);
	suite_add_tcase(s, dir);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
