/* tests/unit/test_link.c - both ends of the link to the master, and a server for many clients. */
#include "common/proc/link.h"

#include <sys/socket.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/fmt/record.h"
#include "common/proc/peers.h"

static int		fd[2];
static struct buf	rec, out;

static void
setup(void)
{
	ck_assert_int_eq(msg_pair(fd), 0);
	ck_assert_int_eq(fdio_nonblock(fd[1], 1), 0);
	buf_init(&rec, MSG_MAX);
	buf_init(&out, MSG_MAX);
}

static void
teardown(void)
{
	fdio_close(&fd[0]);
	fdio_close(&fd[1]);
	buf_free(&rec);
	buf_free(&out);
}

static void
check_said(const char *want)
{
	char	text[256];

	ck_assert_int_eq(msg_recv(fd[0], &rec, NULL), 1);
	ck_assert_int_eq(str_copy(text, sizeof(text), buf_view(&rec)), 0);
	ck_assert_str_eq(text, want);
}

START_TEST(says)
{
	ck_assert_int_eq(link_ready(fd[1]), 0);
	check_said("V5:ready,\n");
	ck_assert_int_eq(link_watch(fd[1]), 0);
	check_said("V5:watch,\n");
	ck_assert_int_eq(link_status(fd[1], ""), 0);
	check_said("V6:status,\n");
	ck_assert_int_eq(link_status(fd[1], "  a=1   b=22 "), 0);
	check_said("V6:status,\nK3:a=1,\nK4:b=22,\n");
	fdio_close(&fd[0]);
	ck_assert_int_eq(link_ready(fd[1]), -1);
}
END_TEST

static void
send_text(struct str text, size_t nfds)
{
	struct msg_fds	fds = { .n = nfds };
	size_t		i;

	for (i = 0; i < nfds; i++)
		fds.fd[i] = fd[0];
	buf_reset(&out);
	ck_assert_int_eq(buf_addstr(&out, text), 0);
	ck_assert_int_eq(msg_send(fd[0], &out, &fds), 0);
}

static int
next_fd(void)
{
	int	n = dup(fd[0]);

	close(n);
	return n;
}

static const struct {
	struct str	text;
	size_t		nfds;
	enum link_verb	verb;
	size_t		names;
} events[] = {
	{ STR("V6:status,\n"),		0, LINK_STATUS, 0 },
	{ STR("V4:stop,\n"),		0, LINK_STOP, 0 },
	{ STR("V4:stop,\n"),		2, LINK_STOP, 0 },	/* closed */
	{ STR("V2:ok,\nI1:7,\n"),	0, LINK_ANSWER, 0 },
	{ STR("V6:reload,\n"),		1, LINK_RELOAD, 0 },
	{ STR("V6:reload,\nN4:smtp,\nN5:smtp6,\n"), 3, LINK_RELOAD, 2 },
	{ STR("V6:reload,\n"),		0, LINK_GONE, 0 },
	{ STR("V6:reload,\n"),		2, LINK_GONE, 0 },
	{ STR("V6:reload,\nN4:smtp,\n"), 1, LINK_GONE, 0 },
	{ STR("V6:reload,\nN4:smtp,\n"), 3, LINK_GONE, 0 },
	{ STR("V6:reload,\nN0:,\n"),	2, LINK_GONE, 0 },
	{ STR("V6:reload,\nN3:a\0b,\n"), 2, LINK_GONE, 0 },
	{ STR("V6:reload,\nN32:abcdefghijklmnopqrstuvwxyz012345,\n"), 2,
	    LINK_GONE, 0 },
	{ STR("V6:reload,\nN31:abcdefghijklmnopqrstuvwxyz01234,\n"), 2,
	    LINK_RELOAD, 1 },
	{ STR("I1:7,\n"),		0, LINK_GONE, 0 },
	{ STR("V17:aaaaaaaaaaaaaaaaa,\n"), 0, LINK_GONE, 0 },
	{ STR("nonsense"),		1, LINK_GONE, 0 },
	{ STR("V4:stop,\nx"),		1, LINK_GONE, 0 },
};

