/*
 * tests/unit/test_smtpd_session.c - a session over a pair of sockets, with a
 * route of its own and a queue that only listens: what ends in the spool, what
 * the envelope says, limits, and trouble with disk, route and time.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/final.h"
#include "common/fmt/record.h"
#include "common/proc/proto_queue.h"
#include "common/proc/proto_route.h"
#include "smtpd/session.h"

#define TX	"EHLO c.test\r\nMAIL FROM:<s@c.test>\r\nRCPT TO:<alice@x.test>\r\n"
#define TX_OK	"220 250 250 250 "

static char		dir[64];
static struct smtpd	d;
static int		queue;
static pid_t		router;
static volatile int	stop;
static struct server_client client;
static rlim_t		file_max;	/* for the session, 0: none */

static void
put_answer(struct buf *b, unsigned code, const char *status)
{
	buf_reset(b);
	record_putu(b, ROUTE_CODE, code);
	record_puts(b, ROUTE_STATUS, status);
	record_puts(b, ROUTE_TEXT, "said\r\n250 route");	/* must stay one line */
}

/* alice is a user, "list" an alias, "mad" gets nonsense, nobody else is known. */
static void
answer_one(struct str question, struct buf *b)
{
	struct final	alice = { .kind = FINAL_USER, .user = STR("alice"),
			    .ext = STR(""), .addr = STR("alice@x.test"),
			    .arg = STR("") };
	struct buf	final;
	struct str	rcpt = STR("");

	record_get(question, ROUTE_RCPT, &rcpt);
	put_answer(b, 550, "5.1.1");
	if (str_starts_nocase(rcpt, STR("alice"))) {
		put_answer(b, 250, "2.1.5");
		buf_init(&final, 4096);
		final_encode(&final, &alice);
		record_put(b, ROUTE_FINAL, buf_view(&final));
		buf_free(&final);
	} else if (str_starts_nocase(rcpt, STR("list")))
		put_answer(b, 250, "2.1.5");
	else if (str_starts_nocase(rcpt, STR("mad"))) {
		buf_reset(b);
		record_puts(b, ROUTE_TEXT, "no code");
	}
}

/* Serves one client after the other. */
static _Noreturn void
run_router(int sock)
{
	struct buf	q, a;
	int		fd;

	buf_init(&q, MSG_MAX);
	buf_init(&a, MSG_MAX);
	for (;;) {
		poll(&(struct pollfd){ sock, POLLIN, 0 }, 1, -1);
		if ((fd = accept(sock, NULL, NULL)) == -1)
			continue;
		while (msg_recv(fd, &q, NULL) == 1) {
			answer_one(buf_view(&q), &a);
			if (msg_send(fd, &a, NULL) == -1)
				break;
		}
		close(fd);
	}
}

static void
setup(void)
{
	int	sock;

	signal(SIGPIPE, SIG_IGN);
	strlcpy(dir, "/tmp/test_smtpd.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert(mkdir("tmp", 0700) == 0 && mkdir("new", 0700) == 0 &&
	    mkdir("sock", 0700) == 0);
	ck_assert_int_ne(sock = msg_listen("sock/route", 0600, (uid_t)-1,
	    (gid_t)-1), -1);
	ck_assert_int_ne(queue = msg_listen("sock/queue", 0600, (uid_t)-1,
	    (gid_t)-1), -1);
	if ((router = fork()) == 0)
		run_router(sock);
	ck_assert_int_gt(router, 0);
	close(sock);
	memset(&client, 0, sizeof(client));
	stop = 0;
	d = (struct smtpd){ .route = { "sock/route", -1 },
	    .queue = { "sock/queue", -1 } };
	ck_assert_int_eq(spool_in_open(&d.spool, AT_FDCWD,
	    DURABLE_STRICT), 0);
	d.spool.spread = false;
	buf_init(&d.question, MSG_MAX);
	buf_init(&d.answer, MSG_MAX);
	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), "test");
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static void
teardown(void)
{
	kill(router, SIGKILL);
	waitpid(router, NULL, 0);
	ck_assert_int_eq(chdir("/"), 0);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	settings_free(&d.settings);
	spool_in_close(&d.spool);
	buf_free(&d.question);
	buf_free(&d.answer);
	close(queue);
}

