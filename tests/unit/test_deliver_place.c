/* tests/unit/test_deliver_place.c - the bytes of a message on their way into a mailbox, loops, hops, quota. */
#include "common/store/quota.h"
#include "deliver/place.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/proc/priv.h"
#include "deliver/spawn.h"

static char	dir[40];

static void
setup(void)
{
	strlcpy(dir, "/tmp/test_place.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
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
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int
content(struct str s)
{
	int	fd = memfd_create("m", MFD_CLOEXEC);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, s.p, s.n), 0);
	return fd;
}

/* ---- content */

static const struct { struct str in; const char *out; bool cr; size_t lines; } ends[] = {
	{ STR(""),		"",	false, 0 },
	{ STR("a"),		"a",	false, 0 },
	{ STR("a\r\n"),		"a\n",	false, 1 },
	{ STR("a\n"),		"a\n",	false, 1 },
	{ STR("\r\n\r\n"),	"\n\n",	false, 2 },
	{ STR("a\r"),		"a",	true, 0 },
	{ STR("\r"),		"",	true, 0 },
	{ STR("a\r\r\nb"),	"a\r\nb", false, 1 },
	{ STR("a\rb\n\r"),	"a\rb\n", true, 1 },
};

START_TEST(line_ends)
{
	char	mem[32];
	size_t	n, lines;
	bool	cr;

	memcpy(mem, ends[_i].in.p, ends[_i].in.n);
	n = content_to_lf(mem, ends[_i].in.n, &cr, &lines);
	ck_assert(str_eq((struct str){ mem, n }, str_from(ends[_i].out)));
	ck_assert_int_eq(cr, ends[_i].cr);
	ck_assert_uint_eq(lines, ends[_i].lines);
}
END_TEST

static void
check_copy(struct str in, struct str want)
{
	struct buf	b;
	off_t		wire = 0;
	size_t		i, expect = want.n;
	int		fd = content(in), to = content(STR(""));
	struct content	c = { .fd = fd, .len = (off_t)in.n };

	for (i = 0; i < want.n; i++)
		expect += want.p[i] == '\n';
	ck_assert_int_eq(content_copy(&c, STR(""), to, &wire), 0);
	ck_assert_int_eq(wire, (off_t)expect);
	buf_init(&b, 1 << 20);
	ck_assert_int_eq(lseek(to, 0, SEEK_SET), 0);
	ck_assert_int_eq(fdio_slurp(to, &b), 0);
	ck_assert_uint_eq(b.n, want.n);
	ck_assert(str_eq(buf_view(&b), want));
	buf_free(&b);
	close(fd);
	close(to);
}

static const struct { struct str in, out; } copies[] = {
	{ STR(""), STR("") }, { STR("a"), STR("a\n") },
	{ STR("a\r\nb\r\n"), STR("a\nb\n") }, { STR("a\r"), STR("a\r\n") },
	{ STR("\r"), STR("\r\n") }, { STR("a\0\r\n"), STR("a\0\n") },
	{ STR("a\n\r\n"), STR("a\n\n") },
};

START_TEST(copy)
{
	check_copy(copies[_i].in, copies[_i].out);
}
END_TEST

/* CR and LF fall into different pieces. */
START_TEST(copy_cut)
{
	size_t	n = 65530 + (size_t)_i, at;
	char	*in = malloc(n + 70000), *out = malloc(n + 70000);

	ck_assert(in != NULL && out != NULL);
	memset(in, 'x', n);
	memset(out, 'x', n);
	at = n;
	memcpy(in + at, "\r\ny\r", 4);
	memcpy(out + at, "\ny\r\n", 4);
	check_copy((struct str){ in, n + 4 }, (struct str){ out, n + 4 });
	memcpy(in + at, "\r\r\n", 3);
	memcpy(out + at, "\r\n", 2);
	check_copy((struct str){ in, n + 3 }, (struct str){ out, n + 2 });
	free(in);
	free(out);
}
END_TEST

