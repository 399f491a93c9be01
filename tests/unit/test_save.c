/* tests/unit/test_save.c - batches of messages: their content and names, copies and moves, and what a failure leaves. */
#include <sys/ptrace.h>
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

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/save.h"
#include "common/store/store_impl.h"

static char		 top[] = "/tmp/posthouse-save.XXXXXX";
static struct store	*st;
static struct save	*s;
static struct view	*v;
static struct diag	 why;
static int		 behind;	/* of a deletion */
static uint32_t		 validity, uids[200];
static char		 files[8][MAILDIR_NAME_MAX + 1];	/* what look found, by number */
static struct view_info	 info[8];
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

/* Two messages with keywords, one of which the other folder knows by another letter, and one that it has no room for. */
static void
fill(void)
{
	char	text[1024] = "3 Zero\n", line[32];
	int	i;

	for (i = 0; i < VIEW_KEYWORDS; i++)
		if (i != 3) {
			snprintf(line, sizeof(line), "%d k%d\n", i, i);
			strlcat(text, line, sizeof(text));
		}
	put_file(".dst/dovecot-keywords", text);
	put_file("dovecot-keywords", text);
	put_file(".src/dovecot-keywords", "0 Zero\n1 One\n");
	put_file(".src/dovecot-uidlist",
	    "3 V5 N13 Gabc\n11 Gthe-guid :1.a,S=6\n12 :2.a,S=6\n");
	put_file(".src/cur/1.a,S=6:2,FPSab", "hello\n");
	put_file(".src/cur/2.a,S=6:2,", "hallo\n");
}

static void
open_src(void)
{
	view_close(&v);
	ck_assert_msg(view_open(&v, st, "src", false, &why) == 0, "%s",
	    why.text);
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
	unlinkat(store_root(st), ".src/dovecot-uidlist", 0);
	fill();
	open_src();
	ck_assert_uint_eq(view_count(v), 2);
	ck_assert_uint_eq(view_message(v, 0)->uid, 11);
}

static void
teardown(void)
{
	save_abort(&s);
	view_close(&v);
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
}

/* What another session finds there: the same UIDs, and the names of the files. */
static void
look(const char *folder, size_t n)
{
	struct view	*w;
	const char	*name;
	size_t		 i;
	int		 where;

	ck_assert_int_eq(view_open(&w, st, folder, true, &why), 0);
	ck_assert_uint_eq(view_uidvalidity(w), validity);
	for (i = 0; i < n; i++) {
		size_t	at = view_find(w, uids[i]);

		ck_assert_uint_eq(view_message(w, at)->uid, uids[i]);
		ck_assert_int_eq(view_file(w, at, false, &where, &name), 0);
		strlcpy(files[i], name, sizeof(files[i]));
		ck_assert_int_eq(view_info(w, at, &info[i]), 0);
		info[i].guid = (struct str){ "", info[i].guid.n };
	}
	view_close(&w);
}

