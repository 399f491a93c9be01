/* tests/unit/test_conn.c - buffered I/O with deadlines, over a pair of sockets. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/net/conn.h"
#include "common/proc/sig.h"

static struct conn	c;
static int		peer;

static void
setup(void)
{
	int	fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    fd), 0);
	ck_assert_int_eq(fdio_nonblock(fd[0], 1), 0);
	conn_init(&c, fd[0]);
	peer = fd[1];
}

static void
teardown(void)
{
	conn_close(&c);
	ck_assert_int_eq(c.fd, -1);
	fdio_close(&peer);
}

static void
say(const char *text)
{
	ck_assert_int_eq(fdio_write(peer, text, strlen(text)), 0);
}

static void
line_is(enum line_status status, const char *text)
{
	struct str	line = { "", 0 };

	ck_assert_int_eq(conn_line(&c, 100, 1000, &line), status);
	ck_assert(str_eq(line, str_from(text)));
}

START_TEST(lines)
{
	say("one\r\n\r\ntwo\nthree\r\nfo");
	line_is(LINE_OK, "one");
	ck_assert(conn_has_line(&c));
	line_is(LINE_OK, "");
	line_is(LINE_BARE_LF, "two");
	line_is(LINE_OK, "three");
	ck_assert(!conn_has_line(&c));
	ck_assert(str_eq(conn_pending(&c), STR("fo")));
	say("ur\r\n");
	line_is(LINE_OK, "four");
	conn_idle_trim(&c);
	ck_assert_ptr_null(c.in);
	say("five\r\nsix");
	line_is(LINE_OK, "five");
	shutdown(peer, SHUT_WR);
	line_is(LINE_MORE, "");
	ck_assert_int_eq(errno, 0);
	ck_assert(c.eof);
}
END_TEST

START_TEST(preload)
{
	ck_assert_int_eq(conn_preload(&c, STR("")), 0);
	ck_assert_int_eq(conn_preload(&c, STR("one\r\ntw")), 0);
	say("o\r\n");
	line_is(LINE_OK, "one");
	line_is(LINE_OK, "two");
}
END_TEST

START_TEST(preload_too_much)
{
	char	*much = calloc(1, CONN_IN + 1);

	ck_assert_ptr_nonnull(much);
	ck_assert_int_eq(conn_preload(&c, (struct str){ much, CONN_IN + 1 }),
	    -1);
	ck_assert_int_eq(errno, ENOBUFS);
	ck_assert_int_eq(conn_preload(&c, (struct str){ much, CONN_IN }), 0);
	ck_assert_uint_eq(conn_pending(&c).n, CONN_IN);
	ck_assert_int_eq(conn_fill(&c, 10), -1);
	ck_assert_int_eq(errno, ENOBUFS);
	free(much);
}
END_TEST

START_TEST(wiped)
{
	size_t	at;

	say("PASS secret\r\nNOOP\r\n");
	line_is(LINE_OK, "PASS secret");
	conn_wipe(&c);
	for (at = 0; at < c.in_from; at++)
		ck_assert_int_eq(c.in[at], 0);
	line_is(LINE_OK, "NOOP");
	conn_wipe(&c);
	ck_assert_ptr_null(memmem(c.in, c.in_most, "NOOP", 4));
}
END_TEST

START_TEST(timeout)
{
	struct str	line;
	int64_t		from = now_ms();

	say("abc");
	ck_assert_int_eq(conn_line(&c, 100, 60, &line), LINE_MORE);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_ge(now_ms() - from, 60);
	/* the deadline of the whole counts, too */
	c.deadline = now_ms() + 30;
	ck_assert_int_eq(conn_line(&c, 100, 100000, &line), LINE_MORE);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_lt(now_ms() - from, 50000);
	/* and whoever never pauses has no more time */
	say("def");
	ck_assert_int_eq(conn_fill(&c, 100000), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	c.deadline = -1;
	ck_assert_int_eq(conn_fill(&c, 100000), 1);
}
END_TEST

START_TEST(stopped)
{
	static volatile int	stop = 1;
	struct str		line;

	c.stop = &stop;
	say("still read\r\n");
	line_is(LINE_OK, "still read");
	ck_assert_int_eq(conn_line(&c, 100, 10000, &line), LINE_MORE);
	ck_assert_int_eq(errno, ECANCELED);
}
END_TEST

static void
terminate(int signo)
{
	(void)signo;
	(void)raise(SIGTERM);
}

static long
waits(void)
{
	struct rusage	u;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &u), 0);
	return u.ru_nvcsw;
}

/* Nobody wakes up only to look whether there was a signal; one wakes at once. */
START_TEST(stopped_by_signal)
{
	struct itimerval	soon = { { 0, 0 }, { 0, 200000 } };
	struct str		line;
	int64_t			from;
	long			before;

	ck_assert_int_ne(sig_init(SIG_EV_TERM | SIG_EV_USR1), -1);
	c.stop = sig_stop_flag();
	before = waits();
	ck_assert_int_eq(conn_line(&c, 100, 1600, &line), LINE_MORE);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_le(waits() - before, 2);
	/* one that does not mean the end */
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(conn_line(&c, 100, 50, &line), LINE_MORE);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(sig_take(), SIG_EV_USR1);
	from = now_ms();
	ck_assert_ptr_ne(signal(SIGALRM, terminate), SIG_ERR);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
	ck_assert_int_eq(conn_line(&c, 100, 60000, &line), LINE_MORE);
	ck_assert_int_eq(errno, ECANCELED);
	ck_assert_int_lt(now_ms() - from, 50000);
	/* before the wait */
	ck_assert_int_eq(conn_line(&c, 100, 60000, &line), LINE_MORE);
	ck_assert_int_eq(errno, ECANCELED);
}
END_TEST

