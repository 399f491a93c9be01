/* tests/unit/test_msg.c - packets with descriptors, from peers good and bad. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"

static int		pair[2];
static struct buf	rec, got;
static char		dir[] = "/tmp/posthouse-msg.XXXXXX";
static char		path[64];

static void
setup(void)
{
	ck_assert_int_eq(msg_pair(pair), 0);
	buf_init(&rec, 2 * MSG_MAX);
	buf_init(&got, MSG_MAX);
	strlcpy(dir, "/tmp/posthouse-msg.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
}

static void
teardown(void)
{
	fdio_close(&pair[0]);
	fdio_close(&pair[1]);
	buf_free(&rec);
	buf_free(&got);
	(void)unlink(path);
	(void)rmdir(dir);
}

static int
open_fds(void)
{
	int	fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

START_TEST(with_descriptors)
{
	struct msg_fds	out = { .n = 2 }, in;
	struct stat	st;
	int		before, p[2];

	ck_assert_int_eq(pipe(p), 0);
	out.fd[0] = p[0];
	out.fd[1] = p[1];
	record_puts(&rec, 'a', "x");
	before = open_fds();
	ck_assert_int_eq(msg_send(pair[0], &rec, &out), 0);
	ck_assert_int_eq(msg_recv(pair[1], &got, &in), 1);
	ck_assert(str_eq(buf_view(&got), buf_view(&rec)));
	ck_assert_uint_eq(in.n, 2);
	ck_assert_int_eq(open_fds(), before + 2);
	ck_assert_int_eq(fcntl(in.fd[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fstat(in.fd[1], &st), 0);
	ck_assert(S_ISFIFO(st.st_mode));
	msg_close_fds(&in);
	ck_assert_uint_eq(in.n, 0);
	/* unwanted ones do not stay open */
	ck_assert_int_eq(msg_send(pair[0], &rec, &out), 0);
	ck_assert_int_eq(msg_recv(pair[1], &got, NULL), 1);
	ck_assert_int_eq(open_fds(), before);
}
END_TEST