static void
configure(const char *text)
{
	struct diag	why;
	struct buf	all;

	settings_free(&d.settings);
	buf_init(&all, 4096);
	buf_addf(&all, "hostname mx.x.test\n%s", text);
	ck_assert_msg(settings_parse(buf_view(&all), "t", &d.settings, &why) ==
	    0, "%s", why.text);
	greeting_make(&d);
	buf_free(&all);
}

static pid_t
start(int fd)
{
	struct server_session	s = { .fd = fd, .client = &client,
				    .stop = &stop };
	pid_t			pid;

	ck_assert_int_eq(addr_parse(STR("192.0.2.7"), &s.peer), 0);
	/* nothing of check in the child: its file of results is one for both */
	if ((pid = fork()) == 0) {
		if (file_max != 0)
			setrlimit(RLIMIT_FSIZE, &(struct rlimit){ file_max,
			    file_max });
		session_run(&d, &s);
		_exit(0);
	}
	ck_assert_int_gt(pid, 0);
	return pid;
}

/* Codes of the replies in text, each with a blank behind it. */
static void
collect(const struct buf *text, char *codes, size_t size)
{
	const char	*p = text->p, *end = text->p + text->n, *lf;
	size_t		 n = 0;

	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		ck_assert_int_ge(lf - p, 4);
		ck_assert_int_eq(lf[-1], '\r');
		if (p[3] == ' ' && n + 5 < size) {
			memcpy(codes + n, p, 4);
			n += 4;
		}
		p = lf + 1;
	}
	ck_assert_ptr_eq(p, end);
	codes[n] = '\0';
}

/* Everything goes in at once, then the end if `half`; returns the codes and, in all, the text. */
static const char *
talk(struct str in, bool half, struct buf *all)
{
	static char	codes[8192];
	char		piece[4096];
	size_t		at = 0;
	ssize_t		n;
	int		fd[2], status;
	pid_t		pid;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, fd), 0);
	pid = start(fd[1]);
	close(fd[1]);
	buf_reset(all);
	for (;;) {
		struct pollfd	p = { fd[0], POLLIN, 0 };

		if (at < in.n)
			p.events |= POLLOUT;
		else if (half)
			shutdown(fd[0], SHUT_WR);
		ck_assert_int_gt(poll(&p, 1, 20000), 0);
		if (p.revents & POLLOUT && at < in.n) {
			n = send(fd[0], in.p + at, in.n - at, MSG_NOSIGNAL);
			if (n > 0)
				at += (size_t)n;
			else if (errno != EAGAIN)
				at = in.n;
		}
		if (!(p.revents & (POLLIN | POLLHUP)))
			continue;
		if ((n = recv(fd[0], piece, sizeof(piece), 0)) > 0)
			buf_add(all, piece, (size_t)n);
		else if (n == 0 || errno != EAGAIN)
			break;
	}
	close(fd[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "session ended with %d", status);
	ck_assert(buf_ok(all));
	collect(all, codes, sizeof(codes));
	return codes;
}

static size_t
count(const char *name, char *one, size_t size)
{
	struct dirent	*e;
	DIR		*dp = opendir(name);
	size_t		 n = 0;

	ck_assert_ptr_nonnull(dp);
	while ((e = readdir(dp)) != NULL)
		if (e->d_name[0] != '.') {
			n++;
			if (one != NULL)
				snprintf(one, size, "%s/%s", name, e->d_name);
		}
	closedir(dp);
	return n;
}

static struct buf
new_buf(void)
{
	struct buf	b;

	buf_init(&b, 1u << 20);
	return b;
}

