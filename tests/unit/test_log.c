/* tests/unit/test_log.c - what comes from outside can neither break a line nor forge a key. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/log.h"

#define IN(s)	{ (s), sizeof(s) - 1 }

static const struct { struct str in; const char *want; } rows[] = {
	{ IN("ann@example.test"), "ann@example.test" },
	{ IN(""), "\"\"" },
	{ IN("a b"), "\"a b\"" },
	{ IN("a=b"), "\"a=b\"" },
	{ IN("a\"b\\c"), "\"a\\\"b\\\\c\"" },
	{ IN("a\r\nfrom=<x>"), "\"a\\x0D\\x0Afrom=<x>\"" },
	{ IN("\0\x1b\x7f"), "\"\\x00\\x1B\\x7F\"" },
	{ IN("\xc3\xa4"), "\"\xc3\xa4\"" },
	{ IN("\xe4"), "\"\\xE4\"" },
	{ IN("\xc3"), "\"\\xC3\"" },
	{ IN("\xc2\x85"), "\"\\xC2\\x85\"" },		/* C1: a line end for some */
	{ IN("\xed\xa0\x80"), "\"\\xED\\xA0\\x80\"" },	/* half a surrogate */
	{ IN("\xf0\x9f\x93\xae"), "\"\\xF0\\x9F\\x93\\xAE\"" },
	{ IN("\xe2\x80\xae" "a"), "\"\\xE2\\x80\\xAEa\"" },	/* from right to left */
	{ IN("\xe2\x80\xa8" "a"), "\"\\xE2\\x80\\xA8a\"" },	/* line separator */
	{ IN("\xe2\x80\x8b"), "\"\\xE2\\x80\\x8B\"" },
	{ IN("\xe2\x81\xa6"), "\"\\xE2\\x81\\xA6\"" },
	{ IN("\xef\xbb\xbf"), "\"\\xEF\\xBB\\xBF\"" },
	{ IN("\xd8\x9c"), "\"\\xD8\\x9C\"" },
	{ IN("\xe2\x80\x93"), "\"\xe2\x80\x93\"" },		/* a dash */
	{ IN("\xe2\x82\xac"), "\"\xe2\x82\xac\"" },
};

START_TEST(safe)
{
	char	dst[LOG_SAFE_MAX];

	ck_assert_ptr_eq(log_safe(dst, sizeof(dst), rows[_i].in), dst);
	ck_assert_str_eq(dst, rows[_i].want);
}
END_TEST

/* Every length of room: ended, in quotes if cut, nothing behind the end. */
START_TEST(safe_is_bounded)
{
	static const char	*const texts[] = { "plain-text-of-some-length",
	    "with blanks in it all", "\"\"\"\"\"\"\"\"\"\"\"\"", "\n\n\n\n\n\n" };
	char			dst[64];
	size_t			room, len;

	for (room = 0; room < 40; room++) {
		memset(dst, '#', sizeof(dst));
		(void)log_safe(dst, room, str_from(texts[_i]));
		ck_assert_int_eq(dst[room], '#');
		if (room == 0)
			continue;
		ck_assert_ptr_nonnull(memchr(dst, '\0', room));
		len = strlen(dst);
		if (room >= 8 && len < strlen(texts[_i])) {
			ck_assert_int_eq(dst[0], '"');
			ck_assert_int_eq(dst[len - 1], '"');
			ck_assert_ptr_nonnull(strstr(dst, "..."));
		}
	}
}
END_TEST

START_TEST(format)
{
	char	dst[256];
	size_t	n = log_format(dst, sizeof(dst), "smtpd", 42, LOG_LEVEL_WARN,
	    STR("a\nb\x1b" "c"));

	ck_assert_uint_gt(n, 24);
	dst[n] = '\0';
	/* 2026-11-24T06:55:03.123Z */
	ck_assert_int_eq(dst[4], '-');
	ck_assert_int_eq(dst[10], 'T');
	ck_assert_int_eq(dst[19], '.');
	ck_assert_int_eq(dst[23], 'Z');
	ck_assert_str_eq(dst + 24, " smtpd[42] warn: a\\x0Ab\\x1Bc\n");
}
END_TEST