START_TEST(copy_fails)
{
	int		fd = content(STR("abc")), full = open("/dev/full", O_RDWR);
	struct content	c = { .fd = fd, .at = 1, .len = 5 };
	off_t		wire;
	int		to = content(STR(""));

	ck_assert_int_eq(content_copy(&c, STR(""), to, &wire), -1);	/* too short */
	ck_assert_int_eq(errno, EIO);
	c.len = 2;
	ck_assert_int_eq(content_copy(&c, STR(""), full, &wire), -1);
	ck_assert_int_eq(errno, ENOSPC);
	c.fd = -1;
	ck_assert_int_eq(content_copy(&c, STR(""), full, &wire), -1);
	ck_assert_int_eq(errno, EBADF);
	close(fd);
	close(to);
	close(full);
}
END_TEST

static const struct { struct str head; bool loop; size_t hops; } facts[] = {
	{ STR(""), false, 0 },
	{ STR("Received: a\nreceived: b\n c\nX: y\n\nReceived: no\n"), false, 2 },
	{ STR("Delivered-To: a@b\r\n\r\n"), true, 1 },
	{ STR("DELIVERED-TO:A@B \n\n"), true, 1 },
	{ STR("Delivered-To:\r\n a@b\r\n\r\n"), true, 1 },
	{ STR("Delivered-To: xa@b\n\n"), false, 0 },
	{ STR("Delivered-To: a@b.c\n\n"), false, 0 },
	{ STR("X-Delivered-To: a@b\n\n"), false, 0 },
	{ STR("Delivered-To: c@d\nDelivered-To: a@b\n\n"), true, 1 },
	{ STR("Subject: x\n\nDelivered-To: a@b\n"), false, 0 },
	{ STR("Delivered-To: a@b"), true, 1 },
};

START_TEST(header)
{
	struct header_facts	f;
	struct content		c = { .fd = content(facts[_i].head),
				    .len = (off_t)facts[_i].head.n };

	ck_assert_int_eq(content_facts(&c, STR("a@b"), &f), 0);
	ck_assert_int_eq(f.loop, facts[_i].loop);
	ck_assert_uint_eq(f.hops, facts[_i].hops);
	close(c.fd);
}
END_TEST

START_TEST(long_header)	/* larger than the first look */
{
	struct header_facts	f;
	struct content		c;
	struct buf		b;
	int			i;

	buf_init(&b, 1 << 20);
	for (i = 0; i < 2000; i++)
		ck_assert_int_eq(buf_adds(&b, "Received: from a by b\r\n"), 0);
	ck_assert_int_eq(buf_adds(&b, "Delivered-To: a@b\r\n\r\n"), 0);
	c = (struct content){ .fd = content(buf_view(&b)),
	    .len = (off_t)b.n };
	ck_assert_int_eq(content_facts(&c, STR("a@b"), &f), 0);
	ck_assert(f.loop);
	ck_assert_uint_eq(f.hops, 2001);
	close(c.fd);
	c.fd = -1;
	ck_assert_int_eq(content_facts(&c, STR("a@b"), &f), -1);
	buf_free(&b);
}
END_TEST

/* ---- place */

static const struct { const char *where, *folder; bool ok; } places[] = {
	{ "maildir:%s/M", "", true }, { "mbox:%s/m", "", true },
	{ "maildir:%s/M", "Work", true }, { "mbox:%s/m", "Work", false },
	{ "maildir:M", "", false }, { "maildir:", "", false },
	{ "maildir", "", false }, { "%s/M", "", false }, { "", "", false },
	{ "dbox:%s/M", "", false }, { "Xmbox:%s/m", "", false },
	{ "maildir:%s/no/such/M", "", false },
};

START_TEST(locations)
{
	struct place	p = { .quota = 0 };
	struct diag	why = { "" };
	char		where[128];

	/* the format is a row of the table */
	if (strchr(places[_i].where, '%') != NULL)
		snprintf(where, sizeof(where), "%.*s%s%s",
		    (int)strcspn(places[_i].where, "%"), places[_i].where, dir,
		    strchr(places[_i].where, '%') + 2);
	else
		strlcpy(where, places[_i].where, sizeof(where));
	errno = 0;
	ck_assert_int_eq(place_open(&p, where, places[_i].folder, &why) == 0,
	    places[_i].ok);
	if (places[_i].ok)
		place_close(&p);
	else
		ck_assert(why.text[0] != '\0' && errno != 0);
}
END_TEST