START_TEST(message)
{
	static const char	content[] =
	    "Subject: x\r\n\r\n.dot\r\nna\0me\r\n";
	struct buf	all = new_buf(), rec = new_buf();
	struct envelope	env;
	struct final	f;
	struct diag	why;
	struct str	id;
	char		path[512], text[2048];
	ssize_t		n;
	int		fd;

	configure("");
	ck_assert_str_eq(talk(STR("EHLO c.test\r\nMAIL FROM:<S@C.test> "
	    "BODY=8BITMIME RET=HDRS ENVID=a+2Bb\r\n"
	    "RCPT TO:<ALICE@X.test> NOTIFY=DELAY ORCPT=rfc822;o\r\n"
	    "DATA\r\nSubject: x\r\n\r\n..dot\r\nna\0me\r\n.\r\nQUIT\r\n"),
	    false, &all), "220 250 250 250 354 250 221 ");
	ck_assert_uint_eq(count("tmp", NULL, 0), 0);
	ck_assert_uint_eq(count("new", path, sizeof(path)), 1);
	ck_assert_int_ne(fd = open(path, O_RDONLY), -1);
	ck_assert_msg(envelope_load(fd, &env, &why) == 0, "%s", why.text);
	ck_assert_msg(envelope_verify(fd, &env, &why) == 0, "%s", why.text);
	ck_assert_str_eq(path + 4, env.id);
	ck_assert(str_eq(env.sender, STR("S@c.test")));
	ck_assert(str_eq(env.envid, STR("a+2Bb")));
	ck_assert(str_eq(env.client, STR("192.0.2.7")));
	ck_assert(str_eq(env.helo, STR("c.test")));
	ck_assert(str_eq(env.proto, STR("ESMTP")));
	ck_assert(str_eq(env.origin, STR("smtp")));
	ck_assert_uint_eq(env.options, ENV_8BITMIME | ENV_RET_HDRS);
	ck_assert_uint_eq(env.nrcpts, 1);
	ck_assert(str_eq(env.rcpts[0].addr, STR("ALICE@x.test")));
	ck_assert(str_eq(env.rcpts[0].orcpt, STR("rfc822;o")));
	ck_assert_uint_eq(env.rcpts[0].notify, NOTIFY_DELAY);
	ck_assert(final_decode(env.rcpts[0].final, &f) &&
	    f.kind == FINAL_USER && str_eq(f.user, STR("alice")));
	n = pread(fd, text, sizeof(text) - 1, env.content_at);
	ck_assert_int_gt(n, env.content_len);
	text[env.content_len] = '\0';
	ck_assert_int_eq(strncmp(text, "Received: from c.test ([192.0.2.7])\r\n"
	    "\tby mx.x.test (Posthouse) with ESMTP id ", 77), 0);
	ck_assert_ptr_nonnull(strstr(text, env.id));
	ck_assert_ptr_nonnull(strstr(text, "\r\n\tfor <ALICE@x.test>;\r\n\t"));
	ck_assert_int_eq(memcmp(text + env.content_len - (sizeof(content) - 1),
	    content, sizeof(content) - 1), 0);
	/* queue was told */
	ck_assert_int_ne(n = accept(queue, NULL, NULL), -1);
	ck_assert_int_eq(msg_recv((int)n, &rec, NULL), 1);
	ck_assert(record_get(buf_view(&rec), QUEUE_ID, &id));
	ck_assert(str_eq(id, str_from(env.id)));
	envelope_free(&env);
	buf_free(&rec);
	buf_free(&all);
}
END_TEST

