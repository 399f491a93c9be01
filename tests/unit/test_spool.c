/* tests/unit/test_spool.c - drafts, moves, rewrites and scans in a real directory. */
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/spool.h"

#define MAIL	"Subject: x\r\n\r\nbody \r\n\r\n"

static char		dir[] = "/tmp/test_spool.XXXXXX";
static int		root;
static struct spool	sp;
static struct spool_in	in;

static void
setup(void)
{
	static const char *const parts[] = { "incoming", "incoming/tmp",
	    "incoming/new", "drop", "drop/tmp", "drop/new", "queue", "status",
	    "tmp", "hold", "corrupt", "state" };
	struct diag	why;
	char		room[20];
	size_t		i;
	int		fd;

	strlcpy(dir, "/tmp/test_spool.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_ne(root = open(dir, O_RDONLY | O_DIRECTORY), -1);
	for (i = 0; i < nitems(parts); i++)
		ck_assert_int_eq(mkdirat(root, parts[i], 0700), 0);
	for (i = 0; i < strlen(ID_ALPHABET); i++) {
		snprintf(room, sizeof(room), "incoming/tmp/%c", ID_ALPHABET[i]);
		ck_assert_int_eq(mkdirat(root, room, 0700), 0);
	}
	ck_assert_msg(spool_open(&sp, root, durable_for(root, false),
	    &why) == 0, "%s", why.text);
	ck_assert_int_ne(fd = fdio_opendir(root, "incoming"), -1);
	ck_assert_int_eq(spool_in_open(&in, fd, durable_for(fd, false)), 0);
	close(fd);
}

/* X/ID */
static const char *
draft_name(const char *id)
{
	static char	name[ID_SIZE + 2];

	snprintf(name, sizeof(name), "%c/%s", id[ID_LEN - 1], id);
	return name;
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
	spool_close(&sp);
	spool_in_close(&in);
	close(root);
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static struct id
make_envelope(struct envelope *env, struct envelope_rcpt *r, size_t n)
{
	struct timespec	ts = now_real();
	struct id	id = id_make(&ts);
	size_t		i;

	memset(env, 0, sizeof(*env));
	memset(r, 0, n * sizeof(*r));
	for (i = 0; i < n; i++) {
		r[i].addr = STR("bob@example.test");
		r[i].state = RCPT_WAITING;
	}
	id_format(id, env->id);
	env->arrival_ms = now_real_ms();
	env->origin = STR("smtp");
	env->sender = STR("alice@example.test");
	env->rcpts = r;
	env->nrcpts = n;
	return id;
}

static struct id
add_message(const char *text, size_t times)
{
	struct envelope_rcpt	r[2];
	struct envelope		env;
	struct draft		d;
	struct id		id = make_envelope(&env, r, 2);

	ck_assert_int_eq(draft_begin(&in, &d, &env), 0);
	while (times-- > 0)
		ck_assert_int_eq(draft_write(&d, text, strlen(text)), 0);
	ck_assert_int_eq(draft_commit(&in, &d), 0);
	ck_assert_int_eq(d.fd, -1);
	return id;
}

static void
load(enum spool_place place, struct id id, struct envelope *env, int *fd)
{
	struct diag	why = { "" };

	ck_assert_int_ne(*fd = spool_file(&sp, place, id, true), -1);
	ck_assert_msg(envelope_load(*fd, env, &why) == 0, "%s", why.text);
	ck_assert_msg(envelope_verify(*fd, env, &why) == 0, "%s", why.text);
}

static int
count(void *arg, const struct id *id, const char *name, int64_t due)
{
	size_t	*n = arg;

	(void)name;
	(void)due;
	n[id == NULL]++;
	return 0;
}

START_TEST(commit_and_load)	/* loop: how many times the text */
{
	static const size_t	times[] = { 0, 1, 100, 20000 };
	struct envelope		env;
	char			got[sizeof(MAIL)];
	struct id		id = add_message(MAIL, times[_i]);
	struct stat		st;
	int			fd;

	load(SPOOL_INCOMING, id, &env, &fd);
	ck_assert_int_eq(env.content_len,
	    (off_t)(times[_i] * (sizeof(MAIL) - 1)));
	ck_assert_uint_eq(env.nrcpts, 2);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0660);
	if (times[_i] > 0) {
		ck_assert_int_eq(fdio_pread(fd, got, sizeof(MAIL) - 1,
		    env.content_at + env.content_len -
		    (off_t)(sizeof(MAIL) - 1)), sizeof(MAIL) - 1);
		ck_assert_mem_eq(got, MAIL, sizeof(MAIL) - 1);
	}
	envelope_free(&env);
	close(fd);
	ck_assert_int_eq(faccessat(in.tmp, draft_name(env.id), F_OK, 0), -1);
}
END_TEST

START_TEST(abort_leaves_nothing)
{
	struct envelope_rcpt	r[1];
	struct envelope		env;
	struct draft		d;
	size_t			n[2] = { 0, 0 };

	make_envelope(&env, r, 1);
	ck_assert_int_eq(draft_begin(&in, &d, &env), 0);
	ck_assert_int_eq(faccessat(in.tmp, draft_name(env.id), F_OK, 0), 0);
	draft_abort(&in, &d);
	draft_abort(&in, &d);
	ck_assert_int_eq(faccessat(in.tmp, draft_name(env.id), F_OK, 0), -1);
	ck_assert_int_eq(spool_scan(&sp, SPOOL_INCOMING, count, n), 0);
	ck_assert_uint_eq(n[0] + n[1], 0);
}
END_TEST

START_TEST(same_id_twice)
{
	struct envelope_rcpt	r[1];
	struct envelope		env;
	struct draft		a, b;

	make_envelope(&env, r, 1);
	ck_assert_int_eq(draft_begin(&in, &a, &env), 0);
	ck_assert_int_eq(draft_begin(&in, &b, &env), -1);
	ck_assert_int_eq(errno, EEXIST);
	draft_abort(&in, &b);
	ck_assert_int_eq(faccessat(in.tmp, draft_name(env.id), F_OK, 0), 0);
	draft_abort(&in, &a);
}
END_TEST

/* A write that fails takes everything back: a limit on the file's size plays the full disk. */
START_TEST(commit_fails)
{
	struct envelope_rcpt	r[1];
	struct envelope		env;
	struct draft		d;
	size_t			n[2] = { 0, 0 };
	int			null;

	make_envelope(&env, r, 1);
	ck_assert_int_eq(draft_begin(&in, &d, &env), 0);
	ck_assert_int_eq(draft_write(&d, MAIL, sizeof(MAIL) - 1), 0);
	ck_assert_int_ne(null = open("/dev/full", O_WRONLY), -1);
	ck_assert_int_ne(dup2(null, d.fd), -1);
	close(null);
	ck_assert_int_eq(draft_commit(&in, &d), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(faccessat(in.tmp, draft_name(env.id), F_OK, 0), -1);
	ck_assert_int_eq(spool_scan(&sp, SPOOL_INCOMING, count, n), 0);
	ck_assert_uint_eq(n[0] + n[1], 0);
}
END_TEST

START_TEST(move_and_remove)
{
	struct id	id = add_message(MAIL, 1);
	size_t		n[2] = { 0, 0 };
	struct buf	b;

	ck_assert_int_eq(spool_move(&sp, id, SPOOL_INCOMING, SPOOL_QUEUE), 0);
	ck_assert_int_eq(spool_scan(&sp, SPOOL_QUEUE, count, n), 0);
	ck_assert_uint_eq(n[0], 1);
	ck_assert_int_eq(spool_status_add(&sp, id, STR("one")), 0);
	ck_assert_int_eq(spool_status_add(&sp, id, STR("two")), 0);
	buf_init(&b, 100);
	ck_assert_int_eq(spool_status_read(&sp, id, &b), 0);
	ck_assert(str_eq(buf_view(&b), STR("one\ntwo\n")));
	buf_free(&b);
	ck_assert_int_eq(spool_remove(&sp, SPOOL_QUEUE, id), 0);
	ck_assert_int_eq(spool_remove(&sp, SPOOL_QUEUE, id), 0);
	ck_assert_int_eq(spool_file(&sp, SPOOL_QUEUE, id, false), -1);
	n[0] = 0;
	ck_assert_int_eq(spool_scan(&sp, SPOOL_QUEUE, count, n), 0);
	ck_assert_uint_eq(n[0] + n[1], 0);
}
END_TEST

static bool
is_in(int place, struct id id)
{
	char	name[ID_SIZE];

	id_format(id, name);
	return faccessat(place, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Linked, flushed, unlinked; what was cut off in between is not there twice. */
START_TEST(strict_move)
{
	struct id	id = add_message(MAIL, 1), other = add_message(MAIL, 1);
	char		name[ID_SIZE], path[ID_SIZE + 16];
	size_t		n[2] = { 0, 0 };

	sp.how = DURABLE_STRICT;
	ck_assert_int_eq(spool_move(&sp, id, SPOOL_INCOMING, SPOOL_QUEUE), 0);
	ck_assert(!is_in(sp.incoming, id));
	ck_assert_int_eq(spool_scan(&sp, SPOOL_QUEUE, count, n), 0);
	ck_assert_uint_eq(n[0], 1);
	ck_assert_int_eq(spool_move(&sp, id, SPOOL_QUEUE, SPOOL_HOLD), 0);
	ck_assert_int_eq(spool_move(&sp, id, SPOOL_QUEUE, SPOOL_HOLD), -1);
	ck_assert_int_eq(errno, ENOENT);
	/* both names: the move is finished, and the file was taken already */
	id_format(id, name);
	ck_assert_int_eq(linkat(sp.hold, name, sp.incoming, name, 0), 0);
	ck_assert_int_eq(spool_move(&sp, id, SPOOL_INCOMING, SPOOL_HOLD), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert(!is_in(sp.incoming, id) && is_in(sp.hold, id));
	/* another file of that name is not touched */
	id_format(other, path);
	ck_assert_int_eq(renameat(sp.incoming, path, sp.incoming, name), 0);
	ck_assert_int_eq(spool_move(&sp, id, SPOOL_INCOMING, SPOOL_HOLD), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert(is_in(sp.incoming, id) && is_in(sp.hold, id));
	/* what cannot be linked is renamed */
	ck_assert_int_eq(unlinkat(sp.incoming, name, 0), 0);
	ck_assert_int_eq(mkdirat(sp.incoming, name, 0700), 0);
	ck_assert_int_eq(spool_move(&sp, id, SPOOL_INCOMING, SPOOL_CORRUPT), 0);
	ck_assert(is_in(sp.corrupt, id));
}
END_TEST

static void
to_tmp(enum spool_place place, struct id id)
{
	char	name[ID_SIZE];

	id_format(id, name);
	ck_assert_int_eq(renameat(place == SPOOL_HOLD ? sp.hold : sp.incoming,
	    name, sp.tmp, name), 0);
}

/* What a power cut on btrfs can leave of a message that was being rewritten. */
START_TEST(lost_names)
{
	struct id	lost = add_message(MAIL, 3), known = add_message(MAIL, 1);
	struct id	torn = add_message(MAIL, 9);
	struct envelope	env;
	char		name[ID_SIZE];
	int		fd;

	to_tmp(SPOOL_INCOMING, lost);
	to_tmp(SPOOL_INCOMING, torn);
	id_format(torn, name);
	ck_assert_int_ne(fd = openat(sp.tmp, name, O_RDWR), -1);
	ck_assert_int_eq(fdio_pwrite(fd, "X", 1, 250), 0);
	close(fd);
	ck_assert_int_eq(spool_move(&sp, known, SPOOL_INCOMING, SPOOL_HOLD), 0);
	id_format(known, name);
	ck_assert_int_eq(linkat(sp.hold, name, sp.tmp, name, 0), 0);
	sp.how = DURABLE_ORDERED;
	ck_assert_int_eq(spool_recover(&sp), 0);
	ck_assert(is_in(sp.tmp, lost) && is_in(sp.tmp, known));
	sp.how = DURABLE_FILE;
	ck_assert_int_eq(spool_recover(&sp), 1);
	ck_assert(!is_in(sp.tmp, lost) && !is_in(sp.tmp, known) &&
	    is_in(sp.hold, known) && is_in(sp.tmp, torn));
	load(SPOOL_QUEUE, lost, &env, &fd);
	envelope_free(&env);
	close(fd);
}
END_TEST

static int
note_due(void *arg, const struct id *id, const char *name, int64_t due)
{
	(void)id;
	(void)name;
	*(int64_t *)arg = due;
	return 7;
}

START_TEST(due_is_mtime)
{
	struct id	id = add_message(MAIL, 1);
	int64_t		due = 0;
	int		fd = spool_file(&sp, SPOOL_INCOMING, id, true);

	ck_assert_int_eq(spool_set_due(fd, INT64_C(1900000000123)), 0);
	close(fd);
	ck_assert_int_eq(spool_scan(&sp, SPOOL_INCOMING, note_due, &due), 7);
	ck_assert_int_eq(due, INT64_C(1900000000123));
}
END_TEST

START_TEST(rewrite_puts_in_front)
{
	struct envelope_rcpt	r[1];
	struct envelope		env, back, out;
	struct id		id = add_message(MAIL, 50);
	char			text[64];
	int			fd, fd2;

	load(SPOOL_INCOMING, id, &env, &fd);
	make_envelope(&out, r, 1);
	memcpy(out.id, env.id, sizeof(out.id));
	memcpy(out.simple, env.simple, sizeof(out.simple));
	memcpy(out.relaxed, env.relaxed, sizeof(out.relaxed));
	ck_assert_int_eq(spool_rewrite(&sp, &out, STR("X: y\r\n"), fd,
	    env.content_at, env.content_len), 0);
	load(SPOOL_QUEUE, id, &back, &fd2);
	ck_assert_uint_eq(back.nrcpts, 1);
	ck_assert_int_eq(back.content_len, env.content_len + 6);
	ck_assert_int_eq(fdio_pread(fd2, text, 18, back.content_at), 18);
	ck_assert_mem_eq(text, "X: y\r\nSubject: x\r\n", 18);
	envelope_free(&env);
	envelope_free(&back);
	close(fd);
	close(fd2);
}
END_TEST

START_TEST(looks_leave_no_trace)
{
	struct envelope	env;
	struct diag	why;
	struct stat	st;
	struct id	id = add_message(MAIL, 1);
	struct timespec	ts[2] = { { 1, 0 }, { 1900000000, 5000000 } };
	int		fd;

	ck_assert_int_eq(spool_move(&sp, id, SPOOL_INCOMING, SPOOL_QUEUE), 0);
	fd = spool_file(&sp, SPOOL_QUEUE, id, true);
	ck_assert_int_eq(futimens(fd, ts), 0);
	ck_assert_int_eq(spool_envelope(&sp, SPOOL_QUEUE, id, &env, &why), 0);
	ck_assert_int_eq(env.due_ms, INT64_C(1900000000005));
	ck_assert_uint_eq(env.nrcpts, 2);
	envelope_free(&env);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_atim.tv_sec, 1);
	close(fd);
}
END_TEST

START_TEST(strange_names)
{
	struct envelope	env;
	struct diag	why;
	struct id	id = add_message(MAIL, 1);
	char		name[ID_SIZE];
	size_t		n[2] = { 0, 0 };

	ck_assert_int_eq(mkdirat(sp.incoming, "a-directory", 0700), 0);
	close(openat(sp.incoming, "README", O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(spool_move(&sp, id, SPOOL_INCOMING, SPOOL_HOLD), 0);
	id_format(id, name);
	/* a link is not followed, and a FIFO does not hold us up */
	ck_assert_int_eq(symlinkat("/etc/passwd", sp.incoming, name), 0);
	ck_assert_int_eq(spool_file(&sp, SPOOL_INCOMING, id, false), -1);
	ck_assert_int_eq(unlinkat(sp.incoming, name, 0), 0);
	ck_assert_int_eq(mkfifoat(sp.incoming, name, 0600), 0);
	ck_assert_int_eq(spool_file(&sp, SPOOL_INCOMING, id, false), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(spool_envelope(&sp, SPOOL_INCOMING, id, &env, &why),
	    -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(spool_scan(&sp, SPOOL_INCOMING, count, n), 0);
	ck_assert_uint_eq(n[0], 0);
	ck_assert_uint_eq(n[1], 3);
	/* by their names, the FIFO is one */
	n[0] = n[1] = 0;
	ck_assert_int_eq(spool_names(&sp, SPOOL_INCOMING, count, n), 0);
	ck_assert_uint_eq(n[0], 1);
	ck_assert_uint_eq(n[1], 0);
}
END_TEST

START_TEST(old_tmp_goes)
{
	struct timespec	old[2] = { { 1000, 0 }, { 1000, 0 } };

	close(openat(sp.tmp, "old", O_CREAT | O_WRONLY, 0600));
	close(openat(sp.tmp, "new", O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(utimensat(sp.tmp, "old", old, 0), 0);
	ck_assert_int_eq(mkdirat(sp.tmp, "x", 0700), 0);
	close(openat(sp.tmp, "x/old", O_CREAT | O_WRONLY, 0600));
	close(openat(sp.tmp, "x/new", O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(utimensat(sp.tmp, "x/old", old, 0), 0);
	ck_assert_int_eq(spool_clean_tmp(sp.tmp, now_real_ms(), 3600000), 2);
	ck_assert_int_eq(faccessat(sp.tmp, "x/new", F_OK, 0), 0);
	ck_assert_int_eq(faccessat(sp.tmp, "x/old", F_OK, 0), -1);
	ck_assert_int_eq(faccessat(sp.tmp, "new", F_OK, 0), 0);
	ck_assert_int_eq(faccessat(sp.tmp, "old", F_OK, 0), -1);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("spool");
	TCase	*t = tcase_create("spool");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, commit_and_load, 0, 4);
	tcase_add_test(t, abort_leaves_nothing);
	tcase_add_test(t, same_id_twice);
	tcase_add_test(t, commit_fails);
	tcase_add_test(t, move_and_remove);
	tcase_add_test(t, strict_move);
	tcase_add_test(t, lost_names);
	tcase_add_test(t, due_is_mtime);
	tcase_add_test(t, rewrite_puts_in_front);
	tcase_add_test(t, looks_leave_no_trace);
	tcase_add_test(t, strange_names);
	tcase_add_test(t, old_tmp_goes);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