static void
fails(int error, unsigned left)
{
	ck_assert_int_eq(save_commit(&s, &validity, uids), -1);
	ck_assert_int_eq(errno, error);
	ck_assert_ptr_null(s);
	ck_assert_uint_eq(entries(".dst/tmp"), 0);
	ck_assert_uint_eq(entries(".dst/cur"), 0);
	ck_assert_uint_eq(entries(".src/cur"), left);
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
		look("dst", 1);
		holds(".dst/cur", files[0], contents[_i].out);
		ck_assert_uint_eq(info[0].wire, contents[_i].wire);
		ck_assert_uint_eq(info[0].size, contents[_i].out.n);
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
	look("dst", 1);
	ck_assert_ptr_nonnull(strstr(files[0], sizes));
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
	ck_assert_uint_eq(uids[0], 1);
	ck_assert_uint_eq(uids[1], 2);
	look("", 2);
	ck_assert_str_eq(strchr(files[0], ','), ",S=2,W=3:2,DFRSTd");
	ck_assert_str_eq(strchr(files[1], ','), ",S=2,W=3:2,");
	ck_assert_int_eq(info[0].internal_date, 1000000000);
	snprintf(path, sizeof(path), "cur/%s", files[0]);
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
	ck_assert_uint_eq(uids[149], 150);
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
	ck_assert_int_eq(save_copy(s, v, 0, NULL), 0);
	ck_assert_int_eq(save_move(s, v, 1, NULL), 0);
	unlinkat(store_root(st), ".dst/posthouse.lock", 0);
	ck_assert_int_eq(mkdirat(store_root(st), ".dst/posthouse.lock", 0700),
	    0);
	fails(EISDIR, 2);
	holds(".src/cur", "2.a,S=6:2,", STR("hallo\n"));
	unlinkat(store_root(st), ".dst/posthouse.lock", AT_REMOVEDIR);
	/* one that is to be moved has gone meanwhile */
	begin("dst");
	ck_assert_int_eq(save_move(s, v, 0, NULL), 0);
	ck_assert_int_eq(save_move(s, v, 1, NULL), 0);
	unlinkat(store_root(st), ".src/cur/2.a,S=6:2,", 0);
	fails(ENOENT, 1);
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
	fails(ENOENT, 2);
}
END_TEST

/* It was deleted since it was opened: what came into it would go with it. */
static void
commit_elsewhere(void)
{
	ck_assert_int_eq(renameat(store_root(st), ".dst", store_root(st),
	    "..gone"), 0);
	ck_assert_int_eq(save_commit(&s, &validity, uids), -1);
	ck_assert_int_eq(errno, ESTALE);
	ck_assert_uint_eq(entries("..gone/tmp"), 0);
	ck_assert_uint_eq(entries("..gone/cur"), 0);
	ck_assert_uint_eq(entries(".src/cur"), 2);
	ck_assert_int_eq(renameat(store_root(st), "..gone", store_root(st),
	    ".dst"), 0);
}

START_TEST(folder_has_gone)
{
	begin("dst");
	add(STR("x\r\n"), 9, &plain);
	ck_assert_int_eq(save_copy(s, v, 0, NULL), 0);
	commit_elsewhere();
	begin("dst");
	ck_assert_int_eq(save_move(s, v, 0, NULL), 0);
	commit_elsewhere();
	holds(".src/cur", "1.a,S=6:2,FPSab", STR("hello\n"));
}
END_TEST

/* Not even its lock can be made then. */
START_TEST(folder_is_no_more)
{
	begin("dst");
	ck_assert_int_eq(save_copy(s, v, 0, NULL), 0);
	ck_assert_int_eq(store_delete(st, "dst", &behind), 0);
	ck_assert_int_eq(save_commit(&s, &validity, uids), -1);
	ck_assert_int_eq(errno, ESTALE);
	ck_assert_uint_eq(entries(".src/cur"), 2);
}
END_TEST

START_TEST(copies)
{
	struct save_message	m = { .flags = VIEW_DELETED,
	    .date = INT64_MIN };
	char			path[300];
	struct stat		a, b;

	begin("dst");
	ck_assert_int_eq(save_copy(s, v, 0, NULL), 0);
	ck_assert_int_eq(save_copy(s, v, 1, &m), 0);
	m.date = 1000000000;
	ck_assert_int_eq(save_copy(s, v, 1, &m), 0);
	ck_assert_uint_eq(save_bytes(s), 18);
	commit();
	look("dst", 3);
	/* the letter of "Zero" is another one here, for "One" there is none, and 'P' is kept */
	ck_assert_str_eq(strchr(files[0], ','), ",S=6,W=7:2,FPSd");
	ck_assert_str_eq(strchr(files[1], ','), ",S=6,W=7:2,T");
	ck_assert_uint_eq(info[0].guid.n, strlen("the-guid"));
	snprintf(path, sizeof(path), ".dst/cur/%s", files[0]);
	ck_assert_int_eq(fstatat(store_root(st), path, &a, 0), 0);
	ck_assert_int_eq(fstatat(store_root(st), ".src/cur/1.a,S=6:2,FPSab",
	    &b, 0), 0);
	ck_assert_uint_eq(a.st_ino, b.st_ino);
	/* with another date it cannot be the same file */
	snprintf(path, sizeof(path), ".dst/cur/%s", files[2]);
	ck_assert_int_eq(fstatat(store_root(st), path, &a, 0), 0);
	ck_assert_uint_eq(a.st_nlink, 1);
	ck_assert_int_eq(a.st_mtim.tv_sec, 1000000000);
	holds(".dst/cur", files[2], STR("hallo\n"));
	ck_assert_uint_eq(entries(".src/cur"), 2);
	ck_assert_uint_eq(entries(".dst/tmp"), 0);
}
END_TEST

