/*
 * tests/unit/test_pop3_front.c - a front's words to a client, against an auth
 * that is played here and answers by the name that it is asked about.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_auth.h"
#include "pop3d/front.h"

static char		dir[] = "/tmp/test_pop3_front.XXXXXX", got[65536];
static pid_t		auth;
static struct listener	listener;

static void
answer_name(struct str name, struct buf *out)
{
	static const char *const kinds[] = {
		AUTH_WRONG, AUTH_DENIED, AUTH_BLOCKED, AUTH_CLEARTEXT
	};
	size_t	i;

	for (i = 0; i < nitems(kinds); i++)
		if (name.n == 0 || str_eq(name, str_from(kinds[i]))) {
			record_puts(out, AUTH_VERB, "fail");
			record_puts(out, AUTH_KIND, kinds[i]);
			return;
		}
	if (str_eq(name, STR("temp"))) {
		record_puts(out, AUTH_VERB, "temp");
		record_puts(out, AUTH_TEXT, "not now");
		return;
	}
	record_puts(out, AUTH_VERB, "ok");
	record_put(out, AUTH_USER, name);
}

/* False: hang up. */
static bool
answer(struct str rec, struct msg_fds *fds, struct buf *out)
{
	struct str	verb, v, pending = STR("");
	char		note[16] = "-";

	if (!record_get(rec, AUTH_VERB, &verb))
		return false;
	if (str_eq(verb, STR("login")) && record_get(rec, AUTH_USER, &v)) {
		if (str_eq(v, STR("drop")))
			return false;
		answer_name(v, out);
	} else if (str_eq(verb, STR("sasl"))) {
		/* the response is the name; without one there is a challenge */
		if (record_get(rec, AUTH_RESPONSE, &v))
			answer_name(v, out);
		else {
			record_puts(out, AUTH_VERB, "more");
			record_puts(out, AUTH_DATA, "who?");
		}
	} else if (str_eq(verb, STR("step")) &&
	    record_get(rec, AUTH_RESPONSE, &v)) {
		answer_name(v, out);
		record_puts(out, AUTH_DATA, "well done");
	} else if (str_eq(verb, STR("take")) && fds->n == 1) {
		(void)record_gets(rec, AUTH_NOTE, note, sizeof(note));
		(void)record_get(rec, AUTH_PENDING, &pending);
		dprintf(fds->fd[0], "session note=%s pending=%zu\r\n", note,
		    pending.n);
		record_puts(out, AUTH_VERB, "ok");
	} else {
		record_puts(out, AUTH_VERB, "fail");
		record_puts(out, AUTH_KIND, AUTH_CANCELLED);
	}
	return true;
}

static _Noreturn void
play(int sock)
{
	struct msg_fds	fds;
	struct buf	in, out;
	int		fd;

	buf_init(&in, MSG_MAX);
	buf_init(&out, MSG_MAX);
	while ((fd = accept(sock, NULL, NULL)) != -1) {
		while (msg_recv(fd, &in, &fds) == 1) {
			buf_reset(&out);
			if (!answer(buf_view(&in), &fds, &out))
				break;
			if (msg_send(fd, &out, NULL) == -1)
				break;
			msg_close_fds(&fds);
		}
		close(fd);
	}
	_exit(0);
}

static void
setup(void)
{
	struct diag	why;
	int		fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), "pop3d");
	ck_assert_msg(settings_parse(STR("hostname mx.test\npop3.errors 3\n"
	    "pop3.cleartext loopback\npop3.listen 127.0.0.1:1\n"), "t",
	    &listener.settings, &why) == 0, "%s", why.text);
	ck_assert_int_ne(fd = msg_listen("auth", 0600, (uid_t)-1, (gid_t)-1),
	    -1);
	ck_assert_int_eq(fdio_nonblock(fd, 0), 0);
	ck_assert_int_ne(auth = fork(), -1);
	if (auth == 0)
		play(fd);
	close(fd);
}

static void
teardown(void)
{
	kill(auth, SIGKILL);
	waitpid(auth, NULL, 0);
	unlink("auth");
	ck_assert_int_eq(rmdir(dir), 0);
	settings_free(&listener.settings);
}

/* All lines at once; what was said is in got. */
static void
session(const char *lines, const char *from)
{
	struct server_session	s = { .service = "pop3" };
	int			pair[2];
	ssize_t			n;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    pair), 0);
	ck_assert_int_eq(addr_parse(str_from(from), &s.peer), 0);
	s.fd = pair[1];
	ck_assert_int_eq(fdio_write(pair[0], lines, strlen(lines)), 0);
	ck_assert_int_eq(shutdown(pair[0], SHUT_WR), 0);
	front_session(&listener, &s);
	ck_assert_int_eq(fdio_nonblock(pair[0], 0), 0);
	ck_assert_int_ge(n = fdio_read(pair[0], got, sizeof(got) - 1), 0);
	got[n] = '\0';
	close(pair[0]);
}