static void
open_place(struct place *p, const char *kind)
{
	struct diag	why = { "" };
	char		where[128];

	*p = (struct place){ .lock_timeout = 1000, .host = "h" };
	snprintf(where, sizeof(where), "%s:%s/box", kind, dir);
	ck_assert_msg(place_open(p, where, "", &why) == 0, "%s", why.text);
}

static struct mail
mail(struct str text)
{
	return (struct mail){ .sender = STR("s@y"), .rcpt = STR("r@x"),
	    .addr = STR("a@b"),
	    .content = { .fd = content(text), .len = (off_t)text.n } };
}

/* Entries whose names end so. */
static size_t
count_like(const char *sub, const char *end)
{
	char		path[96];
	struct dirent	*e;
	DIR		*d;
	size_t		n = 0;

	snprintf(path, sizeof(path), "%s/box/%s", dir, sub);
	ck_assert_ptr_nonnull(d = opendir(path));
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.' && strlen(e->d_name) >= strlen(end) &&
		    strcmp(e->d_name + strlen(e->d_name) - strlen(end), end) == 0;
	closedir(d);
	return n;
}

static size_t
count(const char *sub)
{
	return count_like(sub, "");
}

START_TEST(batch)
{
	struct place	p;
	struct mail	m[3], *begun[3];
	size_t		i;

	open_place(&p, "maildir");
	place_end(&p, begun, 0);
	m[0] = mail(STR("A: b\r\n\r\nc\r\n"));
	m[1] = mail(STR("Delivered-To: a@b\r\n\r\nc\r\n"));
	m[2] = mail(STR(""));
	ck_assert(place_begin(&p, &m[0], 1));
	ck_assert(!place_begin(&p, &m[1], 1));
	ck_assert_str_eq(m[1].status, "5.4.6");
	ck_assert(place_begin(&p, &m[2], 1));
	begun[0] = &m[0];
	begun[1] = &m[2];
	ck_assert_uint_eq(count("new"), 0);
	place_end(&p, begun, 2);
	ck_assert_str_eq(m[0].status, "2.0.0");
	ck_assert_str_eq(m[2].status, "2.0.0");
	ck_assert_int_eq(m[0].draft.fd, -1);
	ck_assert_uint_eq(count("new"), 2);
	ck_assert_uint_eq(count("tmp"), 0);
	/* Return-Path <s@y>, X-Original-To and Delivered-To: 56 bytes; and 8 of its own */
	ck_assert_uint_eq(count_like("new", ",S=64,W=70"), 1);
	ck_assert_uint_eq(count_like("new", ",S=56,W=59"), 1);
	ck_assert(place_is_there(&p));
	place_close(&p);
	for (i = 0; i < 3; i++)
		close(m[i].content.fd);
}
END_TEST

START_TEST(too_many_hops)
{
	struct place	p;
	struct mail	m = mail(STR("Received: a\nReceived: b\n\n")), *b = &m;

	open_place(&p, "maildir");
	ck_assert(!place_begin(&p, &m, 1));
	ck_assert_str_eq(m.status, "5.4.6");
	ck_assert_ptr_nonnull(strstr(m.text, "2 hops"));
	ck_assert(place_begin(&p, &m, 2));
	place_end(&p, &b, 1);
	place_close(&p);
	close(m.content.fd);
}
END_TEST