START_TEST(what_is_not_sent)
{
	struct msg_fds	many = { .n = MSG_FDS + 1 };
	size_t		i;

	ck_assert_int_eq(msg_send(pair[0], &rec, NULL), -1);
	ck_assert_int_eq(errno, EINVAL);	/* would read like the end */
	record_puts(&rec, 'a', "x");
	ck_assert_int_eq(msg_send(pair[0], &rec, &many), -1);
	ck_assert_int_eq(errno, EINVAL);
	for (i = 0; i < MSG_MAX; i++)
		buf_addc(&rec, 'x');
	ck_assert_int_eq(msg_send(pair[0], &rec, NULL), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	rec.bad = true;
	ck_assert_int_eq(msg_send(pair[0], &rec, NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

static const struct { const char *bytes; size_t n; } rubbish[] = {
	{ "x", 1 }, { "a1:x,", 5 }, { "a2:x,\n", 6 }, { "\0", 1 },
	{ "a1:x,\na", 7 },
};

START_TEST(malformed)
{
	struct msg_fds	fds;

	ck_assert_int_eq(send(pair[0], rubbish[_i].bytes, rubbish[_i].n, 0),
	    (ssize_t)rubbish[_i].n);
	ck_assert_int_eq(msg_recv(pair[1], &got, &fds), -1);
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_uint_eq(got.n, 0);
	ck_assert_uint_eq(fds.n, 0);
}
END_TEST

/* A packet that is cut off is none, and its descriptors go. */
START_TEST(too_long)
{
	static char	big[MSG_MAX + 100];
	int		n = 1 << 20, before = open_fds();

	ck_assert_int_eq(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &n,
	    sizeof(n)), 0);
	snprintf(big, sizeof(big), "a%d:", MSG_MAX + 80);
	ck_assert_int_eq(send(pair[0], big, sizeof(big), 0), sizeof(big));
	ck_assert_int_eq(msg_recv(pair[1], &got, NULL), -1);
	ck_assert_int_eq(errno, EPROTO);
	ck_assert_int_eq(open_fds(), before);
}
END_TEST

START_TEST(the_end)
{
	fdio_close(&pair[0]);
	ck_assert_int_eq(msg_recv(pair[1], &got, NULL), 0);
	record_puts(&rec, 'a', "x");
	ck_assert_int_eq(msg_send(pair[1], &rec, NULL), -1);	/* no SIGPIPE */
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(msg_call(pair[1], &rec, NULL, &got, NULL, 1000), -1);
}
END_TEST

START_TEST(call_times_out)
{
	int64_t	from = now_ms();

	record_puts(&rec, 'a', "x");
	ck_assert_int_eq(msg_call(pair[0], &rec, NULL, &got, NULL, 60), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_ge(now_ms() - from, 59);
	ck_assert_int_lt(now_ms() - from, 20000);
	ck_assert_int_eq(fdio_nonblock(pair[0], 1), 0);
	ck_assert_int_eq(msg_recv(pair[0], &got, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

START_TEST(listening)
{
	struct stat	st;
	int		s, again, file;

	ck_assert_int_ne(s = msg_listen(path, 0600, (uid_t)-1, (gid_t)-1), -1);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(msg_listen(path, 0600, (uid_t)-1, (gid_t)-1), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	fdio_close(&s);
	/* a dead one is replaced */
	ck_assert_int_ne(again = msg_listen(path, 0666, (uid_t)-1,
	    (gid_t)-1), -1);
	fdio_close(&again);
	ck_assert_int_eq(unlink(path), 0);
	/* a file is not */
	ck_assert_int_ne(file = open(path, O_CREAT | O_RDWR, 0600), -1);
	ck_assert_int_eq(msg_listen(path, 0600, (uid_t)-1, (gid_t)-1), -1);
	ck_assert_int_eq(errno, EEXIST);
	fdio_close(&file);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

/* Answers n questions, each with itself, on connections of `each`. */
static pid_t
echo_server(int s, int n, int each)
{
	struct buf	b;
	pid_t		pid = fork();
	int		c = -1, i;

	if (pid != 0)
		return pid;
	alarm(120);
	buf_init(&b, MSG_MAX);
	for (i = 0; i < n; i++) {
		if (i % each == 0) {
			fdio_close(&c);
			if (fdio_wait(s, POLLIN, -1) == -1)
				_exit(1);
			c = accept(s, NULL, NULL);
		}
		if (msg_recv(c, &b, NULL) != 1 || msg_send(c, &b, NULL) == -1)
			_exit(2);
	}
	_exit(0);
}

START_TEST(client_reconnects)
{
	struct msg_client	c = { path, -1 };
	int			s, i, status;
	pid_t			pid;

	ck_assert_int_ne(s = msg_listen(path, 0600, (uid_t)-1, (gid_t)-1), -1);
	pid = echo_server(s, 6, 2);	/* hangs up after each second one */
	for (i = 0; i < 6; i++) {
		buf_reset(&rec);
		record_putu(&rec, 'n', (uint64_t)i);
		ck_assert_int_eq(msg_client_call(&c, &rec, NULL, &got, 5000),
		    0);
		ck_assert(str_eq(buf_view(&got), buf_view(&rec)));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	fdio_close(&s);
	/* nobody listens any more */
	ck_assert_int_eq(msg_client_call(&c, &rec, NULL, &got, 200), -1);
	ck_assert_int_eq(c.fd, -1);
}
END_TEST

START_TEST(peer_of)
{
	uid_t	uid;
	pid_t	pid;

	ck_assert_int_eq(msg_peer(pair[0], &uid, &pid), 0);
	ck_assert_uint_eq(uid, getuid());
	ck_assert_int_eq(pid, getpid());
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("msg");
	TCase	*t = tcase_create("msg");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, with_descriptors);
	tcase_add_test(t, what_is_not_sent);
	tcase_add_loop_test(t, malformed, 0, nitems(rubbish));
	tcase_add_test(t, too_long);
	tcase_add_test(t, the_end);
	tcase_add_test(t, call_times_out);
	tcase_add_test(t, listening);
	tcase_add_test(t, client_reconnects);
	tcase_add_test(t, peer_of);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