#define HELLO	"+OK mx.test POP3 server ready\r\n"
#define GONE	"session note=- pending=0\r\n"

static const struct { const char *say, *want; } rows[] = {
	{ "USER ann\r\nPASS x\r\n", "+OK send PASS\r\n" GONE },
	{ "UTF8\r\nUSER ann\r\nPASS x\r\nSTAT\r\n", "+OK UTF-8 it is\r\n"
	    "+OK send PASS\r\nsession note=utf8 pending=6\r\n" },
	{ "USER wrong\r\nPASS x\r\nPASS x\r\n", "+OK send PASS\r\n"
	    "-ERR [AUTH] wrong user name or password\r\n"
	    "-ERR send USER first\r\n" },
	{ "USER denied\r\nPASS x\r\n", "+OK send PASS\r\n"
	    "-ERR [AUTH] not for this user, or not from there\r\n" },
	{ "USER blocked\r\nPASS x\r\n", "+OK send PASS\r\n"
	    "-ERR [SYS/TEMP] too many failures, come again later\r\n" },
	{ "USER temp\r\nPASS x\r\nQUIT\r\n", "+OK send PASS\r\n"
	    "-ERR [SYS/TEMP] not now\r\n+OK bye\r\n" },
	{ "USER drop\r\nPASS x\r\nQUIT\r\n", "+OK send PASS\r\n"
	    "-ERR [SYS/TEMP] temporary failure\r\n+OK bye\r\n" },
	{ "AUTH PLAIN YW5u\r\nNOOP\r\n", "session note=- pending=6\r\n" },
	{ "AUTH PLAIN\r\nYW5u\r\n\r\n", "+ d2hvPw==\r\n+ d2VsbCBkb25l\r\n"
	    GONE },
	{ "AUTH PLAIN\r\nYW5u\r\nx\r\nQUIT\r\n", "+ d2hvPw==\r\n"
	    "+ d2VsbCBkb25l\r\n-ERR this is not base64, or too long\r\n"
	    "+OK bye\r\n" },
	{ "AUTH PLAIN\r\nYW5u\r\nYW5u\r\nQUIT\r\n", "+ d2hvPw==\r\n"
	    "+ d2VsbCBkb25l\r\n-ERR an empty answer was expected\r\n"
	    "+OK bye\r\n" },
	{ "AUTH PLAIN\r\n*\r\nQUIT\r\n", "+ d2hvPw==\r\n-ERR cancelled\r\n"
	    "+OK bye\r\n" },
	/* an empty response is one */
	{ "AUTH PLAIN =\r\nQUIT\r\n",
	    "-ERR [AUTH] wrong user name or password\r\n+OK bye\r\n" },
	{ "STLS\r\nQUIT\r\n", "-ERR there is no encryption here\r\n"
	    "+OK bye\r\n" },
	{ "STAT\r\nRETR 1\r\nTOP 1\r\nLAST\r\n", "-ERR log in first\r\n"
	    "-ERR log in first\r\n-ERR wrong arguments\r\n"
	    "-ERR unknown command\r\n-ERR too many errors, closing\r\n" },
	{ "LANG de\r\nLANG *\r\nLANG\r\n", "-ERR there are no texts in this "
	    "language\r\n+OK en texts are in English\r\n"
	    "+OK languages follow\r\nen English\r\ni-default English\r\n"
	    ".\r\n" },
};

START_TEST(says)
{
	session(rows[_i].say, "127.0.0.1");
	ck_assert_int_eq(strncmp(got, HELLO, strlen(HELLO)), 0);
	ck_assert_str_eq(got + strlen(HELLO), rows[_i].want);
}
END_TEST

/* Passwords in the clear only from this host, here. */
START_TEST(from_afar)
{
	session("USER ann\r\nAUTH PLAIN YW5u\r\nCAPA\r\nQUIT\r\n", "192.0.2.1");
	ck_assert_ptr_nonnull(strstr(got, "-ERR no password without an "
	    "encrypted connection\r\n-ERR there is no such mechanism here"
	    "\r\n"));
	ck_assert_ptr_null(strstr(got, "USER\r\nSASL"));
	ck_assert_ptr_null(strstr(got, "PLAIN"));
	ck_assert_ptr_nonnull(strstr(got, "\r\nSASL SCRAM-SHA-1 "));
	session("CAPA\r\n", "127.0.0.1");
	ck_assert_ptr_nonnull(strstr(got, "\r\nUSER\r\nSASL PLAIN "));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("pop3_front");
	TCase	*tc = tcase_create("front");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, says, 0, nitems(rows));
	tcase_add_test(tc, from_afar);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