START_TEST(format_is_bounded)
{
	char		dst[4096];
	static char	text[3000];
	size_t		room, n;

	memset(text, '\n', sizeof(text));
	for (room = 1; room < 600; room++) {
		memset(dst, '#', sizeof(dst));
		n = log_format(dst, room, "x", 1, LOG_LEVEL_INFO,
		    (struct str){ text, sizeof(text) });
		ck_assert_uint_le(n, room);
		ck_assert_int_eq(dst[room], '#');
		if (n > 0) {
			ck_assert_int_eq(dst[n - 1], '\n');
			ck_assert_ptr_eq(memchr(dst, '\n', n), dst + n - 1);
		}
	}
}
END_TEST

static int	pair[2];

static void
setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	log_open(pair[0], "prog");
}

static void
teardown(void)
{
	close(pair[0]);
	close(pair[1]);
}

static ssize_t
packet(char *dst, size_t size)
{
	ssize_t	n = recv(pair[1], dst, size - 1, MSG_DONTWAIT);

	dst[n < 0 ? 0 : n] = '\0';
	return n;
}

START_TEST(channel)
{
	char	got[4096], want[] = "1prog\0event n=7";

	errno = ENOSPC;
	log_warn("event n=%d", 7);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(packet(got, sizeof(got)), sizeof(want) - 1);
	ck_assert_int_eq(memcmp(got, want, sizeof(want)), 0);
	log_set_level(LOG_LEVEL_INFO);
	log_debug("not wanted");
	ck_assert_int_eq(packet(got, sizeof(got)), -1);
	ck_assert(!log_wants(LOG_LEVEL_DEBUG));
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("wanted");
	ck_assert_int_gt(packet(got, sizeof(got)), 0);
	ck_assert_int_eq(got[0], '3');
}
END_TEST

START_TEST(long_lines)
{
	static char	text[LOG_LINE_MAX * 2];
	char		got[LOG_LINE_MAX + 256];
	ssize_t		n;

	memset(text, 'x', sizeof(text) - 1);
	log_error("%s", text);
	n = packet(got, sizeof(got));
	ck_assert_int_gt(n, LOG_LINE_MAX - 1);
	ck_assert_int_lt(n, LOG_LINE_MAX + 40);
	ck_assert_str_eq(got + n - 3, "...");
}
END_TEST

/* A reader that hangs holds nobody up for long; what was lost is counted. */
START_TEST(full_channel)
{
	char		got[4096];
	unsigned	i, lost = 0;
	unsigned long	counted = 0;

	for (i = 0; i < 100000 && lost == 0; i++)
		if (send(pair[0], "0prog\0fill", 10, MSG_DONTWAIT) == -1)
			lost = 1;
	ck_assert_uint_eq(lost, 1);
	log_error("one");
	log_error("two");
	while (packet(got, sizeof(got)) > 0)
		ck_assert_str_eq(got + 6, "fill");
	log_error("three");
	ck_assert_int_gt(packet(got, sizeof(got)), 0);
	ck_assert_int_eq(sscanf(got + 6, "log-lost lines=%lu", &counted), 1);
	ck_assert_uint_eq(counted, 2);
	ck_assert_int_gt(packet(got, sizeof(got)), 0);
	ck_assert_str_eq(got + 6, "three");
}
END_TEST

START_TEST(shown)
{
	struct buf	out;

	buf_init(&out, 64);
	log_add_shown(&out, STR("a \"b\x1b[\n\xc3\xbc\xc3" "c\xe2\x80\xae"));
	ck_assert(str_eq(buf_view(&out), STR("a \"b?[?\xc3\xbc?c???")));
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("log");
	TCase	*t = tcase_create("log");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, safe, 0, nitems(rows));
	tcase_add_loop_test(t, safe_is_bounded, 0, 4);
	tcase_add_test(t, shown);
	tcase_add_test(t, format);
	tcase_add_test(t, format_is_bounded);
	tcase_add_test(t, channel);
	tcase_add_test(t, long_lines);
	tcase_add_test(t, full_channel);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