START_TEST(hears)
{
	struct link_event	ev;
	size_t			i;
	int			before = next_fd();

	send_text(events[_i].text, events[_i].nfds);
	ck_assert_int_eq(link_read(fd[1], &rec, &ev), 0);
	ck_assert_int_eq(ev.verb, events[_i].verb);
	ck_assert_uint_eq(ev.nfds, events[_i].names);
	ck_assert_int_eq(ev.conf != -1, ev.verb == LINK_RELOAD);
	for (i = 0; i < ev.nfds; i++) {
		ck_assert_int_eq(fcntl(ev.fds[i].fd, F_GETFD), FD_CLOEXEC);
		fdio_close(&ev.fds[i].fd);
	}
	fdio_close(&ev.conf);
	ck_assert_int_eq(next_fd(), before);	/* none is left open */
	ck_assert_int_eq(link_read(fd[1], &rec, &ev), 0);
	ck_assert_int_eq(ev.verb, LINK_NONE);
	fdio_close(&fd[0]);
	ck_assert_int_eq(link_read(fd[1], &rec, &ev), 0);
	ck_assert_int_eq(ev.verb, LINK_GONE);
	fd[0] = dup(fd[1]);
}
END_TEST

static enum link_verb	called;

static void
on_status(void *arg, char *dst, size_t size)
{
	ck_assert_ptr_eq(arg, &called);
	called = LINK_STATUS;
	snprintf(dst, size, "a=1 b=2");
}

static void
on_reload(void *arg, struct link_event *ev)
{
	ck_assert_ptr_eq(arg, &called);
	ck_assert_int_ne(ev->conf, -1);
	called = LINK_RELOAD;
}

static void
on_stop(void *arg, bool orphan)
{
	ck_assert_ptr_eq(arg, &called);
	called = orphan ? LINK_GONE : LINK_STOP;
}

static void
on_answer(void *arg, struct str text)
{
	ck_assert_ptr_eq(arg, &called);
	ck_assert(str_eq(text, events[3].text));
	called = LINK_ANSWER;
}

/* The right one is called, once, and no descriptor stays. */
START_TEST(serves_events)
{
	static const struct link_ops	ops = { on_status, on_reload, on_stop,
					    on_answer };
	int				before = next_fd();

	called = LINK_NONE;
	link_serve(fd[1], &rec, &ops, &called);
	ck_assert_int_eq(called, LINK_NONE);	/* nothing is there */
	send_text(events[_i].text, events[_i].nfds);
	link_serve(fd[1], &rec, &ops, &called);
	ck_assert_int_eq(called, events[_i].verb);
	if (called == LINK_STATUS)
		check_said("V6:status,\nK3:a=1,\nK3:b=2,\n");
	ck_assert_int_eq(next_fd(), before);
}
END_TEST

/* ---- peers */

static struct event_base *base;
static struct peers	*all;
static char		path[64];
static int		gone, packets;

static int
packet(void *arg, struct peer *p, struct buf *r, struct msg_fds *fds)
{
	struct str	v;
	struct buf	answer;
	int		ret = 0;

	ck_assert_ptr_eq(arg, &gone);
	packets++;
	if (!record_get(buf_view(r), 'V', &v) || str_eq(v, STR("drop")))
		return -1;
	if (str_eq(v, STR("later"))) {
		peer_drop(p);	/* from within: after the callback */
		return 0;
	}
	if (peer_get(p) == NULL)
		peer_set(p, &packets);
	buf_init(&answer, MSG_MAX);
	record_putf(&answer, 'A', "%u %zu %zu", peer_role(p), fds->n,
	    peers_count(all));
	ret = peer_send(p, &answer);
	buf_free(&answer);
	return ret;
}

static void
peer_gone(void *arg, struct peer *p)
{
	(void)arg;
	(void)p;
	gone++;
}

static const struct peers_ops	ops = { packet, peer_gone };

static void
peers_setup(void)
{
	int	door;

	gone = packets = 0;
	setup();
	snprintf(path, sizeof(path), "/tmp/test_peers.%d", (int)getpid());
	ck_assert_ptr_nonnull(base = event_base_new());
	ck_assert_int_eq(peers_new(&all, base, 2, &ops, &gone), 0);
	ck_assert_int_ne(door = msg_listen(path, 0600, (uid_t)-1, (gid_t)-1),
	    -1);
	ck_assert_int_eq(peers_listen(all, door, 5), 0);
}

static void
peers_teardown(void)
{
	peers_free(&all);
	ck_assert_ptr_null(all);
	peers_free(&all);
	event_base_free(base);
	unlink(path);
	teardown();
}

static void
turn(void)
{
	int	i;

	for (i = 0; i < 5; i++)
		ck_assert_int_ne(event_base_loop(base, EVLOOP_NONBLOCK), -1);
}