START_TEST(quota)
{
	struct place	p;
	struct mail	m = mail(STR("A: b\r\n\r\n0123456789\r\n")), *b = &m;
	char		path[128];

	open_place(&p, "maildir");
	p.limited = true;
	p.quota = 99;		/* 20 bytes, stored 73 with its head */
	ck_assert(place_begin(&p, &m, 1));
	place_end(&p, &b, 1);
	ck_assert_str_eq(m.status, "2.0.0");
	ck_assert(place_begin(&p, &m, 1));	/* 20 and 20 so far */
	place_end(&p, &b, 1);
	p.counted = 0;				/* counted anew: too much */
	ck_assert(!place_begin(&p, &m, 1));
	ck_assert_str_eq(m.status, "5.2.2");
	ck_assert_ptr_nonnull(strstr(m.text, "of 99 bytes"));
	ck_assert_uint_eq(count("tmp"), 0);
	/* what the user deletes makes room at once */
	snprintf(path, sizeof(path), "find %s/box/new -type f -delete", dir);
	ck_assert_int_eq(system(path), 0);
	ck_assert(place_begin(&p, &m, 1));
	place_end(&p, &b, 1);
	m.content.len = INT64_MAX;
	ck_assert(!place_begin(&p, &m, 1));
	ck_assert_str_eq(m.status, "5.2.2");
	place_close(&p);
	close(m.content.fd);
}
END_TEST

/* What an administrator has set is looked at for each message. */
START_TEST(quota_set_by_imap)
{
	struct place	 p;
	struct mail	 m = mail(STR("A: b\r\n\r\n0123456789\r\n"));
	struct mail	 n = m, *b[] = { &m, &n };
	struct quota	 q = { .bytes_max = QUOTA_NONE, .count_max = 2 };

	open_place(&p, "maildir");
	p.limited = true;
	p.quota = 1;
	ck_assert(!place_begin(&p, &m, 1));
	ck_assert_int_eq(quota_set_write(p.maildir.root, &q), 0);
	ck_assert(place_begin(&p, &m, 1));
	place_end(&p, b, 1);
	ck_assert(place_begin(&p, &m, 1));
	/* one stored, one begun */
	ck_assert(!place_begin(&p, &n, 1));
	ck_assert_str_eq(n.status, "5.2.2");
	ck_assert_ptr_nonnull(strstr(n.text, "2 of 2 messages"));
	q.count_max = 3;
	ck_assert_int_eq(quota_set_write(p.maildir.root, &q), 0);
	ck_assert(place_begin(&p, &n, 1));
	place_end(&p, b, 2);
	ck_assert_str_eq(n.status, "2.0.0");
	ck_assert(!place_begin(&p, &m, 1));
	q = (struct quota){ .bytes_max = 0, .count_max = QUOTA_NONE };
	ck_assert_int_eq(quota_set_write(p.maildir.root, &q), 0);
	ck_assert(!place_begin(&p, &m, 1));
	ck_assert_ptr_nonnull(strstr(m.text, "of 0 bytes"));
	p.limited = false;		/* a Maildir that is nobody's mailbox */
	ck_assert(place_begin(&p, &m, 1));
	place_end(&p, b, 1);
	place_close(&p);
	close(m.content.fd);
}
END_TEST

START_TEST(trouble)
{
	struct place	p;
	struct mail	m = mail(STR("A: b\n\n"));
	char		path[128], other[128];

	open_place(&p, "maildir");
	m.content.len = 100;		/* shorter than it was said to be */
	ck_assert(!place_begin(&p, &m, 1));
	ck_assert_str_eq(m.status, "4.3.0");
	ck_assert_uint_eq(count("tmp"), 0);
	m.content.len = 6;
	snprintf(path, sizeof(path), "%s/box", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	ck_assert_int_eq(rename(path, other), 0);
	ck_assert(!place_is_there(&p));		/* it was replaced */
	place_close(&p);
	close(m.content.fd);
}
END_TEST

/* The folder is deleted between the first byte and the last. */
START_TEST(folder_has_gone)
{
	struct place	p = { .quota = 0 };
	struct mail	m = mail(STR("A: b\n\n")), *b = &m;
	char		location[160], from[160], to[160];
	struct diag	why;

	snprintf(location, sizeof(location), "maildir:%s/box", dir);
	ck_assert_int_eq(place_open(&p, location, "Work", &why), 0);
	ck_assert(place_is_there(&p));
	ck_assert(place_begin(&p, &m, 1));
	snprintf(from, sizeof(from), "%s/box/.Work", dir);
	snprintf(to, sizeof(to), "%s/box/..trash", dir);
	ck_assert_int_eq(rename(from, to), 0);
	ck_assert(!place_is_there(&p));
	place_end(&p, &b, 1);
	ck_assert_int_eq(m.status[0], '4');
	ck_assert_uint_eq(count("..trash/new"), 0);
	ck_assert_uint_eq(count("..trash/tmp"), 0);
	place_close(&p);
	close(m.content.fd);
}
END_TEST

START_TEST(mbox)
{
	struct place	p;
	struct mail	m = mail(STR("A: b\r\n\r\nFrom c\r\n"));
	char		path[64];
	struct buf	b;

	open_place(&p, "mbox");
	ck_assert(place_is_there(&p));
	ck_assert(!place_begin(&p, &m, 1));	/* done already */
	ck_assert_str_eq(m.status, "2.0.0");
	buf_init(&b, 4096);
	snprintf(path, sizeof(path), "%s/box", dir);
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, path, &b), 0);
	ck_assert_ptr_nonnull(buf_cstr(&b));
	ck_assert_int_eq(strncmp(b.p, "From s@y ", 9), 0);
	ck_assert_ptr_nonnull(strstr(b.p, "\nReturn-Path: <s@y>\n"
	    "X-Original-To: r@x\nDelivered-To: a@b\nA: b\n\n>From c\n\n"));
	buf_free(&b);
	place_close(&p);
	close(m.content.fd);
}
END_TEST

