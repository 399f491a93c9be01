/*
 * tests/unit/test_relay.c - what goes through a relay comes out as it went
 * in, whatever the sizes, whoever is slow, and whoever leaves first. The
 * relay is a process of its own, so that both ends can be here.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/net/relay.h"
#include "common/proc/msg.h"
#include "common/proc/sig.h"

#define LAYER	16384	/* what the layer below conn takes at once */

/*
 * As TLS does it: takes all that there is from the descriptor, gives it in
 * pieces, and waits for what nobody expects of it.
 */
struct layer {
	int		fd;
	char		held[LAYER];
	size_t		from, to;
	unsigned	calls;
};

static int		client, session, report;
static pid_t		child;
static int		room;		/* of the client's socket; 0: as it is */

struct outcome {
	uint64_t	from_client, to_client;
	bool		back, eof;
	char		why[40];
	double		cpu;
	size_t		n;		/* pending with the client */
	char		pending[CONN_IN];
	int		descriptors;	/* open in the end, more than at first */
};

static ssize_t
layer_recv(void *arg, void *p, size_t n, short *want)
{
	struct layer	*l = arg;
	ssize_t		 got;

	*want = POLLIN;
	if (l->from == l->to) {
		if ((got = recv(l->fd, l->held, LAYER, 0)) <= 0)
			return got;
		l->from = 0;
		l->to = (size_t)got;
	}
	if (n > 1000)
		n = 1000;
	if (n > l->to - l->from)
		n = l->to - l->from;
	memcpy(p, l->held + l->from, n);
	l->from += n;
	return (ssize_t)n;
}

static ssize_t
layer_send(void *arg, const void *p, size_t n, short *want)
{
	struct layer	*l = arg;

	*want = POLLOUT;
	if (l->calls++ % 5 == 3) {
		errno = EAGAIN;
		return -1;
	}
	return send(l->fd, p, n > 4000 ? 4000 : n, MSG_NOSIGNAL);
}

static void
layer_free(void *arg)
{
	(void)arg;
}

static const struct conn_io	layer_io = { layer_recv, layer_send,
				    layer_free };