static void
tell(int to, struct str text)
{
	ck_assert_int_eq(send(to, text.p, text.n, MSG_NOSIGNAL),
	    (ssize_t)text.n);
}

static void
check_answer(int from, const char *want)
{
	char	text[64];

	turn();
	ck_assert_int_eq(fdio_nonblock(from, 1), 0);
	if (want == NULL) {
		ck_assert_int_eq(msg_recv(from, &rec, NULL), 0);
		return;
	}
	ck_assert_int_eq(msg_recv(from, &rec, NULL), 1);
	ck_assert(record_gets(buf_view(&rec), 'A', text, sizeof(text)));
	ck_assert_str_eq(text, want);
}

START_TEST(serves)
{
	int	a = msg_connect(path), b = msg_connect(path), c;

	tell(a, STR("V2:hi,\n"));
	check_answer(a, "5 0 2");
	/* a third one waits in the queue of the socket */
	c = msg_connect(path);
	tell(c, STR("V2:hi,\n"));
	turn();
	ck_assert_uint_eq(peers_count(all), 2);
	ck_assert_int_eq(fdio_nonblock(c, 1), 0);
	ck_assert_int_eq(msg_recv(c, &rec, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(b);
	check_answer(c, "5 0 2");
	ck_assert_int_eq(gone, 1);
	close(a);
	close(c);
	turn();
	ck_assert_uint_eq(peers_count(all), 0);
	ck_assert_int_eq(gone, 3);
}
END_TEST

static const struct str	rude[] = {
	STR("V4:drop,\n"), STR("V5:later,\n"), STR("nonsense"), STR("V2:hi,"),
	STR("\0"), STR("I1:7,\n")
};

START_TEST(drops)	/* who is rude, and nobody else */
{
	int	a = msg_connect(path), b = msg_connect(path);

	tell(b, rude[_i]);
	check_answer(b, NULL);
	ck_assert_int_eq(gone, 1);
	tell(a, STR("V2:hi,\n"));
	check_answer(a, "5 0 1");
	close(b);
	b = msg_connect(path);
	tell(b, STR("V2:hi,\n"));
	check_answer(b, "5 0 2");
	close(a);
	close(b);
}
END_TEST

/* A client that asks and asks and reads later: it gets every answer, and others theirs meanwhile. */
START_TEST(deaf)
{
	int	a = msg_connect(path), b = msg_connect(path), asked, got = 0;

	ck_assert_int_eq(fdio_nonblock(a, 1), 0);
	for (asked = 0; asked < 100000; asked++) {
		if (asked % 50 == 0)
			turn();
		if (send(a, "V2:hi,\n", 7, MSG_NOSIGNAL) == -1)
			break;
	}
	ck_assert_int_eq(errno, EAGAIN);	/* not endless */
	ck_assert_int_lt(packets, asked);
	tell(b, STR("V2:hi,\n"));
	check_answer(b, "5 0 2");
	for (; msg_recv(a, &rec, NULL) == 1; got++)
		turn();
	ck_assert_int_eq(got, asked);
	ck_assert_int_eq(gone, 0);
	/* and one that goes without having read them */
	while (send(a, "V2:hi,\n", 7, MSG_NOSIGNAL) == 7)
		turn();
	close(a);
	turn();
	ck_assert_int_eq(gone, 1);
	ck_assert_uint_eq(peers_count(all), 1);
	close(b);
}
END_TEST

START_TEST(freed_with_clients)
{
	int	a = msg_connect(path);

	tell(a, STR("V2:hi,\n"));
	check_answer(a, "5 0 1");
	peers_free(&all);
	ck_assert_int_eq(gone, 1);
	check_answer(a, NULL);
	close(a);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("link");
	TCase	*tc = tcase_create("link"), *server = tcase_create("peers");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, says);
	tcase_add_loop_test(tc, hears, 0, nitems(events));
	tcase_add_loop_test(tc, serves_events, 0, nitems(events));
	suite_add_tcase(s, tc);
	tcase_set_timeout(server, 60);
	tcase_add_checked_fixture(server, peers_setup, peers_teardown);
	tcase_add_test(server, serves);
	tcase_add_loop_test(server, drops, 0, nitems(rude));
	tcase_add_test(server, deaf);
	tcase_add_test(server, freed_with_clients);
	suite_add_tcase(s, server);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