/* What was parsed of it need not be parsed there. */
START_TEST(cache_goes_along)
{
	struct cache_head	h;
	struct cache		*there;
	int			 fd;

	ck_assert_int_eq(view_head(v, 0, &h), 0);
	open_src();	/* it is written when the folder is closed */
	begin("dst");
	ck_assert_int_eq(save_copy(s, v, 0, NULL), 0);
	ck_assert_int_eq(save_copy(s, v, 1, NULL), 0);
	commit();
	fd = fdio_opendir(store_root(st), ".dst");
	ck_assert_ptr_nonnull(there = cache_open(fd, validity, true));
	ck_assert(cache_head(there, uids[0], &h));
	ck_assert(!cache_head(there, uids[1], &h));
	cache_close(&there);
	fdio_close(&fd);
}
END_TEST

START_TEST(copies_to_itself)
{
	int64_t	start;

	begin("src");
	ck_assert_int_eq(save_copy(s, v, 0, NULL), 0);
	commit();
	ck_assert_uint_eq(entries(".src/cur"), 3);
	begin("src");
	ck_assert_int_eq(save_move(s, v, 0, NULL), 0);
	/* renamed meanwhile: the view looks again */
	ck_assert_int_eq(renameat(store_root(st),
	    ".src/cur/1.a,S=6:2,FPSab", store_root(st),
	    ".src/cur/1.a,S=6:2,FPRSab"), 0);
	start = now_ms();
	commit();
	ck_assert_int_lt(now_ms() - start, 30000);
	ck_assert_uint_eq(entries(".src/cur"), 3);
}
END_TEST

