/* tests/unit/test_cache.c - what was parsed, kept. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/cache_impl.h"

#define VALIDITY	77u

static char	dir_name[64];
static int	dir;

static void
setup(void)
{
	snprintf(dir_name, sizeof(dir_name), "/tmp/test_cache.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir_name));
	ck_assert_int_ne(dir = fdio_opendir(AT_FDCWD, dir_name), -1);
}

static int
remove_one(void *arg, int fd, const char *name)
{
	(void)arg;
	return unlinkat(fd, name, 0);
}

static void
teardown(void)
{
	ck_assert_int_eq(fdio_each(dir, ".", remove_one, NULL), 0);
	close(dir);
	(void)rmdir(dir_name);
}

static struct cache *
open_cache(bool read_only)
{
	struct cache	*c = cache_open(dir, VALIDITY, read_only);

	ck_assert_ptr_nonnull(c);
	return c;
}

static void
put_head(struct cache *c, uint32_t uid, unsigned which)
{
	char			envelope[64], id[64];
	struct cache_head	h = { .sent = (int64_t)uid * 1000, .zone = -90,
				    .has_date = true };

	snprintf(envelope, sizeof(envelope), "(envelope %u %u)", uid, which);
	snprintf(id, sizeof(id), "<%u@x>", uid);
	h.envelope = str_from(envelope);
	h.references = STR("<a@b>");
	h.message_id = str_from(id);
	ck_assert_int_eq(cache_put_head(c, uid, &h), 0);
}

static void
put_body(struct cache *c, uint32_t uid, unsigned which)
{
	char			structure[64];
	struct part		parts[2] = { { .child = 1, .kind = PART_MULTIPART,
				    .body = 10, .end = 100 }, { .header = 10,
				    .body = 20, .end = 30, .body_lines = 7 } };
	struct cache_body	b = { .wire = 120, .size = 100, .parts = parts,
				    .nparts = 2 };

	snprintf(structure, sizeof(structure), "(structure %u %u)", uid, which);
	b.bodystructure = str_from(structure);
	ck_assert_int_eq(cache_put_body(c, uid, &b), 0);
}

static bool
has_head(struct cache *c, uint32_t uid, unsigned which)
{
	char			want[64];
	struct cache_head	h;

	if (!cache_head(c, uid, &h))
		return false;
	snprintf(want, sizeof(want), "(envelope %u %u)", uid, which);
	ck_assert_msg(str_eq(h.envelope, str_from(want)), "%.*s, not %s",
	    STR_ARG(h.envelope), want);
	ck_assert(str_eq(h.references, STR("<a@b>")));
	snprintf(want, sizeof(want), "<%u@x>", uid);
	ck_assert(str_eq(h.message_id, str_from(want)));
	ck_assert(h.has_date);
	ck_assert_int_eq(h.sent, (int64_t)uid * 1000);
	ck_assert_int_eq(h.zone, -90);
	return true;
}

static bool
has_body(struct cache *c, uint32_t uid, unsigned which)
{
	char			want[64];
	struct cache_body	b;

	if (!cache_body(c, uid, &b))
		return false;
	snprintf(want, sizeof(want), "(structure %u %u)", uid, which);
	ck_assert_msg(str_eq(b.bodystructure, str_from(want)), "%.*s, not %s",
	    STR_ARG(b.bodystructure), want);
	ck_assert_uint_eq(b.nparts, 2);
	ck_assert_uint_eq(b.parts[0].child, 1);
	ck_assert_uint_eq(b.parts[1].body_lines, 7);
	ck_assert_uint_eq(b.wire, 120);
	ck_assert_uint_eq(b.size, 100);
	return true;
}

static void
fill(uint32_t from, uint32_t to)
{
	struct cache	*c = open_cache(false);
	uint32_t	 uid;

	for (uid = from; uid <= to; uid++) {
		put_head(c, uid, 0);
		put_body(c, uid, 0);
	}
	ck_assert_int_eq(cache_flush(c), 0);
	cache_close(&c);
	ck_assert_ptr_null(c);
}

START_TEST(put_and_get)
{
	struct cache	*c = open_cache(false);

	ck_assert(!has_head(c, 1, 0));
	put_head(c, 1, 0);
	ck_assert(has_head(c, 1, 0));		/* though it is not written */
	ck_assert(!has_body(c, 1, 0));
	put_head(c, 3, 0);
	put_body(c, 2, 0);			/* out of order */
	put_body(c, 1, 0);
	ck_assert(has_head(c, 1, 0) && has_body(c, 1, 0));
	ck_assert(has_head(c, 3, 0) && has_body(c, 2, 0));
	ck_assert(!has_body(c, 3, 0) && !has_head(c, 2, 0));
	ck_assert_int_eq(cache_flush(c), 0);
	ck_assert(has_head(c, 1, 0) && has_body(c, 1, 0));
	put_body(c, 3, 0);			/* the head is in the file */
	put_head(c, 1, 1);			/* the last one counts */
	ck_assert(has_head(c, 1, 1) && has_body(c, 1, 0));
	cache_close(&c);
	c = open_cache(true);
	ck_assert(has_head(c, 1, 1) && has_body(c, 1, 0));
	ck_assert(has_head(c, 3, 0) && has_body(c, 3, 0));
	ck_assert(!has_head(c, 2, 0) && has_body(c, 2, 0));
	ck_assert(!has_head(c, 4, 0) && !has_body(c, UINT32_MAX, 0));
	put_head(c, 4, 0);			/* is not kept */
	ck_assert(!has_head(c, 4, 0));
	cache_close(&c);
}
END_TEST