static double
cpu_of(void)
{
	struct rusage	u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int
descriptors(void)
{
	int	fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static _Noreturn void
relay(int outer, int inner, int to, bool layered, int64_t stall)
{
	static struct layer	l;
	static struct outcome	o;
	struct relay_result	r;
	struct conn		c;
	int			stop = sig_init(SIG_EV_TERM);

	if (stop == -1)
		_exit(1);
	conn_init(&c, outer);
	if (conn_preload(&c, STR("before ")) == -1 ||
	    conn_putf(&c, "hello ") == -1)
		_exit(1);
	if (layered) {
		l.fd = outer;
		c.io = &layer_io;
		c.io_arg = &l;
	}
	o.descriptors = -descriptors();
	relay_run(&c, inner, stall, stop, &r);
	o.descriptors += descriptors();
	o.from_client = r.from_client;
	o.to_client = r.to_client;
	o.back = r.back;
	o.eof = c.eof;
	o.n = conn_pending(&c).n;
	memcpy(o.pending, conn_pending(&c).p, o.n);
	strlcpy(o.why, r.why != NULL ? r.why : "well", sizeof(o.why));
	o.cpu = cpu_of();
	/* nobody reads this before both have seen the end */
	close(outer);
	close(inner);
	if (fdio_write(to, &o, sizeof(o)) == -1)
		_exit(1);
	_exit(0);
}

static void
begin(bool layered, int64_t stall)
{
	int	outer[2], inner, other, pipefd[2];

	ck_assert_int_eq(relay_pair(&outer[0], &outer[1]), 0);
	ck_assert_int_eq(relay_pair(&inner, &other), 0);
	ck_assert_int_eq(pipe(pipefd), 0);
	if (room > 0)
		ck_assert_int_eq(setsockopt(outer[1], SOL_SOCKET, SO_SNDBUF,
		    &room, sizeof(room)), 0);
	ck_assert_int_ne(child = fork(), -1);
	if (child == 0) {
		close(outer[0]);
		close(other);
		relay(outer[1], inner, pipefd[1], layered, stall);
	}
	close(outer[1]);
	close(inner);
	close(pipefd[1]);
	client = outer[0];
	session = other;
	report = pipefd[0];
}

static struct outcome
end(void)
{
	static struct outcome	o;
	int			status;

	ck_assert_int_eq(fdio_read(report, &o, sizeof(o)), sizeof(o));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	fdio_close(&client);
	fdio_close(&session);
	fdio_close(&report);
	return o;
}

/* So many bytes of a text that says where it is; false at the end. */
struct flow {
	uint64_t	sent, got, total;
	bool		closed;
};

static char
byte_at(uint64_t at)
{
	return (char)((at * 2654435761u) >> 13);
}

static void
push(struct flow *f, int fd)
{
	char	text[100000];
	size_t	n = (size_t)random() % (random() % 3 == 0 ? sizeof(text) : 900) +
		    1, i;
	ssize_t	done;

	if (f->sent == f->total) {
		if (!f->closed)
			shutdown(fd, SHUT_WR);
		f->closed = true;
		return;
	}
	if (n > f->total - f->sent)
		n = (size_t)(f->total - f->sent);
	for (i = 0; i < n; i++)
		text[i] = byte_at(f->sent + i);
	if ((done = send(fd, text, n, MSG_NOSIGNAL)) > 0)
		f->sent += (uint64_t)done;
	else
		ck_assert_int_eq(errno, EAGAIN);
}

/* True: the end. */
static bool
pull(struct flow *f, int fd)
{
	char	text[100000];
	ssize_t	n, i;

	n = recv(fd, text, (size_t)random() % sizeof(text) + 1, 0);
	if (n == -1)
		ck_assert_int_eq(errno, EAGAIN);
	for (i = 0; i < n; i++)
		ck_assert(text[i] == byte_at(f->got + (uint64_t)i));
	if (n > 0)
		f->got += (uint64_t)n;
	return n == 0;
}

static void
expect(int fd, const char *text)
{
	char	got[64];
	size_t	n = strlen(text);

	ck_assert_int_eq(fdio_wait(fd, POLLIN, now_ms() + 20000), 0);
	ck_assert_int_eq(fdio_nonblock(fd, 0), 0);
	ck_assert_int_eq(fdio_read(fd, got, n), (ssize_t)n);
	ck_assert_int_eq(fdio_nonblock(fd, 1), 0);
	ck_assert_mem_eq(got, text, n);
}

static void
opening(void)
{
	expect(client, "hello ");
	expect(session, "before ");
}

static void
bulk(bool layered)
{
	struct flow	up = { 0, 0, 1000000, false };
	struct flow	down = { 0, 0, 2000000, false };
	struct outcome	o;
	struct pollfd	p[2];
	bool		ended = false;

	srandom((unsigned)now_ms());
	begin(layered, 20000);
	opening();
	while (!ended) {
		p[0] = (struct pollfd){ client, POLLIN | POLLOUT, 0 };
		p[1] = (struct pollfd){ session, POLLIN | POLLOUT, 0 };
		ck_assert_int_gt(poll(p, 2, 20000), 0);
		if (random() % 4 != 0)
			push(&up, client);
		if (random() % 2 == 0 && pull(&up, session))
			ck_assert_uint_eq(up.got, up.total);
		/* the session answers to the end, also to a client that has said its last word */
		if (random() % 4 != 0 && (down.sent < down.total ||
		    up.got == up.total))
			push(&down, session);
		if (random() % 4 != 0)
			ended = pull(&down, client) || down.got == down.total;
	}
	fdio_close(&session);
	o = end();
	ck_assert_uint_eq(up.got, up.total);
	ck_assert_uint_eq(down.got, down.total);
	ck_assert_str_eq(o.why, "the session has ended");
	ck_assert_uint_eq(o.from_client, up.total + strlen("before "));
	ck_assert_uint_eq(o.to_client, down.total);
}

START_TEST(sizes)
{
	bulk(_i == 1);
}
END_TEST

/* The client's last words reach the session, and its end does. */
START_TEST(client_leaves)
{
	struct outcome	o;
	char		c;

	begin(_i == 1, 20000);
	opening();
	ck_assert_int_eq(fdio_write(client, "DELE 1\r\nQUIT\r\n", 14), 0);
	fdio_close(&client);
	expect(session, "DELE 1\r\nQUIT\r\n");
	ck_assert_int_eq(fdio_wait(session, POLLIN, now_ms() + 20000), 0);
	ck_assert_int_eq(recv(session, &c, 1, 0), 0);
	/* what it answers nobody hears */
	ck_assert_int_eq(fdio_write(session, "+OK\r\n", 5), 0);
	o = end();
	ck_assert_str_eq(o.why, "the client has gone");
	ck_assert_uint_eq(o.from_client, strlen("before ") + 14);
}
END_TEST

/* The session's last words reach a client that was slow. */
START_TEST(session_ends)
{
	struct flow	down = { 0, 0, 60000, false };
	struct outcome	o;

	room = 8192;
	begin(_i == 1, 20000);
	opening();
	while (down.sent < down.total) {
		ck_assert_int_eq(fdio_wait(session, POLLOUT, now_ms() + 20000),
		    0);
		push(&down, session);
	}
	fdio_close(&session);
	while (down.got < down.total) {
		ck_assert_int_eq(fdio_wait(client, POLLIN, now_ms() + 20000),
		    0);
		(void)pull(&down, client);
	}
	o = end();
	ck_assert_str_eq(o.why, "the session has ended");
	ck_assert_uint_eq(o.to_client, down.total);
}
END_TEST

/* The session says more than a client takes, which is then given up. */
START_TEST(client_sleeps)
{
	char		text[65536];
	struct outcome	o;
	int64_t		since = now_ms();
	ssize_t		n;

	memset(text, 'x', sizeof(text));
	begin(_i == 1, 700);
	opening();
	do {
		while ((n = send(session, text, sizeof(text),
		    MSG_NOSIGNAL)) > 0)
			;
	} while (errno == EAGAIN &&
	    fdio_wait(session, POLLOUT, now_ms() + 30000) == 0);
	ck_assert_int_eq(errno, EPIPE);
	o = end();
	ck_assert_str_eq(o.why, "the client takes nothing");
	ck_assert_int_ge(now_ms() - since, 700);
}
END_TEST

/* Nothing happens, and nothing is done: no buffers, no time. */
START_TEST(idle)
{
	struct outcome	o;

	begin(_i == 1, 500);
	opening();
	usleep(1500000);
	ck_assert_int_eq(fdio_write(client, "NOOP\r\n", 6), 0);
	expect(session, "NOOP\r\n");
	ck_assert_int_eq(fdio_write(session, "+OK\r\n", 5), 0);
	expect(client, "+OK\r\n");
	fdio_close(&session);
	o = end();
	ck_assert_str_eq(o.why, "the session has ended");
	ck_assert(o.cpu < 0.3);
}
END_TEST

/* One side has half closed, the other side is full: still no busy waiting. */
START_TEST(stuck_and_closed)
{
	struct outcome	o;
	char		text[65536] = "";

	begin(_i == 1, 2500);
	opening();
	while (send(session, text, sizeof(text), MSG_NOSIGNAL) > 0 ||
	    fdio_wait(session, POLLOUT, now_ms() + 1000) == 0)
		;
	fdio_close(&session);
	shutdown(client, SHUT_WR);
	o = end();
	ck_assert_str_eq(o.why, "the client takes nothing");
	ck_assert(o.cpu < 0.5);
}
END_TEST

/* Told to stop, it waits for the session to say good-bye. */
START_TEST(stopped)
{
	struct outcome	o;
	int64_t		since = now_ms();

	begin(false, 20000);
	opening();
	kill(child, SIGTERM);
	usleep(200000);
	if (_i == 0) {
		ck_assert_int_eq(fdio_write(session, "bye\r\n", 5), 0);
		fdio_close(&session);
		expect(client, "bye\r\n");
		o = end();
		ck_assert_str_eq(o.why, "the session has ended");
	} else {
		o = end();
		ck_assert_str_eq(o.why, "shutting down");
		ck_assert_int_ge(now_ms() - since, 4900);
	}
}
END_TEST

/* ---- A session gives its client back. */

static void
give_back(void)
{
	ck_assert_int_eq(relay_give_back(session, report, 5000), 0);
}

static void
write_to(int fd, const char *text)
{
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
}

/* All that was said before is with the client, all that it said and was not used comes back, in its order. */
START_TEST(back)
{
	struct outcome	o;
	char		c;

	begin(_i == 1, 20000);
	opening();
	write_to(client, "u UNAUTHENTICATE\r\nv LOGIN a b\r\n");
	expect(session, "u UNAUTHENTICATE\r\n");
	write_to(session, "u OK\r\n");
	give_back();
	expect(client, "u OK\r\n");
	expect(session, "v LOGIN a b\r\n");
	ck_assert_int_eq(fdio_wait(session, POLLIN, now_ms() + 20000), 0);
	ck_assert_int_eq(recv(session, &c, 1, 0), 0);
	/* who comes later is not sent to the session any more, which has heard the end */
	write_to(client, "w NOOP\r\n");
	write_to(session, "v LOGIN ");
	usleep(50000);
	write_to(session, "a b\r\n");
	fdio_close(&session);
	o = end();
	ck_assert(o.back);
	ck_assert(!o.eof);
	ck_assert_str_eq(o.why, "well");
	ck_assert_uint_eq(o.n, strlen("v LOGIN a b\r\n"));
	ck_assert_mem_eq(o.pending, "v LOGIN a b\r\n", o.n);
	ck_assert_uint_eq(o.to_client, strlen("u OK\r\n"));
	ck_assert_int_eq(o.descriptors, 0);
}
END_TEST

/* What the session had not been sent yet comes behind what it gives back. */
START_TEST(back_with_more)
{
	static char	text[150000];
	struct outcome	o;
	size_t		i, sent = 0, got = 0;
	ssize_t		n;
	int		small = 4096;

	begin(_i == 1, 20000);
	opening();
	ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_SNDBUF, &small,
	    sizeof(small)), 0);
	for (i = 0; i < sizeof(text); i++)
		text[i] = byte_at(i);
	/* until nobody has room for more */
	while (fdio_wait(client, POLLOUT, now_ms() + 1000) == 0 &&
	    sent < sizeof(text)) {
		n = send(client, text + sent, sizeof(text) - sent,
		    MSG_NOSIGNAL);
		ck_assert_int_gt(n, 0);
		sent += (size_t)n;
	}
	give_back();
	/* all but the last 20000 bytes are used */
	while ((n = recv(session, text, sizeof(text), 0)) > 0 ||
	    (n == -1 && fdio_wait(session, POLLIN, now_ms() + 20000) == 0)) {
		for (i = 0; n > 0 && i < (size_t)n; i++)
			ck_assert(text[i] == byte_at(got + i));
		if (n > 0)
			got += (size_t)n;
	}
	ck_assert_uint_le(got, sent);
	for (i = 0; i < 20000; i++)
		text[i] = byte_at(got - 20000 + i);
	ck_assert_int_eq(fdio_nonblock(session, 0), 0);
	ck_assert_int_eq(fdio_write(session, text, 20000), 0);
	fdio_close(&session);
	o = end();
	ck_assert_str_eq(o.why, "well");
	ck_assert_uint_eq(o.from_client, o.n - 20000 + got +
	    strlen("before "));
	for (i = 0; i < o.n; i++)
		ck_assert(o.pending[i] == byte_at(got - 20000 + i));
}
END_TEST

