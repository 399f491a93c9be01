/*
 * tests/unit/test_pop3_session.c - what a session says about a real Maildir;
 * messages on their way out, and their unique names.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "pop3d/send.h"
#include "pop3d/transaction.h"
#include "pop3d/uidl.h"

static char		dir[40], where[64], got[65536];
static struct transaction x;
static struct talk	t;

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
put(const char *name, const char *text)
{
	char	path[128];
	int	fd;

	snprintf(path, sizeof(path), "%s/M/%s", dir, name);
	ck_assert_int_ne(fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600),
	    -1);
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	close(fd);
}

static bool
is_there(const char *name)
{
	char	path[128];

	snprintf(path, sizeof(path), "%s/M/%s", dir, name);
	return access(path, F_OK) == 0;
}

static void
setup(void)
{
	struct box	*box;
	struct diag	why;

	strlcpy(dir, "/tmp/test_pop3.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(where, sizeof(where), "maildir:%s/M", dir);
	ck_assert_int_eq(box_attach(&box, where, "", true, &why), 0);
	box_close(&box);
	put("cur/1.a.h:2,", "A: b\n\n.one\ntwo\nthree\n");
	put("new/2.a.h", "C: d\n\nx");
	put("new/3.a.h", "E: f\n");
	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), "pop3d");
}

static void
teardown(void)
{
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Everything at once, then the end; what was said is in got. */
static void
session(const char *lines, const char *gone_meanwhile)
{
	struct box	*box;
	struct diag	why = { "" };
	char		path[128];
	int		pair[2];
	ssize_t		n;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    pair), 0);
	ck_assert_msg(box_open(&box, where, "", &why) == 0, "%s", why.text);
	if (gone_meanwhile != NULL) {
		snprintf(path, sizeof(path), "%s/M/%s", dir, gone_meanwhile);
		ck_assert_int_eq(unlink(path), 0);
	}
	ck_assert_int_eq(fdio_write(pair[0], lines, strlen(lines)), 0);
	ck_assert_int_eq(shutdown(pair[0], SHUT_WR), 0);
	talk_init(&t, pair[1], 10000, 3, NULL);
	ck_assert_int_eq(transaction_run(&x, &t, box), 0);
	talk_close(&t);
	box_close(&box);
	ck_assert_int_eq(fdio_nonblock(pair[0], 0), 0);
	ck_assert_int_ge(n = fdio_read(pair[0], got, sizeof(got) - 1), 0);
	got[n] = '\0';
	close(pair[0]);
}

#define HELLO	"+OK logged in, 3 messages\r\n"

static const struct { const char *say, *want; } rows[] = {
	{ "STAT\r\n", "+OK 3 41\r\n" },
	{ "LIST 1\r\nlist 3\r\n", "+OK 1 26\r\n+OK 3 6\r\n" },
	{ "LIST\r\n", "+OK 3 messages (41 octets)\r\n1 26\r\n2 9\r\n3 6\r\n"
	    ".\r\n" },
	{ "UIDL 2\r\n", "+OK 2 2.a.h\r\n" },
	{ "RETR 1\r\n", "+OK 26 octets\r\nA: b\r\n\r\n..one\r\ntwo\r\n"
	    "three\r\n.\r\n" },
	{ "RETR 2\r\n", "+OK 9 octets\r\nC: d\r\n\r\nx\r\n.\r\n" },
	{ "TOP 1 0\r\n", "+OK top of message follows\r\nA: b\r\n\r\n.\r\n" },
	{ "TOP 1 1\r\n", "+OK top of message follows\r\nA: b\r\n\r\n..one\r\n"
	    ".\r\n" },
	{ "TOP 1 99\r\n", "+OK top of message follows\r\nA: b\r\n\r\n..one\r\n"
	    "two\r\nthree\r\n.\r\n" },
	{ "TOP 3 5\r\n", "+OK top of message follows\r\nE: f\r\n.\r\n" },
	{ "DELE 2\r\nSTAT\r\nLIST\r\nDELE 2\r\nRETR 2\r\nUIDL 2\r\n",
	    "+OK message 2 deleted\r\n+OK 2 32\r\n+OK 2 messages (32 octets)"
	    "\r\n1 26\r\n3 6\r\n.\r\n-ERR message 2 is deleted\r\n"
	    "-ERR message 2 is deleted\r\n-ERR message 2 is deleted\r\n" },
	{ "DELE 1\r\nRSET\r\nLIST 1\r\n", "+OK message 1 deleted\r\n"
	    "+OK 3 41\r\n+OK 1 26\r\n" },
	{ "LIST 0\r\nRETR 4\r\nDELE 18446744073709551615\r\n",
	    "-ERR no such message, there are 3\r\n"
	    "-ERR no such message, there are 3\r\n"
	    "-ERR no such message, there are 3\r\n" },
	{ "NOOP\r\nUSER x\r\n", "+OK nothing done\r\n"
	    "-ERR already logged in\r\n" },
	{ "QUIT\r\nSTAT\r\n", "+OK bye\r\n" },
};

START_TEST(says)
{
	session(rows[_i].say, NULL);
	ck_assert_int_eq(strncmp(got, HELLO, strlen(HELLO)), 0);
	ck_assert_str_eq(got + strlen(HELLO), rows[_i].want);
	/* nothing changes without QUIT, and here nothing was marked with it */
	ck_assert(is_there("cur/1.a.h:2,") && is_there("new/2.a.h") &&
	    is_there("new/3.a.h"));
}
END_TEST