START_TEST(refused)
{
	struct cache		*c = open_cache(false);
	struct cache_head	 h = { .sent = 0 };
	struct cache_body	 b = { .size = 0 };

	ck_assert_int_eq(cache_put_head(c, 0, &h), -1);
	ck_assert_int_eq(cache_put_body(c, 1, &b), -1);
	b.nparts = PARTS_MAX + 1;
	ck_assert_int_eq(cache_put_body(c, 1, &b), -1);
	cache_close(&c);
	cache_close(&c);
	ck_assert_int_eq(faccessat(dir, CACHE_ROWS_NAME, F_OK, 0), -1);
}
END_TEST

/* Many, in and out of order, over several flushes and sessions. */
START_TEST(many)
{
	struct cache	*c;
	uint32_t	 uid, k;
	bool		 again[10008] = { false };

	fill(1000, 8000);
	c = open_cache(false);
	for (k = 0; k < 5000; k++) {
		uid = k * 7919 % 10007 + 1;
		put_head(c, uid, 5);
		again[uid] = true;
	}
	cache_close(&c);
	c = open_cache(false);
	for (uid = 1; uid <= 10007; uid++) {
		ck_assert_int_eq(has_head(c, uid, again[uid] ? 5 : 0),
		    again[uid] || (uid >= 1000 && uid <= 8000));
		ck_assert_int_eq(has_body(c, uid, 0),
		    uid >= 1000 && uid <= 8000);
	}
	cache_close(&c);
}
END_TEST

/* Two that are open at the same time see what the other has put, sooner or later, and lose nothing. */
START_TEST(two)
{
	struct cache	*a = open_cache(false), *b = open_cache(false);
	uint32_t	 uid;
	unsigned	 i;

	for (uid = 1; uid <= 100; uid++) {
		put_head(uid % 2 == 0 ? a : b, uid, 0);
		ck_assert_int_eq(cache_flush(uid % 2 == 0 ? a : b), 0);
	}
	for (i = 0; i < 100 && !has_head(a, 99, 0); i++)
		;
	ck_assert_uint_lt(i, 100);
	for (uid = 1; uid <= 100; uid++)
		ck_assert(has_head(a, uid, 0));
	cache_close(&a);
	cache_close(&b);
}
END_TEST

START_TEST(processes)
{
	struct cache	*c;
	uint32_t	 uid, k;
	int		 status;

	for (k = 0; k < 4; k++)
		if (fork() == 0) {
			c = open_cache(false);
			for (uid = 1; uid <= 200; uid++) {
				put_head(c, uid * 4 + k, 0);
				put_body(c, uid * 4 + k, 0);
				if (uid % 10 == k && cache_flush(c) == -1)
					_exit(1);
			}
			_exit(cache_flush(c) == 0 ? 0 : 1);
		}
	for (k = 0; k < 4; k++) {
		ck_assert_int_ne(wait(&status), -1);
		ck_assert_int_eq(status, 0);
	}
	c = open_cache(true);
	for (uid = 4; uid < 804; uid++)
		ck_assert(has_head(c, uid, 0) && has_body(c, uid, 0));
	cache_close(&c);
}
END_TEST

