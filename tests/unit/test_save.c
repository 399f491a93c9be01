/* tests/unit/test_save.c - batches of messages: their content and names, copies and moves, and what a failure leaves. */
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

#include "common/store/save.h"
#include "common/store/store_impl.h"
#include "tests/unit/save_fake.h"

static char		 top[] = "/tmp/posthouse-save.XXXXXX";
static struct store	*st;
static struct save	*s;
static struct view	 v;
static struct diag	 why;
static uint32_t		 validity, uids[200];
static const struct save_message plain = { .date = INT64_MIN };

static void
put_file(const char *name, const char *text)
{
	int	fd = openat(store_root(st), name, O_WRONLY | O_CREAT | O_EXCL,
		    0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	fdio_close(&fd);
}

static void
setup(void)
{
	char	location[128];

	strlcpy(top, "/tmp/posthouse-save.XXXXXX", sizeof(top));
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(location, sizeof(location), "maildir:%s/Maildir", top);
	ck_assert_int_eq(store_open(&st, location, true, &why), 0);
	ck_assert_int_eq(store_create(st, "src", '\0'), 0);
	ck_assert_int_eq(store_create(st, "dst", '\0'), 0);
	memset(&fake, 0, sizeof(fake));
	fake.next = 100;
	fake.keywords[3] = "Zero";
	memset(&v, 0, sizeof(v));
	v.store = st;
	v.dir = openat(store_root(st), ".src/cur", O_RDONLY | O_DIRECTORY);
	put_file(".src/cur/1.a,S=6:2,FPSab", "hello\n");
	v.file[0] = "1.a,S=6:2,FPSab";
	v.m[0].uid = 11;
	put_file(".src/cur/2.a,S=6:2,", "hallo\n");
	v.file[1] = "2.a,S=6:2,";
	v.m[1].uid = 12;
}

static void
teardown(void)
{
	save_abort(&s);
	fdio_close(&v.dir);
	store_close(&st);
	ck_assert_int_eq(store_remove_tree(AT_FDCWD, top), 0);
}

static int
one(void *arg, int dir, const char *name)
{
	unsigned	*n = arg;

	(void)dir, (void)name;
	++*n;
	return 0;
}

static unsigned
entries(const char *dir)
{
	unsigned	n = 0;

	ck_assert_int_eq(fdio_each(store_root(st), dir, one, &n), 0);
	return n;
}

static void
begin(const char *folder)
{
	ck_assert_msg(save_begin(&s, st, folder, &why) == 0, "%s", why.text);
}

/* In pieces of that size. */
static uint64_t
add(struct str text, size_t step, const struct save_message *m)
{
	struct str	piece;
	uint64_t	wire;

	ck_assert_int_eq(save_open(s, m), 0);
	while (text.n > 0) {
		piece = (struct str){ text.p, step < text.n ? step : text.n };
		ck_assert_int_eq(save_write(s, piece), 0);
		text.p += piece.n;
		text.n -= piece.n;
	}
	ck_assert_int_eq(save_end(s, &wire), 0);
	return wire;
}

static void
commit(void)
{
	ck_assert_int_eq(save_commit(&s, &validity, uids), 0);
	ck_assert_uint_eq(validity, 77);
}

static void
fails(int error)
{
	ck_assert_int_eq(save_commit(&s, &validity, uids), -1);
	ck_assert_int_eq(errno, error);
	ck_assert_ptr_null(s);
	ck_assert_uint_eq(entries(".dst/tmp"), 0);
	ck_assert_uint_eq(entries(".dst/cur"), 0);
	ck_assert_uint_eq(entries(".src/cur"), 2);
}

static void
holds(const char *dir, const char *file, struct str text)
{
	char		path[512];
	struct buf	b;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	buf_init(&b, 1u << 20);
	ck_assert_int_eq(fdio_slurp_at(store_root(st), path, &b), 0);
	ck_assert(str_eq(buf_view(&b), text));
	buf_free(&b);
}

static const struct { struct str in, out; uint64_t wire; } contents[] = {
	{ STR("a\r\nb\r\n"), STR("a\nb\n"), 6 },
	{ STR("a\nb"), STR("a\nb"), 4 },
	{ STR(""), STR(""), 0 },
	{ STR("\r\n\r\n"), STR("\n\n"), 4 },
	{ STR("\r\r\n"), STR("\r\n"), 2 },
	{ STR("a\rb\r"), STR("a\rb\r"), 4 },
	{ STR("\r\r"), STR("\r\r"), 2 },
	{ STR("\n\r\nx\r\r\r\n"), STR("\n\nx\r\r\n"), 8 },
	{ STR("a\0\r\n"), STR("a\0\n"), 4 },
};

START_TEST(line_ends)
{
	size_t	step;

	for (step = 1; step <= 9; step *= 3) {
		begin("dst");
		ck_assert_uint_eq(add(contents[_i].in, step, &plain),
		    contents[_i].wire);
		commit();
		holds(".dst/cur", fake.file[0], contents[_i].out);
		ck_assert_uint_eq(fake.seen[0].wire, contents[_i].wire);
	}
}
END_TEST

START_TEST(long_content)
{
	static char	text[200001];
	char		sizes[64];
	size_t		i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = i % 50 == 48 ? '\r' : i % 50 == 49 ? '\n' : 'x';
	begin("dst");
	ck_assert_uint_eq(add((struct str){ text, sizeof(text) }, 7001,
	    &plain), sizeof(text));
	ck_assert_uint_eq(save_bytes(s), sizeof(text) - 4000);
	commit();
	snprintf(sizes, sizeof(sizes), ",S=%zu,W=%zu:2,", sizeof(text) - 4000,
	    sizeof(text));
	ck_assert_ptr_nonnull(strstr(fake.file[0], sizes));
}
END_TEST

START_TEST(flags_and_dates)
{
	const struct str	words[] = { STR("None"), STR("Zero") };
	struct save_message	m = { .flags = VIEW_SEEN | VIEW_DRAFT |
	    VIEW_ANSWERED | VIEW_FLAGGED | VIEW_DELETED | VIEW_RECENT,
	    .keywords = words, .nkeywords = 2, .date = 1000000000 };
	char			path[300];
	struct stat		b;

	begin("");
	add(STR("x\r\n"), 9, &m);
	add(STR("y\r\n"), 9, &plain);
	ck_assert_uint_eq(save_count(s), 2);
	ck_assert_uint_eq(entries("cur"), 0);
	commit();
	ck_assert_uint_eq(uids[0], 100);
	ck_assert_uint_eq(uids[1], 101);
	ck_assert_str_eq(strchr(fake.file[0], ','), ",S=2,W=3:2,DFRSTd");
	ck_assert_str_eq(strchr(fake.file[1], ','), ",S=2,W=3:2,");
	ck_assert_str_eq(fake.guid[0], "");
	snprintf(path, sizeof(path), "cur/%s", fake.file[0]);
	ck_assert_int_eq(fstatat(store_root(st), path, &b, 0), 0);
	ck_assert_int_eq(b.st_mtim.tv_sec, 1000000000);
	ck_assert_uint_eq(entries("tmp"), 0);
}
END_TEST

START_TEST(many)
{
	unsigned	i;

	begin("dst");
	for (i = 0; i < 150; i++)
		add(STR("x\r\n"), 9, &plain);
	/* not more descriptors than this wait */
	ck_assert_int_lt(open("/", O_RDONLY), 100);
	ck_assert_uint_eq(entries(".dst/tmp"), 150);
	commit();
	ck_assert_uint_eq(entries(".dst/tmp"), 0);
	ck_assert_uint_eq(entries(".dst/cur"), 150);
	ck_assert_uint_eq(uids[149], 249);
}
END_TEST

START_TEST(nothing_is_left)
{
	unsigned	i;

	begin("dst");
	for (i = 0; i < 70; i++)
		add(STR("x\r\n"), 9, &plain);
	ck_assert_int_eq(save_open(s, &plain), 0);
	ck_assert_int_eq(save_write(s, STR("half")), 0);
	save_abort(&s);
	ck_assert_uint_eq(entries(".dst/tmp"), 0);
	ck_assert_uint_eq(entries(".dst/cur"), 0);
	/* the UIDs cannot be written */
	begin("dst");
	add(STR("x\r\n"), 9, &plain);
	ck_assert_int_eq(save_copy(s, &v, 0, NULL), 0);
	ck_assert_int_eq(save_move(s, &v, 1), 0);
	fake.fail = ENOSPC;
	fails(ENOSPC);
	holds(".src/cur", "2.a,S=6:2,", STR("hallo\n"));
	/* one that is to be moved has gone meanwhile */
	fake.fail = 0;
	begin("dst");
	ck_assert_int_eq(save_move(s, &v, 0), 0);
	ck_assert_int_eq(save_move(s, &v, 1), 0);
	v.file[1] = NULL;
	fails(ENOENT);
	holds(".src/cur", "1.a,S=6:2,FPSab", STR("hello\n"));
	ck_assert_int_eq(save_begin(&s, st, "none", &why), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(draft_has_gone)
{
	begin("dst");
	add(STR("x\r\n"), 9, &plain);
	add(STR("y\r\n"), 9, &plain);
	ck_assert_int_eq(store_remove_tree(store_root(st), ".dst/tmp"), 0);
	ck_assert_int_eq(mkdirat(store_root(st), ".dst/tmp", 0700), 0);
	fails(ENOENT);
}
END_TEST

START_TEST(copies)
{
	struct save_message	m = { .flags = VIEW_DELETED,
	    .date = INT64_MIN };
	char			path[300];
	struct stat		a, b;

	begin("dst");
	ck_assert_int_eq(save_copy(s, &v, 0, NULL), 0);
	ck_assert_int_eq(save_copy(s, &v, 1, &m), 0);
	m.date = 1000000000;
	ck_assert_int_eq(save_copy(s, &v, 1, &m), 0);
	ck_assert_uint_eq(save_bytes(s), 18);
	commit();
	/* the letter of "Zero" is another one here, for "One" there is none, and 'P' is kept */
	ck_assert_str_eq(strchr(fake.file[0], ','), ",S=6,W=7:2,FPSd");
	ck_assert_str_eq(strchr(fake.file[1], ','), ",S=6,W=7:2,T");
	ck_assert_str_eq(fake.guid[0], "the-guid");
	ck_assert_uint_eq(fake.put_uid, 11);
	ck_assert_uint_eq(fake.put_as, 100);
	snprintf(path, sizeof(path), ".dst/cur/%s", fake.file[0]);
	ck_assert_int_eq(fstatat(store_root(st), path, &a, 0), 0);
	ck_assert_int_eq(fstatat(v.dir, v.file[0], &b, 0), 0);
	ck_assert_uint_eq(a.st_ino, b.st_ino);
	/* with another date it cannot be the same file */
	snprintf(path, sizeof(path), ".dst/cur/%s", fake.file[2]);
	ck_assert_int_eq(fstatat(store_root(st), path, &a, 0), 0);
	ck_assert_uint_eq(a.st_nlink, 1);
	ck_assert_int_eq(a.st_mtim.tv_sec, 1000000000);
	holds(".dst/cur", fake.file[2], STR("hallo\n"));
	ck_assert_uint_eq(entries(".src/cur"), 2);
	ck_assert_uint_eq(entries(".dst/tmp"), 0);
}
END_TEST

START_TEST(copies_to_itself)
{
	begin("src");
	ck_assert_int_eq(save_copy(s, &v, 0, NULL), 0);
	commit();
	ck_assert_uint_eq(entries(".src/cur"), 3);
	begin("src");
	ck_assert_int_eq(save_move(s, &v, 0), 0);
	commit();
	ck_assert_uint_eq(entries(".src/cur"), 3);
}
END_TEST

START_TEST(finds_again)
{
	ck_assert_int_eq(renameat(v.dir, "1.a,S=6:2,FPSab", v.dir,
	    "1.a,S=6:2,T"), 0);
	v.now[0] = "1.a,S=6:2,T";
	begin("dst");
	ck_assert_int_eq(save_copy(s, &v, 0, NULL), 0);
	ck_assert_uint_eq(v.looks, 1);
	/* and once more before it is moved: with the flags that it has then */
	ck_assert_int_eq(save_move(s, &v, 0), 0);
	ck_assert_int_eq(renameat(v.dir, "1.a,S=6:2,T", v.dir,
	    "1.a,S=6:2,Fa"), 0);
	v.now[0] = "1.a,S=6:2,Fa";
	commit();
	ck_assert_uint_eq(v.looks, 2);
	ck_assert_str_eq(strchr(fake.file[1], ','), ",S=6,W=7:2,Fd");
	/* gone */
	begin("dst");
	v.file[0] = NULL;
	ck_assert_int_eq(save_copy(s, &v, 0, NULL), -1);
	ck_assert_int_eq(errno, ENOENT);
	v.file[1] = "9.a:2,";
	ck_assert_int_eq(save_copy(s, &v, 1, NULL), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(save_count(s), 0);
	ck_assert_uint_eq(save_bytes(s), 0);
}
END_TEST

START_TEST(moves)
{
	begin("dst");
	ck_assert_int_eq(save_move(s, &v, 0), 0);
	ck_assert_int_eq(save_move(s, &v, 1), 0);
	ck_assert_uint_eq(entries(".src/cur"), 2);
	commit();
	ck_assert_uint_eq(entries(".src/cur"), 0);
	ck_assert_uint_eq(entries(".dst/cur"), 2);
	ck_assert_str_eq(strchr(fake.file[0], ','), ",S=6,W=7:2,FPSd");
	holds(".dst/cur", fake.file[1], STR("hallo\n"));
}
END_TEST

/* Another file system: /dev/shm, where there is one. */
START_TEST(moves_across)
{
	char	other[] = "/dev/shm/posthouse-save.XXXXXX";
	struct stat	a, b;
	int	fd;

	if (stat("/dev/shm", &a) == -1 || stat(top, &b) == -1 ||
	    a.st_dev == b.st_dev || mkdtemp(other) == NULL)
		return;
	fdio_close(&v.dir);
	v.dir = fdio_opendir(AT_FDCWD, other);
	fd = openat(v.dir, v.file[0], O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(fdio_write(fd, "hello\n", 6), 0);
	fdio_close(&fd);
	begin("dst");
	ck_assert_int_eq(save_copy(s, &v, 0, NULL), 0);
	ck_assert_int_eq(save_move(s, &v, 0), 0);
	commit();
	ck_assert_int_eq(faccessat(v.dir, v.file[0], F_OK, 0), -1);
	holds(".dst/cur", fake.file[0], STR("hello\n"));
	holds(".dst/cur", fake.file[1], STR("hello\n"));
	ck_assert_int_eq(rmdir(other), 0);
}
END_TEST

static void
die_moving(int at)
{
	fake.die = at;
	if (save_begin(&s, st, "dst", &why) == -1 ||
	    save_move(s, &v, 0) == -1 || save_move(s, &v, 1) == -1 ||
	    save_commit(&s, &validity, uids) == -1)
		_exit(1);
	_exit(0);
}

/* Whenever it is killed each message is in one of the two, whole. */
START_TEST(killed_while_moving)
{
	unsigned	there;
	pid_t		pid;
	int		status;

	if ((pid = fork()) == 0)
		die_moving(_i);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WIFSIGNALED(status), _i <= 5);
	there = entries(".src/cur");
	/* two looks before anything moves, one for each rename, and the UIDs */
	ck_assert_uint_eq(there, _i <= 3 ? 2 : _i == 4 ? 1 : 0);
	ck_assert_uint_eq(entries(".dst/cur"), 2 - there);
	ck_assert_uint_eq(entries(".dst/tmp"), 0);
}
END_TEST

START_TEST(quota_is_told)
{
	struct buf	b;

	put_file("maildirsize", "1000S\n");
	begin("dst");
	add(STR("xy\r\n"), 9, &plain);
	ck_assert_int_eq(save_copy(s, &v, 0, NULL), 0);
	ck_assert_int_eq(save_move(s, &v, 1), 0);
	commit();
	buf_init(&b, 1000);
	ck_assert_int_eq(fdio_slurp_at(store_root(st), "maildirsize", &b), 0);
	ck_assert_str_eq(buf_cstr(&b), "1000S\n9 2\n");
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("save");
	TCase	*t = tcase_create("save");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, line_ends, 0, (int)nitems(contents));
	tcase_add_test(t, long_content);
	tcase_add_test(t, flags_and_dates);
	tcase_add_test(t, many);
	tcase_add_test(t, nothing_is_left);
	tcase_add_test(t, draft_has_gone);
	tcase_add_test(t, copies);
	tcase_add_test(t, copies_to_itself);
	tcase_add_test(t, finds_again);
	tcase_add_test(t, moves);
	tcase_add_test(t, moves_across);
	tcase_add_loop_test(t, killed_while_moving, 1, 7);
	tcase_add_test(t, quota_is_told);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