/* Several recipients: no "for"; an alias has no hint. */
START_TEST(recipients)
{
	struct buf	all = new_buf();
	struct envelope	env;
	struct diag	why;
	char		path[512], text[2048];
	int		fd;

	configure("");
	ck_assert_str_eq(talk(STR("HELO [192.0.2.7]\r\nMAIL FROM:<>\r\n"
	    "RCPT TO:<alice@x.test>\r\nRCPT TO:<list@x.test>\r\n"
	    "RCPT TO:<nobody@x.test>\r\nRCPT TO:<alice@x.test>\r\n"
	    "BDAT 4\r\nS: xBDAT 0 LAST\r\n"), true, &all),
	    "220 250 250 250 250 550 250 250 250 ");
	ck_assert_uint_eq(count("new", path, sizeof(path)), 1);
	ck_assert_int_ne(fd = open(path, O_RDONLY), -1);
	ck_assert_msg(envelope_load(fd, &env, &why) == 0, "%s", why.text);
	ck_assert_uint_eq(env.sender.n, 0);
	ck_assert(str_eq(env.proto, STR("SMTP")));
	ck_assert_uint_eq(env.nrcpts, 2);
	ck_assert_uint_gt(env.rcpts[0].final.n, 0);
	ck_assert_uint_eq(env.rcpts[1].final.n, 0);
	ck_assert_int_gt(pread(fd, text, sizeof(text), env.content_at), 0);
	text[env.content_len] = '\0';
	ck_assert_ptr_null(strstr(text, "\tfor "));
	ck_assert_str_eq(text + env.content_len - 6, "S: x\r\n");
	envelope_free(&env);
	buf_free(&all);
}
END_TEST

START_TEST(route_trouble)
{
	struct buf	all = new_buf();

	configure("");
	ck_assert_str_eq(talk(STR(TX "RCPT TO:<mad@x.test>\r\nNOOP\r\n"
	    "RCPT TO:<alice@x.test>\r\n"), true, &all),
	    TX_OK "451 250 250 ");
	/* what route says stays on its line */
	ck_assert_ptr_nonnull(memmem(all.p, all.n, "said??250 route\r\n", 17));
	kill(router, SIGKILL);
	waitpid(router, NULL, 0);
	ck_assert_str_eq(talk(STR(TX "NOOP\r\nDATA\r\nQUIT\r\n"), true, &all),
	    "220 250 250 451 250 554 221 ");
	buf_free(&all);
}
END_TEST

START_TEST(disk_trouble)
{
	struct buf	all = new_buf();
	char		big[20000];

	configure("");
	/* EFBIG stands in for ENOSPC; the whole message is read */
	signal(SIGXFSZ, SIG_IGN);
	file_max = 4096;
	memset(big, 'x', sizeof(big));
	memcpy(big, TX "DATA\r\n", sizeof(TX "DATA\r\n") - 1);
	memcpy(big + sizeof(big) - 17, "\r\n.\r\nNOOP\r\nQUIT\r\n", 17);
	ck_assert_str_eq(talk((struct str){ big, sizeof(big) }, false, &all),
	    TX_OK "354 452 250 221 ");
	ck_assert_uint_eq(count("tmp", NULL, 0), 0);
	ck_assert_uint_eq(count("new", NULL, 0), 0);
	/* no directory: neither DATA nor BDAT get anywhere */
	ck_assert_int_eq(rmdir("tmp"), 0);
	ck_assert_str_eq(talk(STR(TX "DATA\r\nMAIL FROM:<s@c.test>\r\n"
	    "RCPT TO:<alice@x.test>\r\nBDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\n"
	    "QUIT\r\nNOOP\r\nQUIT\r\n"), false, &all),
	    TX_OK "451 250 250 451 503 250 221 ");
	buf_free(&all);
}
END_TEST