START_TEST(quit)
{
	session("RETR 2\r\nRETR 1\r\nDELE 3\r\nDELE 2\r\nRSET\r\nDELE 3\r\nQUIT\r\n",
	    NULL);
	ck_assert_ptr_nonnull(strstr(got, "+OK bye\r\n"));
	ck_assert_str_eq(t.end, "quit");
	ck_assert_uint_eq(x.deleted, 1);
	ck_assert_uint_eq(x.retrieved, 2);
	/* each once, with the dot that was added */
	ck_assert_uint_eq(x.bytes, 9 + 26 + 1);
	ck_assert(is_there("cur/1.a.h:2,S"));	/* seen */
	ck_assert(is_there("cur/2.a.h:2,S"));
	ck_assert(!is_there("new/3.a.h"));
}
END_TEST

/* Other programs may remove what we have listed. */
START_TEST(gone)
{
	session("STAT\r\nRETR 2\r\nTOP 2 1\r\nLIST 2\r\nDELE 2\r\nQUIT\r\n",
	    "new/2.a.h");
	ck_assert_str_eq(got, HELLO "+OK 2 32\r\n-ERR message 2 has gone\r\n"
	    "-ERR message 2 has gone\r\n-ERR message 2 has gone\r\n"
	    "+OK message 2 deleted\r\n+OK bye\r\n");
}
END_TEST

START_TEST(cut_off)
{
	session("DELE 1\r\nDELE 2\r\n", NULL);
	ck_assert_str_ne(t.end, "quit");
	ck_assert(is_there("cur/1.a.h:2,") && is_there("new/2.a.h"));
}
END_TEST

/* ---- send.c */

static const struct { const char *text; uint64_t lines; size_t want; } tops[] = {
	{ "a\n\nb\nc\n", 0, 3 }, { "a\n\nb\nc\n", 1, 5 },
	{ "a\n\nb\nc\n", 2, 7 }, { "a\n\nb\nc", 2, 6 },
	{ "a\r\n\r\nb\r\nc\r\n", 1, 8 }, { "\nb\n", 0, 1 },
	{ "\r\nb\r\n", 0, 2 }, { "a\n\r\r\nb\n\nc\n", 1, 10 },
	{ "no end", 0, 6 }, { "a\n\nb\n", UINT64_MAX, 5 }, { "", 0, 0 },
};

START_TEST(top_lines)	/* cut anywhere */
{
	const char	*text = tops[_i].text;
	size_t		n = strlen(text), step, at, end;
	struct top	top;

	for (step = 1; step < 5; step++) {
		top_init(&top, tops[_i].lines);
		for (at = 0; at < n && !top.done; at += end)
			end = top_take(&top, (struct str){ text + at,
			    n - at < step ? n - at : step });
		ck_assert_uint_eq(at, tops[_i].want);
	}
}
END_TEST

START_TEST(send_trouble)
{
	struct conn	c;
	uint64_t	bytes = 0;
	int		pair[2], fd = memfd_create("m", 0);
	char		*big = calloc(1, 8u << 20);

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', 8u << 20);
	ck_assert_int_eq(fdio_write(fd, big, 8u << 20), 0);
	free(big);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    pair), 0);
	conn_init(&c, pair[1]);
	/* nobody reads: it ends in time */
	ck_assert_int_eq(send_message(&c, fd, NULL, true, 300, &bytes), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	close(pair[0]);
	ck_assert_int_eq(send_message(&c, fd, NULL, true, 300, &bytes), -1);
	ck_assert_int_eq(send_message(&c, -1, NULL, true, 300, &bytes), -1);
	conn_close(&c);
	close(fd);
}
END_TEST

/* ---- uidl.c */

static const struct { struct str other, name; const char *want; } names[] = {
	{ STR(""), STR("1.a.h"), "1.a.h" },
	{ STR("UID7-1"), STR("1.a.h"), "UID7-1" },
	{ STR("a b"), STR("1.a.h"), "1.a.h" },
	{ STR("a\0b"), STR("1.a.h"), "1.a.h" },
	{ STR(""), STR("a b"), NULL },
	{ STR(""), STR("a\xff"), NULL },
	{ STR(""), STR(""), NULL },
	{ STR(""), STR("1234567890123456789012345678901234567890"
	    "123456789012345678901234567890"), "1234567890123456789012345678901"
	    "234567890123456789012345678901234567890" },
	{ STR(""), STR("1234567890123456789012345678901234567890"
	    "1234567890123456789012345678901"), NULL },
};

START_TEST(unique_names)
{
	char	text[UIDL_MAX + 1], other[UIDL_MAX + 1];

	ck_assert_ptr_eq(uidl_text(names[_i].other, names[_i].name, text),
	    text);
	if (names[_i].want != NULL) {
		ck_assert_str_eq(text, names[_i].want);
		return;
	}
	ck_assert_uint_eq(strlen(text), 32);
	ck_assert_uint_eq(strspn(text, "0123456789abcdef"), 32);
	uidl_text(names[_i].other, STR("another one"), other);
	ck_assert_str_ne(text, other);
	uidl_text(names[_i].other, names[_i].name, other);
	ck_assert_str_eq(text, other);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("pop3_session");
	TCase	*tc = tcase_create("session"), *pure = tcase_create("pure");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, says, 0, nitems(rows));
	tcase_add_test(tc, quit);
	tcase_add_test(tc, gone);
	tcase_add_test(tc, cut_off);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(pure, top_lines, 0, nitems(tops));
	tcase_add_test(pure, send_trouble);
	tcase_add_loop_test(pure, unique_names, 0, nitems(names));
	suite_add_tcase(s, pure);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