START_TEST(head)
{
	struct buf	b;

	buf_init(&b, 4096);
	head_make(&b, STR(""), STR("A@B"), STR("a@b"));
	ck_assert_str_eq(buf_cstr(&b), "Return-Path: <>\nDelivered-To: a@b\n");
	ck_assert_uint_eq(head_lines(&b), 2);
	buf_reset(&b);
	head_make(&b, STR("s@y"), STR(""), STR("a@b"));
	ck_assert_uint_eq(head_lines(&b), 2);
	buf_free(&b);
}
END_TEST

START_TEST(spawn_refuses)	/* before anything is started */
{
	struct settings	*s;
	struct user	u;
	struct diag	why;
	const char	*status;
	char		text[128];
	int		fd = -1;

	ck_assert_int_eq(settings_parse(STR("hostname a.test\n"
	    "local.min-uid 1000\n"), "t", &s, &why), 0);
	memset(&u, 0, sizeof(u));
	u.uid = priv_is_root() ? 0 : getuid() + 1;
	u.gid = 100;
	ck_assert_int_eq(spawn_worker(s, &u, "mailbox", &fd, &status, text,
	    sizeof(text)), -1);
	ck_assert_str_eq(status, "5.7.1");
	if (priv_is_root()) {
		u.uid = 999;
		ck_assert_int_eq(spawn_worker(s, &u, "mailbox", &fd, &status,
		    text, sizeof(text)), -1);
		ck_assert_str_eq(status, "5.7.1");
		u.uid = 1000;
		u.gid = 0;
		ck_assert_int_eq(spawn_worker(s, &u, "mailbox", &fd, &status,
		    text, sizeof(text)), -1);
		ck_assert_str_eq(status, "5.7.1");
	}
	ck_assert_int_eq(fd, -1);
	settings_free(&s);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("deliver_place");
	TCase	*tc = tcase_create("deliver_place");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, line_ends, 0, nitems(ends));
	tcase_add_loop_test(tc, copy, 0, nitems(copies));
	tcase_add_loop_test(tc, copy_cut, 0, 10);
	tcase_add_test(tc, copy_fails);
	tcase_add_loop_test(tc, header, 0, nitems(facts));
	tcase_add_test(tc, long_header);
	tcase_add_loop_test(tc, locations, 0, nitems(places));
	tcase_add_test(tc, batch);
	tcase_add_test(tc, too_many_hops);
	tcase_add_test(tc, quota);
	tcase_add_test(tc, quota_set_by_imap);
	tcase_add_test(tc, trouble);
	tcase_add_test(tc, folder_has_gone);
	tcase_add_test(tc, mbox);
	tcase_add_test(tc, head);
	tcase_add_test(tc, spawn_refuses);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
