/*
 * tests/unit/test_spool_files.c - drafts and files of the spool when things
 * go wrong: flushes and renames that fail, a full disk, torn and forged files.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/proc/priv.h"
#include "common/store/spool.h"

#define MAIL	"Subject: x\r\n\r\nbody \r\n"

/* ---- calls of libc that can be made to fail */

static bool	fsync_fails, rename_fails, chmod_fails;

int
fsync(int fd)
{
	if (fsync_fails) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

int
renameat(int from, const char *old, int to, const char *new)
{
	if (rename_fails) {
		errno = EROFS;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

int
fchmod(int fd, mode_t mode)
{
	if (chmod_fails) {
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_fchmod, fd, mode);
}

/* ---- */

static char		dir[40];
static struct spool_in	in;
static struct envelope	env;
static struct envelope_rcpt rcpt;

static void
setup(void)
{
	char		path[64];
	struct timespec	ts = now_real();
	int		fd;

	strlcpy(dir, "/tmp/test_files.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/tmp", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/new", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_ne(fd = fdio_opendir(AT_FDCWD, dir), -1);
	ck_assert_int_eq(spool_in_open(&in, fd, DURABLE_STRICT), 0);
	in.spread = false;
	close(fd);
	rcpt = (struct envelope_rcpt){ .addr = STR("bob@example.test"),
	    .state = RCPT_WAITING };
	env = (struct envelope){ .rcpts = &rcpt, .nrcpts = 1,
	    .sender = STR("ann@example.test"), .arrival_ms = now_real_ms() };
	id_format(id_make(&ts), env.id);
	fsync_fails = rename_fails = chmod_fails = false;
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
	spool_in_close(&in);
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void
check_nothing_left(void)
{
	ck_assert_int_eq(faccessat(in.tmp, env.id, F_OK, 0), -1);
	ck_assert_int_eq(faccessat(in.new, env.id, F_OK, 0), -1);
}

static void
begin_and_write(struct draft *d)
{
	ck_assert_int_eq(draft_begin(&in, d, &env), 0);
	ck_assert_int_eq(draft_write(d, MAIL, strlen(MAIL)), 0);
}

START_TEST(commit_fails)	/* loop: at what */
{
	struct draft	d;

	begin_and_write(&d);
	fsync_fails = _i == 0;
	rename_fails = _i == 1;
	in.how = _i == 2 ? DURABLE_FILE : DURABLE_STRICT;
	fsync_fails |= _i == 2;		/* after the rename */
	ck_assert_int_eq(draft_commit(&in, &d), -1);
	ck_assert_int_eq(errno, _i == 1 ? EROFS : EIO);
	ck_assert_int_eq(d.fd, -1);
	ck_assert_ptr_null(d.sums);
	check_nothing_left();
	draft_abort(&in, &d);		/* nothing to do */
}
END_TEST

START_TEST(begin_fails)
{
	struct draft	d;
	int		fd;

	chmod_fails = true;
	ck_assert_int_eq(draft_begin(&in, &d, &env), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(d.fd, -1);
	check_nothing_left();
	chmod_fails = false;
	rcpt.state = '?';
	ck_assert_int_eq(draft_begin(&in, &d, &env), -1);
	ck_assert_int_eq(errno, EINVAL);
	check_nothing_left();
	rcpt.state = RCPT_WAITING;
	/* somebody else's draft of that name stays his */
	fd = openat(in.tmp, env.id, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ne(fd, -1);
	close(fd);
	ck_assert_int_eq(draft_begin(&in, &d, &env), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(faccessat(in.tmp, env.id, F_OK, 0), 0);
}
END_TEST

START_TEST(open_fails)
{
	struct spool_in	none;
	int		fd = fdio_opendir(AT_FDCWD, dir);

	ck_assert_int_eq(unlinkat(fd, "new", AT_REMOVEDIR), 0);
	ck_assert_int_eq(spool_in_open(&none, fd, DURABLE_STRICT), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(none.tmp, -1);
	ck_assert_int_eq(none.new, -1);
	close(fd);
}
END_TEST

/* What a writer would not be able to read again it must not promise. */
START_TEST(head_too_large)
{
	static char	name[2000];
	size_t		i, n = 16500000 / (sizeof(name) + 20);
	struct envelope_rcpt *r = calloc(n + 200, sizeof(*r));
	struct draft	d;
	struct diag	why = { "" };
	struct envelope	got;
	int		fd;

	ck_assert_ptr_nonnull(r);
	memset(name, 'a', sizeof(name));
	for (i = 0; i < n + 200; i++) {
		r[i].addr = (struct str){ name, sizeof(name) };
		r[i].state = RCPT_WAITING;
	}
	env.rcpts = r;
	env.nrcpts = n;		/* fits */
	ck_assert_int_eq(draft_begin(&in, &d, &env), 0);
	ck_assert_int_eq(draft_write(&d, MAIL, strlen(MAIL)), 0);
	ck_assert_int_eq(draft_commit(&in, &d), 0);
	ck_assert_int_ne(fd = openat(in.new, env.id, O_RDONLY), -1);
	ck_assert_msg(envelope_load(fd, &got, &why) == 0, "%s", why.text);
	ck_assert_uint_eq(got.nrcpts, n);
	envelope_free(&got);
	close(fd);
	ck_assert_int_eq(unlinkat(in.new, env.id, 0), 0);
	for (env.nrcpts = n; env.nrcpts <= n + 200; env.nrcpts++) {
		if (draft_begin(&in, &d, &env) == -1)
			break;
		ck_assert_int_le(d.content_at, ENVELOPE_MAX);
		draft_abort(&in, &d);
	}
	ck_assert_uint_le(env.nrcpts, n + 200);
	ck_assert_int_eq(errno, EMSGSIZE);
	check_nothing_left();
	free(r);
}
END_TEST

START_TEST(disk_full)	/* loop: bytes that the disk takes */
{
	static const rlim_t	rooms[] = { 0, 10, 200, 70000 };
	static char		piece[50000];
	struct rlimit		limit = { rooms[_i], RLIM_INFINITY };
	struct draft		d;
	int			status, i, r = 0;
	pid_t			pid;

	memset(piece, 'x', sizeof(piece));
	if ((pid = fork()) == 0) {
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &limit) == -1)
			_exit(1);
		if (draft_begin(&in, &d, &env) == -1)
			_exit(errno == EFBIG ? 0 : 2);
		for (i = 0; i < 4 && r == 0; i++)
			r = draft_write(&d, piece, sizeof(piece));
		if (r == 0)
			r = draft_commit(&in, &d);
		else
			draft_abort(&in, &d);
		_exit(r == -1 ? 0 : 3);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	check_nothing_left();
}
END_TEST

/* ---- a good file, and what becomes of it */

static int
good_file(off_t *size)
{
	struct draft	d;
	struct stat	st;
	int		fd;

	begin_and_write(&d);
	ck_assert_int_eq(draft_commit(&in, &d), 0);
	ck_assert_int_ne(fd = openat(in.new, env.id, O_RDWR), -1);
	ck_assert_int_eq(fstat(fd, &st), 0);
	*size = st.st_size;
	return fd;
}

START_TEST(torn)	/* at every byte */
{
	struct envelope	got;
	struct diag	why;
	off_t		size, n;
	int		fd = good_file(&size);

	ck_assert_int_eq(envelope_load(fd, &got, &why), 0);
	ck_assert_int_eq(got.content_len, (off_t)strlen(MAIL));
	ck_assert_uint_eq(got.owner, geteuid());
	ck_assert_int_eq(envelope_verify(fd, &got, &why), 0);
	envelope_free(&got);
	envelope_free(&got);
	for (n = size - 1; n >= 0; n--) {
		ck_assert_int_eq(ftruncate(fd, n), 0);
		why.text[0] = '\0';
		ck_assert_int_eq(envelope_load(fd, &got, &why), -1);
		ck_assert_int_eq(errno, EBADMSG);
		ck_assert_str_ne(why.text, "");
		ck_assert_ptr_null(got.rcpts);
		ck_assert_ptr_null(got.mem);
	}
	close(fd);
}
END_TEST

START_TEST(one_byte_more)
{
	struct envelope	got;
	struct diag	why;
	off_t		size;
	int		fd = good_file(&size);

	ck_assert_int_eq(fdio_pwrite(fd, "\n", 1, size), 0);
	ck_assert_int_eq(envelope_load(fd, &got, &why), -1);
	ck_assert_int_eq(errno, EBADMSG);
	close(fd);
}
END_TEST

/* Changes in the trailer, by their distance from the end. */
static const struct { off_t at; const char *text; } forged[] = {
	{ TRAILER_SIZE, "x" },			/* its line end */
	{ TRAILER_SIZE - 1, "M" },		/* tag */
	{ TRAILER_SIZE - 5, "ffffffffffffffff" },
	{ TRAILER_SIZE - 5, "8000000000000000" },
	{ TRAILER_SIZE - 5, "000000000000001G" },
	{ TRAILER_SIZE - 5, "000000000000001F" },	/* one way to write it */
	{ TRAILER_SIZE - 5, "0000000000000000" },
	{ 9 + 67, "x" },			/* in a digest's end */
	{ 9 + 5, "A" },
	{ 8, "Y" },
	{ 1, " " },
};

START_TEST(forged_trailer)
{
	struct envelope	got;
	struct diag	why;
	off_t		size;
	int		fd = good_file(&size);

	ck_assert_int_eq(fdio_pwrite(fd, forged[_i].text,
	    strlen(forged[_i].text), size - forged[_i].at), 0);
	ck_assert_int_eq(envelope_load(fd, &got, &why), -1);
	ck_assert_int_eq(errno, EBADMSG);
	close(fd);
}
END_TEST

START_TEST(changed_body)
{
	struct envelope	got;
	struct diag	why = { "" };
	off_t		size;
	int		fd = good_file(&size);

	ck_assert_int_eq(fdio_pwrite(fd, "c", 1, size - TRAILER_SIZE - 3), 0);
	ck_assert_int_eq(envelope_load(fd, &got, &why), 0);
	ck_assert_int_eq(envelope_verify(fd, &got, &why), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_str_ne(why.text, "");
	/* and cut after it was loaded */
	ck_assert_int_eq(ftruncate(fd, got.content_at + 3), 0);
	ck_assert_int_eq(envelope_verify(fd, &got, &why), -1);
	ck_assert_int_eq(errno, EBADMSG);
	envelope_free(&got);
	close(fd);
}
END_TEST

START_TEST(state_byte)
{
	struct envelope	got;
	struct diag	why;
	off_t		size;
	int		fd = good_file(&size);

	ck_assert_int_eq(envelope_load(fd, &got, &why), 0);
	ck_assert_int_eq(envelope_set_state(fd, &got.rcpts[0],
	    RCPT_DELIVERED), 0);
	envelope_free(&got);
	ck_assert_int_eq(envelope_load(fd, &got, &why), 0);
	ck_assert_int_eq(got.rcpts[0].state, RCPT_DELIVERED);
	ck_assert_int_eq(envelope_verify(fd, &got, &why), 0);
	envelope_free(&got);
	close(fd);
	ck_assert_int_eq(envelope_load(fd, &got, &why), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

START_TEST(layout)
{
	static const struct { const char *path; mode_t mode; } some[] = {
		{ "", 0755 }, { "incoming", 0750 }, { "incoming/new", 02770 },
		{ "drop/tmp", 03770 }, { "drop/tmp/0", 03770 },
		{ "incoming/tmp/z", 02770 }, { "drop/sock", 0710 },
		{ "queue", 0700 }, { "corrupt", 0700 }
	};
	char		path[128];
	struct diag	why = { "" };
	struct stat	st;
	size_t		i;
	int		round;

	snprintf(path, sizeof(path), "%s/none/spool", dir);
	ck_assert_int_eq(spool_layout(path, &why), -1);
	ck_assert_int_eq(errno, ENOENT);
	if (priv_is_root() && system("getent passwd ph-queue >/dev/null") != 0)
		return;			/* its users are not here */
	for (round = 0; round < 2; round++) {
		snprintf(path, sizeof(path), "%s/spool", dir);
		ck_assert_msg(spool_layout(path, &why) == 0, "%s", why.text);
		for (i = 0; i < nitems(some); i++) {
			snprintf(path, sizeof(path), "%s/spool/%s", dir,
			    some[i].path);
			ck_assert_int_eq(stat(path, &st), 0);
			ck_assert_uint_eq(st.st_mode & 07777, some[i].mode);
			/* the second round repairs it */
			ck_assert_int_eq(chmod(path, 0777), 0);
		}
	}
	/* a link in a directory's place is not followed */
	snprintf(path, sizeof(path), "%s/spool/hold", dir);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(symlink("/tmp", path), 0);
	snprintf(path, sizeof(path), "%s/spool", dir);
	ck_assert_int_eq(spool_layout(path, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "hold"));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("spool_files");
	TCase	*tc = tcase_create("spool_files");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, commit_fails, 0, 3);
	tcase_add_test(tc, begin_fails);
	tcase_add_test(tc, open_fails);
	tcase_add_test(tc, head_too_large);
	tcase_add_loop_test(tc, disk_full, 0, 4);
	tcase_add_test(tc, torn);
	tcase_add_test(tc, one_byte_more);
	tcase_add_loop_test(tc, forged_trailer, 0, nitems(forged));
	tcase_add_test(tc, changed_body);
	tcase_add_test(tc, state_byte);
	tcase_add_test(tc, layout);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