START_TEST(other_validity)
{
	struct cache	*c, *old;

	fill(1, 10);
	old = open_cache(true);
	ck_assert(has_head(old, 1, 0));
	ck_assert_ptr_nonnull(c = cache_open(dir, VALIDITY + 1, false));
	ck_assert(!has_head(c, 1, 0));
	put_head(c, 1, 3);
	ck_assert_int_eq(cache_flush(c), 0);
	ck_assert(has_head(c, 1, 3) && !has_head(c, 2, 0));
	cache_close(&c);
	/* what the other has mapped is still there; what it writes is of its own folder */
	ck_assert_int_eq(cache_flush(old), 0);
	cache_close(&old);
	c = open_cache(true);
	ck_assert(!has_head(c, 1, 0));
	cache_close(&c);
}
END_TEST

static bool
is_odd(void *arg, uint32_t uid)
{
	++*(size_t *)arg;
	return uid % 2 == 1;
}

static off_t
size_of(const char *name)
{
	struct stat	st;

	ck_assert_int_eq(fstatat(dir, name, &st, 0), 0);
	return st.st_size;
}

START_TEST(tidy)
{
	struct cache	*c, *other;
	uint32_t	 uid;
	size_t		 asked = 0;
	off_t		 before;

	fill(1, 4000);
	before = size_of(CACHE_TEXTS_NAME);
	c = open_cache(false);
	other = open_cache(false);
	ck_assert(has_head(other, 2, 0));
	put_head(c, 5, 9);
	put_head(c, 6, 9);
	ck_assert_int_eq(cache_tidy(c, 3000, is_odd, &asked), 0);
	ck_assert_uint_eq(asked, 0);	/* not worth it */
	ck_assert_int_eq(cache_tidy(c, 1000, is_odd, &asked), 0);
	ck_assert_uint_gt(asked, 0);
	ck_assert_int_lt(size_of(CACHE_TEXTS_NAME), before * 2 / 3);
	for (uid = 1; uid <= 4000; uid++) {
		ck_assert_int_eq(has_head(c, uid, uid == 5 ? 9 : 0),
		    uid % 2 == 1);
		ck_assert_int_eq(has_body(c, uid, 0), uid % 2 == 1);
	}
	/* who had the old ones open comes to the new ones when it writes */
	put_head(other, 4001, 0);
	ck_assert_int_eq(cache_flush(other), 0);
	ck_assert(has_head(other, 4001, 0) && !has_head(other, 2, 0));
	cache_close(&c);
	c = open_cache(true);
	ck_assert(has_head(c, 4001, 0) && has_head(c, 5, 9));
	cache_close(&c);
	cache_close(&other);
}
END_TEST

static void
damage(const char *name, off_t at, char with)
{
	int	fd = openat(dir, name, O_RDWR | O_CLOEXEC);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_pwrite(fd, &with, 1, at), 0);
	close(fd);
}

/* Each byte of a row, and of what it leads to: what it was, or nothing. */
START_TEST(damaged)
{
	const off_t	 header = (off_t)sizeof(struct cache_header);
	struct cache	*c;
	off_t		 at, size;
	const char	*name = _i == 0 ? CACHE_ROWS_NAME : CACHE_TEXTS_NAME;
	char		 was;
	int		 fd;

	fill(1, 3);
	size = size_of(name);
	for (at = 0; at < size; at++) {
		ck_assert_int_ne(fd = openat(dir, name, O_RDONLY | O_CLOEXEC), -1);
		ck_assert_int_eq(fdio_pread(fd, &was, 1, at), 1);
		close(fd);
		damage(name, at, (char)(was ^ 0x41));
		c = open_cache(true);
		if (at < header)
			ck_assert(!has_head(c, 1, 0) && !has_body(c, 3, 0));
		else
			ck_assert_int_ge(has_head(c, 1, 0) + has_head(c, 2, 0) +
			    has_head(c, 3, 0) + has_body(c, 1, 0) +
			    has_body(c, 2, 0) + has_body(c, 3, 0), 4);
		cache_close(&c);
		damage(name, at, was);
	}
	/* unusable ones are replaced */
	damage(name, 3, '!');
	fill(7, 7);
	c = open_cache(true);
	ck_assert(has_head(c, 7, 0) && !has_head(c, 1, 0));
	cache_close(&c);
}
END_TEST

