/* tests/unit/test_deliver_command.c - commands that get a message: exit codes, signals, time, environment. */
#include "deliver/command.h"

#include <sys/mman.h>

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

static char	dir[40];

static void
setup(void)
{
	strlcpy(dir, "/tmp/test_command.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
teardown(void)
{
	char	path[64];

	snprintf(path, sizeof(path), "%s/out", dir);
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
run(const char *line, int64_t timeout, struct mail *m)
{
	struct command	c = { .line = str_from(line), .ext = STR("ext"),
			    .id = STR("ID1"), .user = "bob", .home = dir,
			    .timeout = timeout };
	int		fd = memfd_create("m", MFD_CLOEXEC);

	ck_assert_int_eq(fdio_write(fd, "skipA: b\r\n\r\nbody\r\nrest", 22), 0);
	*m = (struct mail){ .sender = STR("s@y.test"),
	    .rcpt = STR("info@x.test"), .addr = STR("bob-ext@x.test"),
	    .content = { .fd = fd, .at = 4, .len = 14 } };
	command_run(&c, m);
	close(fd);
}

static const struct { const char *line, *status, *text; } rows[] = {
	{ "exit 0",	"2.0.0", "given to the command" },
	{ "true",	"2.0.0", "given to the command" },
	{ "echo hi; echo ho", "2.0.0", "given to the command: hi" },
	{ "printf 'a\\tb\\177c'", "2.0.0", "given to the command: a?b?c" },
	{ "exit 1",	"4.3.0", "the command ended with status 1" },
	{ "exit 64",	"5.3.5", "the command ended with status 64" },
	{ "exit 65",	"5.6.0", "the command ended with status 65" },
	{ "exit 67",	"5.1.1", "the command ended with status 67" },
	{ "exit 69",	"5.3.0", "the command ended with status 69" },
	{ "exit 70",	"5.3.0", "the command ended with status 70" },
	{ "exit 71",	"4.3.0", "the command ended with status 71" },
	{ "exit 73",	"5.2.0", "the command ended with status 73" },
	{ "exit 74",	"4.3.0", "the command ended with status 74" },
	{ "exit 75",	"4.3.0", "the command ended with status 75" },
	{ "echo no >&2; exit 77", "5.7.0",
	    "the command ended with status 77: no" },
	{ "exit 99",	"4.3.0", "the command ended with status 99" },
	{ "exit 100",	"4.3.0", "the command ended with status 100" },
	{ "exec /no/such/program 2>/dev/null", "4.3.0",
	    "the command ended with status 127" },
	{ "exec </dev/null; kill -9 $$", "4.3.0",
	    "the command died of signal 9" },
	{ "kill -TERM $$", "4.3.0", "the command died of signal 15" },
	{ "kill -PIPE $$", "4.3.0", "the command died of signal 13" },
	/* its output is read to the end, so that it need not wait */
	{ "yes | head -c 300000; exit 67", "5.1.1",
	    "the command ended with status 67: y" },
	/* it need not read its input */
	{ "exec <&-; exit 0", "2.0.0", "given to the command" },
	/* it may close its output early */
	{ "exec >&- 2>&-; sleep 0.2; exit 65", "5.6.0",
	    "the command ended with status 65" },
	/* what it leaves behind is its own affair */
	{ "sleep 4 & exit 0", "2.0.0", "given to the command" },
	{ "test \"$(id -u)\" = \"$(id -ru)\" || exit 65", "2.0.0",
	    "given to the command" },
};

START_TEST(results)
{
	struct mail	m;

	run(rows[_i].line, 60000, &m);
	ck_assert_str_eq(m.status, rows[_i].status);
	ck_assert_str_eq(m.text, rows[_i].text);
}
END_TEST

/* Through a file in its home, where it runs: what it was given. */
static void
check_output(const char *line, const char *want)
{
	char		command[512], path[64];
	struct mail	m;
	struct buf	b;

	snprintf(command, sizeof(command), "{ %s; } >out", line);
	run(command, 60000, &m);
	ck_assert_str_eq(m.status, "2.0.0");
	snprintf(path, sizeof(path), "%s/out", dir);
	buf_init(&b, 65536);
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, path, &b), 0);
	ck_assert_ptr_nonnull(buf_cstr(&b));
	ck_assert_str_eq(b.p, want);
	buf_free(&b);
}

START_TEST(input)
{
	check_output("cat", "Return-Path: <s@y.test>\nX-Original-To: "
	    "info@x.test\nDelivered-To: bob-ext@x.test\nA: b\n\nbody\n");
}
END_TEST

START_TEST(environment)
{
	char	want[512];

	ck_assert_int_eq(setenv("LD_PRELOAD_X", "evil", 1), 0);
	snprintf(want, sizeof(want), "DOMAIN=x.test\nEXTENSION=ext\nHOME=%s\n"
	    "LOCAL=bob-ext\nLOGNAME=bob\nMESSAGE_ID=ID1\n"
	    "ORIGINAL_RECIPIENT=info@x.test\n"
	    "PATH=/usr/local/bin:/usr/bin:/bin\nRECIPIENT=bob-ext@x.test\n"
	    "SENDER=s@y.test\nSHELL=/bin/sh\nUSER=bob\n", dir);
	check_output("env | grep -Ev '^(PWD|OLDPWD|_|SHLVL)=' | LC_ALL=C sort",
	    want);
}
END_TEST

START_TEST(place)
{
	char	want[128];
	int	fd = open("/dev/null", O_RDONLY);	/* inherited by accident */

	ck_assert_int_ne(fd, -1);
	snprintf(want, sizeof(want), "%s\n0 1 2 \n", dir);
	check_output("pwd; for f in 0 1 2 3 4 5 6 7 8 9 11 12; do "
	    "test -e /proc/$$/fd/$f && printf '%s ' $f; done; echo", want);
	close(fd);
}
END_TEST

START_TEST(signals_are_reset)
{
	sigset_t	some;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	sigemptyset(&some);
	sigaddset(&some, SIGUSR1);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &some, NULL), 0);
	/* of libc's own signals we do not know: the first 31 are asked */
	check_output("printf '%d %d' $((0x$(sed -n 's/^SigIgn:.*\\(........\\)"
	    "$/\\1/p' /proc/self/status) & 0x7fffffff)) $((0x$(sed -n "
	    "'s/^SigBlk:.*\\(........\\)$/\\1/p' /proc/self/status)))", "0 0");
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}
END_TEST