START_TEST(finds_again)
{
	int	cur = fdio_opendir(store_root(st), ".src/cur");

	ck_assert_int_eq(renameat(cur, "1.a,S=6:2,FPSab", cur, "1.a,S=6:2,T"),
	    0);
	begin("dst");
	ck_assert_int_eq(save_copy(s, v, 0, NULL), 0);
	/* and once more before it is moved: with the flags that it has then */
	ck_assert_int_eq(save_move(s, v, 0, NULL), 0);
	ck_assert_int_eq(renameat(cur, "1.a,S=6:2,T", cur, "1.a,S=6:2,Fa"),
	    0);
	commit();
	look("dst", 2);
	ck_assert_str_eq(strchr(files[0], ','), ",S=6,W=7:2,T");
	ck_assert_str_eq(strchr(files[1], ','), ",S=6,W=7:2,Fd");
	/* gone */
	begin("dst");
	ck_assert_int_eq(save_copy(s, v, 0, NULL), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(unlinkat(cur, "2.a,S=6:2,", 0), 0);
	ck_assert_int_eq(save_copy(s, v, 1, NULL), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(save_count(s), 0);
	ck_assert_uint_eq(save_bytes(s), 0);
	fdio_close(&cur);
}
END_TEST

START_TEST(moves)
{
	begin("dst");
	ck_assert_int_eq(save_move(s, v, 0, NULL), 0);
	ck_assert_int_eq(save_move(s, v, 1, NULL), 0);
	ck_assert_uint_eq(entries(".src/cur"), 2);
	commit();
	ck_assert_uint_eq(entries(".src/cur"), 0);
	ck_assert_uint_eq(entries(".dst/cur"), 2);
	look("dst", 2);
	ck_assert_str_eq(strchr(files[0], ','), ",S=6,W=7:2,FPSd");
	holds(".dst/cur", files[1], STR("hallo\n"));
}
END_TEST

/* Another file system: /dev/shm, where there is one. */
static ino_t
inode(const char *dir, const char *file, mode_t mode)
{
	char		path[512];
	struct stat	b;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	ck_assert_int_eq(fstatat(store_root(st), path, &b, 0), 0);
	ck_assert_uint_eq(b.st_mode & 0777, mode);
	return b.st_ino;
}

static void
set_modes(const char *folder, mode_t mode)
{
	static const char *const	subs[] = { "", "/cur", "/new", "/tmp" };
	char				path[64];
	size_t				i;

	for (i = 0; i < nitems(subs); i++) {
		snprintf(path, sizeof(path), ".%s%s", folder, subs[i]);
		ck_assert_int_eq(fchmodat(store_root(st), path, mode, 0), 0);
	}
}

/* Into a folder that others may use, and out of it: files of their own, with the modes that are usual there. */
START_TEST(shared_folder)
{
	struct save_message	m = { .flags = VIEW_SEEN, .date = INT64_MIN };
	ino_t			first = inode(".src/cur", "1.a,S=6:2,FPSab", 0600);
	ino_t			second = inode(".src/cur", "2.a,S=6:2,", 0600);

	set_modes("dst", 02770);
	begin("dst");
	ck_assert_int_eq(save_copy(s, v, 0, NULL), 0);
	ck_assert_int_eq(save_move(s, v, 1, NULL), 0);
	commit();
	look("dst", 2);
	ck_assert_uint_ne(inode(".dst/cur", files[0], 0660), first);
	ck_assert_uint_ne(inode(".dst/cur", files[1], 0660), second);
	ck_assert_uint_eq(entries(".src/cur"), 1);
	/* both are shared */
	set_modes("src", 02770);
	begin("dst");
	ck_assert_int_eq(save_copy(s, v, 0, NULL), 0);
	commit();
	look("dst", 1);
	ck_assert_uint_eq(inode(".dst/cur", files[0], 0600), first);
	/* back; and only with some of its flags */
	set_modes("dst", 0700);
	begin("dst");
	ck_assert_int_eq(save_move(s, v, 0, &m), 0);
	commit();
	look("dst", 1);
	ck_assert_ptr_nonnull(strstr(files[0], ":2,S"));
	ck_assert_uint_ne(inode(".dst/cur", files[0], 0600), first);
	ck_assert_uint_eq(entries(".src/cur"), 0);
}
END_TEST

START_TEST(moves_across)
{
	char		 other[] = "/dev/shm/posthouse-save.XXXXXX";
	char		 location[64];
	struct stat	 a, b;
	struct store	*there;
	struct view	*w;
	int		 fd;

	if (stat("/dev/shm", &a) == -1 || stat(top, &b) == -1 ||
	    a.st_dev == b.st_dev || mkdtemp(other) == NULL)
		return;
	snprintf(location, sizeof(location), "maildir:%s/M", other);
	ck_assert_int_eq(store_open(&there, location, true, &why), 0);
	fd = openat(store_root(there), "cur/1.a,S=6:2,F",
	    O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(fdio_write(fd, "hello\n", 6), 0);
	fdio_close(&fd);
	ck_assert_int_eq(view_open(&w, there, "", false, &why), 0);
	begin("dst");
	ck_assert_int_eq(save_copy(s, w, 0, NULL), 0);
	ck_assert_int_eq(save_move(s, w, 0, NULL), 0);
	commit();
	ck_assert_int_eq(faccessat(store_root(there), "cur/1.a,S=6:2,F", F_OK,
	    0), -1);
	look("dst", 2);
	holds(".dst/cur", files[0], STR("hello\n"));
	holds(".dst/cur", files[1], STR("hello\n"));
	view_close(&w);
	store_close(&there);
	ck_assert_int_eq(store_remove_tree(AT_FDCWD, other), 0);
}
END_TEST

static void
move_both(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	if (save_begin(&s, st, "dst", &why) == -1 ||
	    save_move(s, v, 0, NULL) == -1 || save_move(s, v, 1, NULL) == -1 ||
	    save_commit(&s, &validity, uids) == -1)
		_exit(1);
	_exit(0);
}

/* Killed at the n-th beginning or end of a system call. False: it has come to its end before. */
static bool
killed_at(int n)
{
	pid_t	pid;
	int	status;

	if ((pid = fork()) == 0)
		move_both();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	for (; n > 0 && WIFSTOPPED(status); n--) {
		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	}
	if (!WIFSTOPPED(status)) {
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		return false;
	}
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return true;
}

static void
empty(const char *folder)
{
	struct view	*w;
	const char	*name;
	size_t		 i;
	int		 where;

	ck_assert_int_eq(view_open(&w, st, folder, false, &why), 0);
	for (i = 0; i < view_count(w); i++) {
		ck_assert_int_eq(view_file(w, i, false, &where, &name), 0);
		ck_assert_int_eq(unlinkat(where, name, 0), 0);
	}
	view_close(&w);
}

/* What was left has to be in order; both messages are where they were, then. How many had stayed? */
static unsigned
look_and_begin_anew(void)
{
	unsigned	there = entries(".src/cur");

	ck_assert_uint_eq(entries(".dst/cur"), 2 - there);
	ck_assert_uint_eq(entries(".dst/tmp"), 0);
	empty("src");
	empty("dst");
	ck_assert_uint_eq(entries(".src/cur") + entries(".dst/cur"), 0);
	put_file(".src/cur/1.a,S=6:2,FPSab", "hello\n");
	put_file(".src/cur/2.a,S=6:2,", "hallo\n");
	open_src();
	ck_assert_uint_eq(view_count(v), 2);
	return there;
}

/*
 * At every seventh call; where the first one goes it is looked at more closely, until both go. clean: what the one before has left is
 * removed, or how many calls there are is another number each time. Was one of the two there alone?
 */
static bool
killed_everywhere(bool clean)
{
	bool		more = true, alone = false, close = false;
	unsigned	there;
	int		n, step = 7;

	for (n = 1; more; n += step) {
		more = killed_at(n);
		/* the lock that it may have held is waited for otherwise */
		unlinkat(store_root(st), ".dst/dovecot-keywords.lock", 0);
		if (clean)
			unlinkat(store_root(st), ".dst/dovecot-uidlist.lock",
			    0);
		there = look_and_begin_anew();
		ck_assert(more || there == 0);
		alone |= there == 1;
		if (step == 1 && there == 0)
			step = 7;
		else if (!close && there < 2) {
			close = true;
			step = 1;
			n = n > 36 ? n - 36 : 0;
		}
	}
	return alone;
}

/* Whenever it is killed each message is in one of the two, whole, and whoever comes next can use both. */
START_TEST(killed_while_moving)
{
	if (getenv("CK_FORK") != NULL)	/* valgrind */
		return;
	(void)killed_everywhere(false);
	/* a busy machine may make the calls another number, so that the place is missed */
	ck_assert(killed_everywhere(true) || killed_everywhere(true) ||
	    killed_everywhere(true));
}
END_TEST

START_TEST(quota_is_told)
{
	struct buf	b;

	put_file("maildirsize", "1000S\n");
	begin("dst");
	add(STR("xy\r\n"), 9, &plain);
	ck_assert_int_eq(save_copy(s, v, 0, NULL), 0);
	ck_assert_int_eq(save_move(s, v, 1, NULL), 0);
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
	tcase_add_test(t, folder_has_gone);
	tcase_add_test(t, folder_is_no_more);
	tcase_add_test(t, copies);
	tcase_add_test(t, copies_to_itself);
	tcase_add_test(t, finds_again);
	tcase_add_test(t, moves);
	tcase_add_test(t, shared_folder);
	tcase_add_test(t, moves_across);
	tcase_add_test(t, killed_while_moving);
	tcase_add_test(t, cache_goes_along);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, quota_is_told);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