/* A client that is slow gets everything before it is given back; one that has said its last word stays so. */
START_TEST(back_late)
{
	struct flow	down = { 0, 0, 60000, false };
	struct outcome	o;
	char		c;

	room = 8192;
	begin(_i == 1, 20000);
	opening();
	shutdown(client, SHUT_WR);
	ck_assert_int_eq(fdio_wait(session, POLLIN, now_ms() + 20000), 0);
	ck_assert_int_eq(recv(session, &c, 1, 0), 0);
	while (down.sent < down.total) {
		ck_assert_int_eq(fdio_wait(session, POLLOUT, now_ms() + 20000),
		    0);
		push(&down, session);
	}
	give_back();
	fdio_close(&session);
	while (down.got < down.total) {
		ck_assert_int_eq(fdio_wait(client, POLLIN, now_ms() + 20000),
		    0);
		(void)pull(&down, client);
	}
	o = end();
	ck_assert(o.back);
	ck_assert(o.eof);
	ck_assert_str_eq(o.why, "well");
	ck_assert_uint_eq(o.to_client, down.total);
	ck_assert_uint_eq(o.n, 0);
}
END_TEST

/* Bytes come until it is over, a few at a time. */
static void
drip(void)
{
	while (send(session, "x", 1, MSG_NOSIGNAL) == 1)
		usleep(100000);
	ck_assert_int_eq(errno, EPIPE);
}