/* Cut at every length, also while it is mapped. */
START_TEST(cut)
{
	struct cache	*c;
	off_t		 at;
	const char	*name = _i == 0 ? CACHE_ROWS_NAME : CACHE_TEXTS_NAME;
	unsigned	 i;

	fill(1, 3);
	for (at = size_of(name); at-- > 0; ) {
		int	fd = openat(dir, name, O_RDWR | O_CLOEXEC);

		c = open_cache(true);
		(void)has_head(c, 1, 0);
		ck_assert_int_eq(ftruncate(fd, at), 0);
		for (i = 0; i < 100; i++)	/* until it looks again */
			(void)has_head(c, 9, 0);
		(void)has_head(c, 1, 0);
		(void)has_body(c, 3, 0);
		cache_close(&c);
		close(fd);
	}
	fill(2, 2);
	c = open_cache(true);
	ck_assert(has_head(c, 2, 0) && has_body(c, 2, 0));
	cache_close(&c);
}
END_TEST

/* Half a row, from somebody who did not come to the end. */
START_TEST(torn)
{
	struct cache	*c;
	int		 fd;

	fill(1, 3);
	ck_assert_int_ne(fd = openat(dir, CACHE_ROWS_NAME, O_WRONLY | O_APPEND |
	    O_CLOEXEC), -1);
	ck_assert_int_eq(fdio_write(fd, "half a row", 10), 0);
	close(fd);
	fill(4, 5);
	c = open_cache(true);
	ck_assert(has_head(c, 1, 0) && has_head(c, 3, 0) && has_body(c, 4, 0) &&
	    has_head(c, 5, 0));
	cache_close(&c);
}
END_TEST

/* A pipe, a link, or a directory of that name is not opened. */
START_TEST(no_files)
{
	struct cache	*c;

	if (_i == 0)
		ck_assert_int_eq(mkfifoat(dir, CACHE_ROWS_NAME, 0600), 0);
	else if (_i == 1)
		ck_assert_int_eq(symlinkat("elsewhere", dir, CACHE_ROWS_NAME), 0);
	else
		ck_assert_int_eq(mkdirat(dir, CACHE_ROWS_NAME, 0700), 0);
	c = open_cache(false);
	ck_assert(!has_head(c, 1, 0));
	put_head(c, 1, 0);
	/* a pipe gives way to a file */
	ck_assert_int_eq(cache_flush(c), _i == 0 ? 0 : -1);
	cache_close(&c);
	ck_assert_int_eq(faccessat(dir, "elsewhere", F_OK, 0), -1);
	if (_i == 2)
		(void)unlinkat(dir, CACHE_ROWS_NAME, AT_REMOVEDIR);
}
END_TEST

/* Somebody who shares the folder writes over the texts, after they were looked at. */
START_TEST(written_over)
{
	const size_t		 head = sizeof(struct cache_header);
	struct cache		*c = open_cache(false);
	struct cache_body	 b;
	struct stat		 st;
	char			*all;
	int			 fd;

	put_body(c, 7, 1);
	ck_assert_int_eq(cache_flush(c), 0);
	ck_assert(cache_body(c, 7, &b));
	ck_assert_uint_eq(b.nparts, 2);
	ck_assert_int_ne(fd = openat(dir, CACHE_TEXTS_NAME, O_RDWR), -1);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_ptr_nonnull(all = malloc((size_t)st.st_size));
	memset(all, 0xff, (size_t)st.st_size);
	ck_assert_int_eq(fdio_pwrite(fd, all, (size_t)st.st_size - head, (off_t)head), 0);
	free(all);
	close(fd);
	ck_assert_uint_eq(b.parts[0].child, 1);
	ck_assert_uint_eq(b.parts[1].body_lines, 7);
	/* and then they are of no use */
	ck_assert(!cache_body(c, 7, &b));
	cache_close(&c);
}
END_TEST

/* Another session that does not let go: nothing is kept, and it does not last for ever. */
START_TEST(locked)
{
	struct cache	*a = open_cache(false), *b = open_cache(false);

	put_head(a, 1, 0);
	ck_assert_int_eq(cache_files_lock(a), 0);
	put_head(b, 2, 0);
	ck_assert_int_eq(cache_flush(b), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(!has_head(b, 2, 0));
	cache_files_unlock(a);
	ck_assert_int_eq(cache_flush(a), 0);
	put_head(b, 2, 0);
	ck_assert_int_eq(cache_flush(b), 0);
	ck_assert(has_head(b, 1, 0) && has_head(b, 2, 0));
	cache_close(&a);
	cache_close(&b);
}
END_TEST

/* ---- from files */

static int
file_of(struct str content)
{
	int	fd = openat(dir, "mail", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, content.p, content.n), 0);
	return fd;
}

