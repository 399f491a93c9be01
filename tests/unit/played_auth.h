/*
 * tests/unit/played_auth.h - a front's words to a client, against an auth that is played here and answers by the name that it is
 * asked about: for the tests of fronts. SETTINGS, SERVICE and FRONT are set by who includes it.
 */
#ifndef PLAYED_AUTH_H
#define PLAYED_AUTH_H

#include <sys/socket.h>
#include <sys/wait.h>

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/net/listener.h"
#include "common/proc/msg.h"
#include "common/proc/proto_auth.h"

static char		dir[] = "/tmp/test_front.XXXXXX", got[65536];
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
	char		note[64] = "-";

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
	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), PROGRAM);
	ck_assert_msg(settings_parse(str_from(SETTINGS), "t",
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
	struct server_session	s = { .service = SERVICE };
	int			pair[2];
	ssize_t			n;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    pair), 0);
	ck_assert_int_eq(addr_parse(str_from(from), &s.peer), 0);
	s.fd = pair[1];
	ck_assert_int_eq(fdio_write(pair[0], lines, strlen(lines)), 0);
	ck_assert_int_eq(shutdown(pair[0], SHUT_WR), 0);
	FRONT(&listener, &s);
	ck_assert_int_eq(fdio_nonblock(pair[0], 0), 0);
	ck_assert_int_ge(n = fdio_read(pair[0], got, sizeof(got) - 1), 0);
	got[n] = '\0';
	close(pair[0]);
}

#endif