static void
flood(void)
{
	char	text[8192];

	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(fdio_nonblock(session, 0), 0);
	while (send(session, text, sizeof(text), MSG_NOSIGNAL) > 0)
		;
	ck_assert(errno == EPIPE || errno == ECONNRESET);
}

static void
marks(void)
{
	int	i;

	for (i = 0; i < 100; i++)
		if (relay_give_back(session, report, 5000) == -1)
			break;
}

/* Many descriptors in each message, which is long. */
static void
armful(void)
{
	struct msg_fds	fds = { .n = MSG_FDS };
	struct buf	rec;
	size_t		i;

	for (i = 0; i < MSG_FDS; i++)
		fds.fd[i] = report;
	buf_init(&rec, MSG_MAX);
	for (i = 0; i < 100; i++)
		buf_adds(&rec, "x NOOP\r\n");
	for (i = 0; i < 50; i++)
		if (msg_send(session, &rec, &fds) == -1)
			break;
	buf_free(&rec);
}

/* With something unread: it was killed. */
static void
killed(void)
{
	write_to(client, "v LOGIN a b\r\n");
	ck_assert_int_eq(fdio_wait(session, POLLIN, now_ms() + 20000), 0);
	give_back();
	fdio_close(&session);
}

static const struct {
	void		(*run)(void);
	const char	*why;
	bool		 marks, lasts;
} faults[] = {
	{ drip, "the session does not end", true, true },
	{ flood, "too much at once", true, false },
	{ marks, "the session makes no sense", false, false },
	{ armful, "the session makes no sense", false, false },
	{ killed, "the session has failed", false, false }
};