/* Whoever it is done for has gone: what is there is read, nothing is waited for. */
START_TEST(master_gone)
{
	struct str	line;
	int		fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    fd), 0);
	c.master = fd[0];
	/* what it says is no end */
	ck_assert_int_eq(send(fd[1], "x", 1, 0), 1);
	ck_assert_int_eq(conn_line(&c, 100, 50, &line), LINE_MORE);
	ck_assert_int_eq(errno, ETIMEDOUT);
	close(fd[1]);
	say("still read\r\n");
	line_is(LINE_OK, "still read");
	ck_assert_int_eq(conn_line(&c, 100, 10000, &line), LINE_MORE);
	ck_assert_int_eq(errno, ECANCELED);
	close(fd[0]);
}
END_TEST

/* Replies go out when there is nothing more to read, all in one. */
START_TEST(pipelined)
{
	char	got[64];

	say("a\r\nb\r\n");
	line_is(LINE_OK, "a");
	ck_assert_int_eq(conn_putf(&c, "+%d\r\n", 1), 0);
	line_is(LINE_OK, "b");
	ck_assert_int_eq(recv(peer, got, sizeof(got), MSG_DONTWAIT), -1);
	ck_assert_int_eq(conn_put(&c, STR("+2\r\n")), 0);
	ck_assert_int_eq(conn_fill(&c, 1), -1);
	ck_assert_int_eq(recv(peer, got, sizeof(got), MSG_DONTWAIT), 8);
	ck_assert_int_eq(memcmp(got, "+1\r\n+2\r\n", 8), 0);
}
END_TEST

/* What cannot be kept goes out at once, behind what is. */
START_TEST(no_room)
{
	static const char	want[] = "+1\r\n+2\r\n+3\r\n+4\r\n";
	char			got[32];

	ck_assert_int_eq(conn_put(&c, STR("+1\r\n")), 0);
	ck_assert_int_eq(recv(peer, got, sizeof(got), MSG_DONTWAIT), -1);
	c.out.max = c.out.n;
	ck_assert_int_eq(conn_put(&c, STR("+2\r\n")), 0);
	c.out.max = 0;
	ck_assert_int_eq(conn_putf(&c, "+%d\r\n", 3), 0);
	ck_assert_int_eq(conn_putf(&c, "+%d\r\n", 4), 0);
	ck_assert(buf_ok(&c.out));
	ck_assert_uint_eq(c.out.n, 0);
	ck_assert_int_eq(recv(peer, got, sizeof(got), MSG_DONTWAIT),
	    sizeof(want) - 1);
	ck_assert_mem_eq(got, want, sizeof(want) - 1);
}
END_TEST

START_TEST(slow_reader)
{
	char		*much = calloc(1, 1000000);
	struct str	 s = { much, 30000 };
	int64_t		 from = now_ms();
	int		 i, r = 0;

	ck_assert_ptr_nonnull(much);
	for (i = 0; i < 30 && r == 0; i++) {
		ck_assert_int_eq(buf_addstr(&c.out, s), 0);
		r = conn_flush(&c, 50);
	}
	ck_assert_int_eq(r, -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_lt(now_ms() - from, 20000);
	fdio_close(&peer);
	ck_assert_int_eq(conn_flush(&c, 50), -1);
	ck_assert_int_eq(errno, EPIPE);
	free(much);
}
END_TEST

/* More at once than is ever buffered. */
START_TEST(long_answer)
{
	static char	text[3000001];
	char		got[65536];
	size_t		i, sum = 0;
	ssize_t		n;
	pid_t		pid;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 23);
	ck_assert((pid = fork()) != -1);
	if (pid == 0) {
		fdio_close(&peer);
		_exit(conn_put(&c, STR("")) == -1 || conn_put(&c,
		    (struct str){ text, sizeof(text) }) == -1 ||
		    conn_flush(&c, 10000) == -1);
	}
	close(c.fd);
	c.fd = -1;
	while ((n = read(peer, got, sizeof(got))) > 0)
		for (i = 0; i < (size_t)n; i++, sum++)
			ck_assert_int_eq(got[i], text[sum]);
	ck_assert_uint_eq(sum, sizeof(text));
}
END_TEST

START_TEST(long_line)
{
	char		text[301];
	struct str	line;

	memset(text, 'x', 300);
	text[300] = '\0';
	say(text);
	say("\r\nnext\r\n");
	ck_assert_int_eq(conn_line(&c, 100, 1000, &line), LINE_LONG);
	while (c.in[c.in_from - 1] != '\n')
		ck_assert_int_eq(conn_line(&c, 100, 1000, &line), LINE_LONG);
	line_is(LINE_OK, "next");
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("conn");
	TCase	*t = tcase_create("conn");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, lines);
	tcase_add_test(t, preload);
	tcase_add_test(t, preload_too_much);
	tcase_add_test(t, wiped);
	tcase_add_test(t, timeout);
	tcase_add_test(t, stopped);
	tcase_add_test(t, stopped_by_signal);
	tcase_add_test(t, master_gone);
	tcase_add_test(t, pipelined);
	tcase_add_test(t, no_room);
	tcase_add_test(t, slow_reader);
	tcase_add_test(t, long_line);
	tcase_add_test(t, long_answer);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