static const struct {
	const char	*conf, *in, *codes, *last;
	bool		 half;
} limits[] = {
	{ "smtp.idle-timeout 1s\n", "EHLO c.test\r\nNOO", "220 250 421 ",
	    "4.4.2", false },
	{ "smtp.session-timeout 1s\n", "EHLO c.test\r\n", "220 250 421 ",
	    "4.4.2", false },
	{ "smtp.data-timeout 1s\n", TX "DATA\r\nhalf", TX_OK "354 421 ",
	    "4.4.2", false },
	{ "smtp.data-timeout 1s\n", TX "BDAT 5\r\nhalf", TX_OK "421 ",
	    "4.4.2", false },
	{ "smtp.errors 2\n", "X\r\nX\r\nX\r\nNOOP\r\n",
	    "220 500 500 500 421 ", "4.7.0", false },
	{ "smtp.commands 10\n", "NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n"
	    "NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n",
	    "220 250 250 250 250 250 250 250 250 250 250 250 421 ", "4.7.0",
	    false },
	{ "smtp.client-message-rate 1\n", TX "RSET\r\nMAIL FROM:<>\r\nQUIT\r\n",
	    TX_OK "250 450 221 ", "2.0.0", false },
	{ "smtp.client-recipient-rate 1\n", TX "RCPT TO:<list@x.test>\r\n"
	    "QUIT\r\n", TX_OK "450 221 ", "2.0.0", false },
	{ "smtp.message-size 64K\n", "EHLO c\r\nMAIL FROM:<> SIZE=65537\r\n"
	    "MAIL FROM:<> SIZE=65536\r\n", "220 250 552 250 ", "2.1.0", true },
	{ "smtp.vrfy no\nsmtp.expn yes\n", "EHLO c\r\nVRFY alice\r\n"
	    "EXPN list\r\nEXPN nobody\r\n", "220 250 252 250 550 ", "5.1.1",
	    true },
	{ "smtp.banner \"no spam\"\n", "", "220 ", "mx.x.test ESMTP no spam",
	    true },
	{ "", "CONNECT x:25 HTTP/1.1\r\nNOOP\r\n", "220 554 ", "5.5.1",
	    false },
	{ "", TX "BDAT x\r\nNOOP\r\n", TX_OK "501 ", "5.5.4", false },
};

START_TEST(limit)
{
	struct buf	all = new_buf();
	const char	*p;

	configure(limits[_i].conf);
	ck_assert_str_eq(talk(str_from(limits[_i].in), limits[_i].half, &all),
	    limits[_i].codes);
	ck_assert_uint_gt(all.n, 2);
	for (p = all.p + all.n - 2; p > all.p && p[-1] != '\n'; p--)
		continue;
	ck_assert_msg(strncmp(p + 4, limits[_i].last,
	    strlen(limits[_i].last)) == 0, "%.*s", (int)all.n, all.p);
	ck_assert_uint_eq(count("tmp", NULL, 0), 0);
	ck_assert_uint_eq(count("new", NULL, 0), 0);
	buf_free(&all);
}
END_TEST

START_TEST(told_to_stop)
{
	struct buf	all = new_buf();

	configure("");
	stop = 1;
	ck_assert_str_eq(talk(STR(""), false, &all), "220 421 ");
	buf_free(&all);
}
END_TEST

/* Each recipient is answered, and is one mistake for all of them. */
START_TEST(lmtp)
{
	struct buf	all = new_buf();

	configure("smtp.errors 2\n");
	d.lmtp = true;
	ck_assert_str_eq(talk(STR("EHLO c\r\nLHLO c\r\nMAIL FROM:<>\r\n"
	    "RCPT TO:<alice@x.test>\r\nRCPT TO:<alice@x.test>\r\n"
	    "RCPT TO:<list@x.test>\r\nDATA\r\na\nb\r\n.\r\n"
	    "MAIL FROM:<>\r\nRCPT TO:<alice@x.test>\r\n"
	    "RCPT TO:<alice@x.test>\r\nBDAT 0 LAST\r\nQUIT\r\n"), false, &all),
	    "220 500 250 250 250 250 250 354 550 550 550 250 250 250 250 250 "
	    "221 ");
	ck_assert_uint_eq(count("new", NULL, 0), 1);
	buf_free(&all);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("smtpd_session");
	TCase	*t = tcase_create("session");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, message);
	tcase_add_test(t, recipients);
	tcase_add_test(t, route_trouble);
	tcase_add_test(t, disk_trouble);
	tcase_add_loop_test(t, limit, 0, nitems(limits));
	tcase_add_test(t, told_to_stop);
	tcase_add_test(t, lmtp);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
