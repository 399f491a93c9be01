/* tests/unit/test_login.c - a front's side of a login, against an auth that is played here. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fmt/record.h"
#include "common/proc/login.h"
#include "common/proc/msg.h"

static char	dir[] = "/tmp/test_login.XXXXXX", path[64];
static pid_t	auth;

static const struct login_facts	facts = {
	.service = "pop3", .client = "192.0.2.1", .local = "192.0.2.2",
	.tls = "TLSv1.3 X", .exporter = { "abc", 3 }, .end_point = { "", 0 },
	.certificate = { "", 0 }
};

/* Answers each question with what its user or mechanism asks for. */
static void
play(int fd)
{
	struct buf	in, out;
	struct msg_fds	fds;
	struct str	rec, v, what;

	buf_init(&in, MSG_MAX);
	buf_init(&out, MSG_MAX);
	while (msg_recv(fd, &in, &fds) == 1) {
		rec = buf_view(&in);
		buf_reset(&out);
		if (!record_get(rec, AUTH_VERB, &v))
			_exit(1);
		if (str_eq(v, STR("take"))) {
			if (fds.n != 1 || write(fds.fd[0], "session", 7) != 7)
				_exit(2);
			record_puts(&out, AUTH_VERB, "ok");
		} else if (str_eq(v, STR("step"))) {
			if (!record_get(rec, AUTH_RESPONSE, &what))
				_exit(3);
			record_puts(&out, AUTH_VERB, "ok");
			record_puts(&out, AUTH_USER, "ann");
			record_put(&out, AUTH_DATA, what);
		} else if (str_eq(v, STR("sasl"))) {
			if (!record_get(rec, AUTH_EXPORTER, &what) ||
			    !str_eq(what, STR("abc")) ||
			    record_get(rec, AUTH_CERT, &what))
				_exit(4);
			record_puts(&out, AUTH_VERB, "more");
			record_puts(&out, AUTH_DATA,
			    record_get(rec, AUTH_RESPONSE, &what) ?
			    "initial" : "none");
		} else if (!record_get(rec, AUTH_USER, &what))
			_exit(5);
		else if (str_eq(what, STR("ann"))) {
			record_puts(&out, AUTH_VERB, "ok");
			record_puts(&out, AUTH_USER, "ann");
		} else if (str_eq(what, STR("nobody"))) {
			record_puts(&out, AUTH_VERB, "ok");
		} else if (str_eq(what, STR("bob"))) {
			record_puts(&out, AUTH_VERB, "fail");
			record_puts(&out, AUTH_KIND, AUTH_WRONG);
			record_puts(&out, AUTH_TEXT, "no");
		} else
			_exit(0);
		if (msg_send(fd, &out, NULL) == -1)
			_exit(6);
	}
	buf_free(&in);
	buf_free(&out);
}

static void
setup(void)
{
	int	fd, on;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/auth", dir);
	fd = msg_listen(path, 0600, (uid_t)-1, (gid_t)-1);
	ck_assert_int_ne(fd, -1);
	fflush(NULL);
	if ((auth = fork()) == 0)
		for (;;) {
			struct sockaddr_un	sun;
			socklen_t		n = sizeof(sun);
			fd_set			set;

			FD_ZERO(&set);
			FD_SET(fd, &set);
			if (select(fd + 1, &set, NULL, NULL, NULL) == -1)
				_exit(7);
			on = accept(fd, (struct sockaddr *)&sun, &n);
			if (on != -1 && fork() == 0) {
				play(on);
				_exit(0);
			}
			close(on);
		}
	close(fd);
}

static void
teardown(void)
{
	kill(auth, SIGKILL);
	waitpid(auth, NULL, 0);
	unlink(path);
	rmdir(dir);
	strlcpy(dir, "/tmp/test_login.XXXXXX", sizeof(dir));
}

START_TEST(passwords)
{
	struct login	l;
	char		text[16] = "";
	int		pair[2];

	login_init(&l, path);
	ck_assert_int_eq(login_password(&l, &facts, STR("bob"), STR("x")),
	    LOGIN_FAIL);
	ck_assert_str_eq(l.kind, AUTH_WRONG);
	ck_assert_str_eq(l.text, "no");
	ck_assert(!l.broken);
	ck_assert_int_eq(login_password(&l, &facts, STR("ann"), STR("x")),
	    LOGIN_OK);
	ck_assert_str_eq(l.user, "ann");
	ck_assert(!l.has_data);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(login_take(&l, pair[0], STR("STAT\r\n")), LOGIN_OK);
	ck_assert_int_eq(read(pair[1], text, 7), 7);
	ck_assert_str_eq(text, "session");
	login_end(&l);
	ck_assert_int_eq(l.fd, -1);
	ck_assert_str_eq(l.user, "");
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(mechanisms)
{
	struct login	l;
	struct str	empty = STR("");

	login_init(&l, path);
	ck_assert_int_eq(login_sasl(&l, &facts, STR("X"), NULL), LOGIN_MORE);
	ck_assert(str_eq(l.data, STR("none")));
	ck_assert_int_eq(login_step(&l, STR("a\0b")), LOGIN_OK);
	ck_assert(l.has_data && str_eq(l.data, STR("a\0b")));
	ck_assert_int_eq(login_sasl(&l, &facts, STR("X"), &empty), LOGIN_MORE);
	ck_assert(str_eq(l.data, STR("initial")));
	login_cancel(&l);
	ck_assert_int_eq(l.fd, -1);
}
END_TEST

/* An ok that names nobody is none; auth may end in the middle, or not be there. */
START_TEST(broken_auth)
{
	struct login	l;

	login_init(&l, path);
	ck_assert_int_eq(login_password(&l, &facts, STR("nobody"), STR("x")),
	    LOGIN_TEMP);
	ck_assert(l.broken && l.fd == -1);
	ck_assert_int_eq(login_password(&l, &facts, STR("gone"), STR("x")),
	    LOGIN_TEMP);
	ck_assert(l.broken);
	ck_assert_int_eq(login_password(&l, &facts, STR("ann"), STR("x")),
	    LOGIN_OK);
	ck_assert(!l.broken);
	login_end(&l);
	login_init(&l, "/nonexistent/auth");
	ck_assert_int_eq(login_password(&l, &facts, STR("ann"), STR("x")),
	    LOGIN_TEMP);
	ck_assert(l.broken);
	login_end(&l);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("login");
	TCase	*t = tcase_create("login");
	SRunner	*r;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, passwords);
	tcase_add_test(t, mechanisms);
	tcase_add_test(t, broken_auth);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