static void
check_file(struct str mail, const char *envelope, const char *references,
    const char *id, bool has_date)
{
	struct cache_head	head, whole;
	struct cache_body	body;
	struct arena		a;
	int			fd = file_of(mail);

	arena_init(&a, PARTS_ARENA_MAX);
	ck_assert_int_eq(cache_parse_head(fd, &a, &head), 0);
	ck_assert_int_eq(cache_parse(fd, &a, &whole, &body), 0);
	ck_assert(str_eq(head.envelope, whole.envelope));
	ck_assert(str_eq(head.references, whole.references));
	ck_assert(str_eq(head.message_id, whole.message_id));
	ck_assert_int_eq(head.has_date, whole.has_date);
	ck_assert_int_eq(head.sent, whole.sent);
	ck_assert_int_eq(head.zone, whole.zone);
	if (envelope != NULL)
		ck_assert_msg(str_eq(head.envelope, str_from(envelope)),
		    "%.*s", STR_ARG(head.envelope));
	ck_assert(str_eq(head.references, str_from(references)));
	ck_assert(str_eq(head.message_id, str_from(id)));
	ck_assert_int_eq(head.has_date, has_date);
	ck_assert_uint_eq(body.size, mail.n);
	ck_assert_uint_ge(body.wire, mail.n);
	ck_assert_uint_ge(body.nparts, 1);
	arena_free(&a);
	close(fd);
}

START_TEST(from_file)
{
	check_file(STR(""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)", "", "",
	    false);
	check_file(STR("Date: Tue, 24 Nov 2026 06:55:03 +0100\nSubject: s\n"
	    "Message-Id: x <\"a\"@b> <c@d>\nReferences: <e@f>\n\n"
	    "Message-ID: <no@no>\n"),
	    "(\"Tue, 24 Nov 2026 06:55:03 +0100\" \"s\" NIL NIL NIL NIL NIL NIL "
	    "NIL \"x <\\\"a\\\"@b> <c@d>\")", "<e@f>", "<a@b>", true);
	check_file(STR("Date: yesterday\nSubject: s"), NULL, "", "", false);
}
END_TEST

/* Headers that do not fit into the first piece that is read, and mail that does not into one. */
START_TEST(long_files)
{
	const size_t	lengths[] = { 8100, 8191, 8192, 8193, 65535, 65536,
			    65537, PARTS_HEADER_MAX - 100, 700000 };
	struct buf	b;
	size_t		i, k;

	buf_init(&b, 1u << 24);
	for (i = 0; i < nitems(lengths); i++)
		for (k = 0; k < 3; k++) {
			buf_reset(&b);
			buf_adds(&b, "Message-ID: <a@b>\n");
			while (b.n + 10 < lengths[i])
				buf_adds(&b, "X: 567890\n");
			while (b.n + 2 < lengths[i] + k)
				buf_addc(&b, b.n + 3 == lengths[i] + k ? '\n' : 'x');
			buf_adds(&b, "\nReferences: <no@no>\n");
			if (i % 2 == 0)
				while (b.n < 200000)
					buf_adds(&b, "body\n");
			check_file(buf_view(&b), NULL, "", "<a@b>", false);
		}
	buf_free(&b);
}
END_TEST

START_TEST(unreadable)
{
	struct cache_head	head;
	struct cache_body	body;
	struct arena		a;
	int			fd = file_of(STR("a: b\n\nx\n"));

	arena_init(&a, 2000);
	ck_assert_int_eq(cache_parse(fd, &a, &head, &body), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	close(fd);
	ck_assert_int_eq(cache_parse_head(dir, &a, &head), -1);
	ck_assert_int_eq(cache_parse(dir, &a, &head, &body), -1);
	arena_free(&a);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("cache");
	TCase	*t = tcase_create("cache");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, put_and_get);
	tcase_add_test(t, refused);
	tcase_add_test(t, many);
	tcase_add_test(t, two);
	tcase_add_test(t, processes);
	tcase_add_test(t, other_validity);
	tcase_add_test(t, tidy);
	tcase_add_loop_test(t, damaged, 0, 2);
	tcase_add_loop_test(t, cut, 0, 2);
	tcase_add_test(t, torn);
	tcase_add_loop_test(t, no_files, 0, 3);
	tcase_add_test(t, written_over);
	tcase_add_test(t, locked);
	tcase_add_test(t, from_file);
	tcase_add_test(t, long_files);
	tcase_add_test(t, unreadable);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
