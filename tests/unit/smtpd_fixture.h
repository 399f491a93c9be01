/*
 * tests/unit/smtpd_fixture.h - what tests of smtpd's sessions share: one over
 * a pair of sockets, with a route and an auth of its own and a queue that only
 * listens.
 */
#ifndef UNIT_SMTPD_FIXTURE_H
#define UNIT_SMTPD_FIXTURE_H

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
#include "common/proc/proto_auth.h"
#include "common/proc/proto_queue.h"
#include "common/proc/proto_route.h"
#include "smtpd/session.h"

#define TX	"EHLO c.test\r\nMAIL FROM:<s@c.test>\r\nRCPT TO:<alice@x.test>\r\n"
#define TX_OK	"220 250 250 250 "

static char		dir[64];
static struct smtpd	d;
static int		queue;
static pid_t		router, auth;
static volatile int	stop;
static struct server_client client;
static rlim_t		file_max;	/* for the session, 0: none */

static inline void
put_answer(struct buf *b, unsigned code, const char *status)
{
	buf_reset(b);
	record_putu(b, ROUTE_CODE, code);
	record_puts(b, ROUTE_STATUS, status);
	record_puts(b, ROUTE_TEXT, "said\r\n250 route");	/* must stay one line */
}

/*
 * alice is a user, "list" an alias, "mad" gets nonsense, nobody else is known.
 * Each user may send as whatever begins with his name. Who has logged in may
 * send to "relay".
 */
static inline void
answer_one(struct str question, struct buf *b)
{
	struct final	alice = { .kind = FINAL_USER, .user = STR("alice"),
			    .ext = STR(""), .addr = STR("alice@x.test"),
			    .arg = STR("") };
	struct buf	final;
	struct str	rcpt = STR(""), verb = STR(""), user = STR("");
	struct str	sender = STR("");

	record_get(question, ROUTE_VERB, &verb);
	record_get(question, ROUTE_RCPT, &rcpt);
	record_get(question, ROUTE_SENDER, &sender);
	put_answer(b, 550, "5.1.1");
	if (str_eq(verb, STR("sender"))) {
		if (record_get(question, ROUTE_AUTH, &user) &&
		    (sender.n == 0 || str_starts_nocase(sender, user)))
			put_answer(b, 250, "2.1.0");
		else
			put_answer(b, 553, "5.7.1");
		return;
	}
	if (str_starts_nocase(rcpt, STR("relay")) &&
	    record_get(question, ROUTE_AUTH, &user))
		put_answer(b, 250, "2.1.5");
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

/*
 * PLAIN: alice has the password "secret"; a password that is a kind of failure
 * gives it, "temp" trouble, "mute" no answer. SCRAM-SHA-256: "one", "two", and
 * last words. XOAUTH2: challenges without an end.
 */
static inline void
auth_one(struct str question, struct buf *b)
{
	struct str	verb = STR(""), mech = STR(""), r = STR("");
	bool		has = record_get(question, AUTH_RESPONSE, &r);
	const char	*pass;

	record_get(question, AUTH_VERB, &verb);
	record_get(question, AUTH_MECHANISM, &mech);
	buf_reset(b);
	if (str_eq(verb, STR("cancel"))) {
		record_puts(b, AUTH_VERB, "fail");
		record_puts(b, AUTH_KIND, AUTH_CANCELLED);
	} else if (!has || str_eq(mech, STR("XOAUTH2")) ||
	    str_eq(r, STR("{}"))) {
		record_puts(b, AUTH_VERB, "more");
		record_puts(b, AUTH_DATA, has ? "{}" : "");
	} else if (str_eq(r, STR("one"))) {
		record_puts(b, AUTH_VERB, "more");
		record_puts(b, AUTH_DATA, "challenge");
	} else if (str_eq(r, STR("two")) || str_eq(r, STR("\0alice\0secret"))) {
		record_puts(b, AUTH_VERB, "ok");
		record_puts(b, AUTH_USER, "alice");
		if (str_eq(r, STR("two")))
			record_puts(b, AUTH_DATA, "last words");
	} else if ((pass = memrchr(r.p, 0, r.n)) == NULL) {
		record_puts(b, AUTH_VERB, "fail");
		record_puts(b, AUTH_KIND, AUTH_SYNTAX);
	} else if (memcmp(pass + 1, "temp", 4) == 0)
		record_puts(b, AUTH_VERB, "temp");
	else if (memcmp(pass + 1, "mute", 4) != 0) {
		record_puts(b, AUTH_VERB, "fail");
		record_put(b, AUTH_KIND, (struct str){ pass + 1,
		    (size_t)(r.p + r.n - pass) - 1 });
	}
}

/* Serves one client after the other; no answer is the end of it. */
static inline pid_t
serve(const char *path, void (*answer)(struct str, struct buf *))
{
	struct buf	q, a;
	int		fd, sock = msg_listen(path, 0600, (uid_t)-1, (gid_t)-1);
	pid_t		pid;

	ck_assert_int_ne(sock, -1);
	if ((pid = fork()) != 0) {
		ck_assert_int_gt(pid, 0);
		close(sock);
		return pid;
	}
	buf_init(&q, MSG_MAX);
	buf_init(&a, MSG_MAX);
	for (;;) {
		poll(&(struct pollfd){ sock, POLLIN, 0 }, 1, -1);
		if ((fd = accept(sock, NULL, NULL)) == -1)
			continue;
		while (msg_recv(fd, &q, NULL) == 1) {
			answer(buf_view(&q), &a);
			if (a.n == 0 || msg_send(fd, &a, NULL) == -1)
				break;
		}
		close(fd);
	}
}

static inline void
setup(void)
{
	signal(SIGPIPE, SIG_IGN);
	strlcpy(dir, "/tmp/test_smtpd.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert(mkdir("tmp", 0700) == 0 && mkdir("new", 0700) == 0 &&
	    mkdir("sock", 0700) == 0);
	ck_assert_int_ne(queue = msg_listen("sock/queue", 0600, (uid_t)-1,
	    (gid_t)-1), -1);
	router = serve("sock/route", answer_one);
	auth = serve("sock/auth", auth_one);
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

static inline int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static inline void
teardown(void)
{
	kill(router, SIGKILL);
	waitpid(router, NULL, 0);
	kill(auth, SIGKILL);
	waitpid(auth, NULL, 0);
	ck_assert_int_eq(chdir("/"), 0);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	settings_free(&d.settings);
	allowance_free(&d.allowance);
	spool_in_close(&d.spool);
	buf_free(&d.question);
	buf_free(&d.answer);
	close(queue);
}

static inline void
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

static inline pid_t
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
static inline void
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
static inline const char *
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
	/* as much as there is room for before it begins: a session that has a second to wait does not wait for us */
	if ((n = send(fd[0], in.p, in.n, MSG_NOSIGNAL)) > 0)
		at = (size_t)n;
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

static inline size_t
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

static inline struct buf
new_buf(void)
{
	struct buf	b;

	buf_init(&b, 1u << 20);
	return b;
}

#endif