/* Whatever a session does: it is over soon, and leaves nothing behind. */
START_TEST(back_badly)
{
	struct outcome	o;
	int64_t		since = now_ms();

	begin(false, 20000);
	opening();
	if (faults[_i].marks)
		give_back();
	faults[_i].run();
	o = end();
	ck_assert(o.back);
	ck_assert_str_eq(o.why, faults[_i].why);
	ck_assert_uint_eq(o.n, 0);
	ck_assert_int_eq(o.descriptors, 0);
	ck_assert_int_lt(now_ms() - since, 15000);
	ck_assert(!faults[_i].lasts || now_ms() - since >= 2900);
	ck_assert(o.cpu < 0.5);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("relay");
	TCase	*tc = tcase_create("relay");
	SRunner	*sr;
	int	 failed;

	(void)signal(SIGPIPE, SIG_IGN);	/* as proc/sig.c does */
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, sizes, 0, 2);
	tcase_add_loop_test(tc, client_leaves, 0, 2);
	tcase_add_loop_test(tc, session_ends, 0, 2);
	tcase_add_loop_test(tc, client_sleeps, 0, 2);
	tcase_add_loop_test(tc, idle, 0, 2);
	tcase_add_loop_test(tc, stuck_and_closed, 0, 2);
	tcase_add_loop_test(tc, stopped, 0, 2);
	tcase_add_loop_test(tc, back, 0, 2);
	tcase_add_loop_test(tc, back_with_more, 0, 2);
	tcase_add_loop_test(tc, back_late, 0, 2);
	tcase_add_loop_test(tc, back_badly, 0, nitems(faults));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