START_TEST(too_slow)	/* loop: it minds TERM, it does not */
{
	static const char *const	lines[] = { "echo started; sleep 100",
		"trap '' TERM; echo started; while :; do sleep 1; done" };
	struct mail	m;
	int64_t		begun, time;

	/* longer where a shell has not even begun after that */
	for (time = 500; ; time *= 4) {
		begun = now_ms();
		run(lines[_i], time, &m);
		ck_assert_str_eq(m.status, "4.4.1");
		ck_assert_int_ge(now_ms() - begun, time);
		ck_assert_int_lt(now_ms() - begun, time + 50000);
		if (time > 10000 ||
		    strcmp(m.text, "the command took too long") != 0)
			break;
	}
	ck_assert_str_eq(m.text, "the command took too long: started");
}
END_TEST

/* A time-out ends what it started as well. */
START_TEST(whole_session)
{
	struct mail	m;
	char		path[64], text[32] = "";
	int64_t		time;
	int		fd, i;

	snprintf(path, sizeof(path), "%s/out", dir);
	/* longer where it has not begun after that */
	for (time = 1000; time < 30000 && text[0] == '\0'; time *= 4) {
		run("sh -c 'echo $$ >out; exec sleep 100'; true", time, &m);
		ck_assert_str_eq(m.status, "4.4.1");
		if ((fd = open(path, O_RDONLY)) != -1) {
			ck_assert_int_ge(fdio_read(fd, text,
			    sizeof(text) - 1), 0);
			close(fd);
		}
	}
	ck_assert_int_gt(strtol(text, NULL, 10), 1);
	for (i = 0; i < 500 && kill((pid_t)strtol(text, NULL, 10), 0) == 0; i++)
		usleep(20000);
	ck_assert_int_lt(i, 500);
}
END_TEST

START_TEST(cannot_start)
{
	struct mail	m;
	struct command	c = { .line = STR("tr\0ue"), .user = "bob",
			    .home = dir, .ext = STR(""), .id = STR(""),
			    .timeout = 60000 };
	int		fd = memfd_create("m", MFD_CLOEXEC);

	ck_assert_int_eq(fdio_write(fd, "a: b\n\n", 6), 0);
	m = (struct mail){ .sender = STR(""), .rcpt = STR("r"),
	    .addr = STR("a"), .content = { .fd = fd, .len = 6 } };
	command_run(&c, &m);		/* a NUL in the line */
	ck_assert_str_eq(m.status, "5.6.0");
	c.line = STR("true");
	m.content.len = 7;		/* shorter than it was said to be */
	command_run(&c, &m);
	ck_assert_str_eq(m.status, "4.3.0");
	c.home = "/no/such/home";	/* then it runs in / */
	c.line = STR("test \"$(pwd)\" = / && exit 67");
	m.content.len = 6;
	command_run(&c, &m);
	ck_assert_str_eq(m.status, "5.1.1");
	close(fd);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("deliver_command");
	TCase	*tc = tcase_create("deliver_command");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 90);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, results, 0, nitems(rows));
	tcase_add_test(tc, input);
	tcase_add_test(tc, environment);
	tcase_add_test(tc, place);
	tcase_add_test(tc, signals_are_reset);
	tcase_add_loop_test(tc, too_slow, 0, 2);
	tcase_add_test(tc, whole_session);
	tcase_add_test(tc, cannot_start);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
