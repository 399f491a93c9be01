/*
 * tests/unit/test_server_kept.c - connections that go on in threads of their
 * workers: what they share, what they count for, and how they end.
 */
#include "tests/unit/server_fixture.h"

static const struct server_limits	keeping = { 1, 10, 100, 3, 0, 0 };

static void
expect(int fd, char want)
{
	struct pollfd	p = { fd, POLLIN, 0 };
	char		c = 0;

	ck_assert_int_eq(poll(&p, 1, 30000), 1);
	ck_assert_int_eq(read(fd, &c, 1), want == 0 ? 0 : 1);
	ck_assert_int_eq(c, want);
}

static void
ask(int fd, char what, char want)
{
	ck_assert_int_eq(write(fd, &what, 1), 1);
	expect(fd, want);
}

/* The number of the worker that serves it. */
static pid_t
dial_worker(int *fd)
{
	char	text[64];

	*fd = dial(text, sizeof(text));
	ck_assert_msg(text[0] == 'h', "%s", text);
	return (pid_t)strtol(text + 6, NULL, 10);
}


static void
counters(char *out, size_t size)
{
	struct buf	rec;
	struct field	f;
	struct cur	in;
	size_t		n = 0;

	say("status");
	buf_init(&rec, MSG_MAX);
	ck_assert_int_eq(msg_recv(link_fd[0], &rec, NULL), 1);
	in = cur_from(buf_view(&rec));
	out[0] = '\0';
	while (record_next(&in, &f))
		if (f.tag == LINK_COUNTER)
			n += (size_t)snprintf(out + n, size - n, "%.*s ",
			    STR_ARG(f.value));
	buf_free(&rec);
}

/* A counter becomes so. */
static void
until(const char *what)
{
	char	text[512];
	int	i;

	for (i = 0; i < 1500; i++) {
		counters(text, sizeof(text));
		/* at no moment there are more than are possible */
		ck_assert_ptr_ne(strstr(text, "relays="), NULL);
		ck_assert_uint_le(strtoull(strstr(text, "relays=") + 7, NULL,
		    10), 40);
		if (strstr(text, what) != NULL)
			return;
		usleep(20000);
	}
	ck_abort_msg("%s: %s", what, text);
}

/* Kept, whatever others do. */
static pid_t
dial_kept_beside(int *fd)
{
	pid_t	worker = dial_worker(fd);

	ask(*fd, 'k', 'k');
	ask(*fd, 'x', 'x');
	return worker;
}

/* The listener knows of it afterwards, so that the worker can be given another one. */
static pid_t
dial_kept(int *fd)
{
	pid_t	worker = dial_kept_beside(fd);

	until("busy=0");
	return worker;
}

static void
until_ended(pid_t pid)
{
	int	i;

	for (i = 0; i < 1500; i++) {
		if (kill(pid, 0) == -1)
			return;
		usleep(20000);
	}
	ck_abort_msg("%d is still there", (int)pid);
}

static void
send_reload(void)
{
	struct buf	rec;
	struct msg_fds	fds = { .n = 2 };

	ck_assert_int_ne(fds.fd[0] = open("/dev/null", O_RDONLY | O_CLOEXEC),
	    -1);
	fds.fd[1] = dup(listening);
	ck_assert_int_ne(fds.fd[1], -1);
	buf_init(&rec, MSG_MAX);
	record_puts(&rec, LINK_VERB, "reload");
	record_puts(&rec, LINK_NAME, "tester");
	ck_assert_int_eq(msg_send(link_fd[0], &rec, &fds), 0);
	buf_free(&rec);
	msg_close_fds(&fds);
}

/* Nobody waits for anybody in the same worker, and it is filled before others are. */
START_TEST(kept_share_a_worker)
{
	pid_t	worker[5];
	int	fd[5], i;

	start(keeping);
	for (i = 0; i < 3; i++)
		worker[i] = dial_kept(&fd[i]);
	/* the third was given the worker while the two were there; now it is full */
	worker[3] = dial_kept(&fd[3]);
	ck_assert_int_eq(worker[0], worker[1]);
	ck_assert_int_eq(worker[0], worker[2]);
	ck_assert_int_ne(worker[0], worker[3]);
	until("relays=4");
	/* a conversation that takes its time */
	worker[4] = dial_worker(&fd[4]);
	ck_assert_int_eq(worker[4], worker[3]);
	until("busy=1 relays=4");
	ask(fd[3], 'y', 'y');
	/* the fuller one is preferred */
	ask(fd[1], 'q', 0);
	until("relays=3");
	ck_assert_int_eq(write(fd[4], "q", 1), 1);
	until("busy=0");
	close(fd[1]);
	ck_assert_int_eq(dial_kept(&fd[1]), worker[0]);
	for (i = 0; i < 4; i++)
		ask(fd[i], 'z', 'z');
	for (i = 0; i < 5; i++)
		close(fd[i]);
	until("relays=0");
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

START_TEST(kept_count_in_total)
{
	struct server_limits	l = keeping;
	char			text[64];
	int			fd[4], i;

	l.max_workers = 3;
	start(l);
	for (i = 0; i < 3; i++)
		(void)dial_kept(&fd[i]);
	fd[3] = dial(text, sizeof(text));
	ck_assert_str_eq(text, "busy total\n");
	close(fd[3]);
	close(fd[1]);
	until("relays=2");
	(void)dial_kept(&fd[1]);
	for (i = 0; i < 3; i++)
		close(fd[i]);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

START_TEST(kept_count_for_client)
{
	struct server_limits	l = keeping;
	char			text[64];
	int			fd[3];

	l.client_connections = 2;
	start(l);
	(void)dial_kept(&fd[0]);
	(void)dial_kept(&fd[1]);
	until("relays=2");
	fd[2] = dial(text, sizeof(text));
	ck_assert_str_eq(text, "busy client\n");
	close(fd[2]);
	ask(fd[0], 'q', 0);
	close(fd[0]);
	until("relays=1");
	(void)dial_kept(&fd[0]);
	close(fd[0]);
	close(fd[1]);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

/* With one place the session goes on itself. */
START_TEST(none_is_kept)
{
	struct server_limits	l = keeping;
	int			fd;

	l.relays_per_worker = (unsigned)_i;
	start(l);
	(void)dial_worker(&fd);
	ask(fd, 'k', 'n');
	until("busy=1 relays=0");
	ask(fd, 'm', 'y');
	close(fd);
	until("busy=0");
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

START_TEST(gone_before_kept)
{
	int	fd, i;

	start(keeping);
	for (i = 0; i < 6; i++) {
		(void)dial_worker(&fd);
		ask(fd, 'g', 0);
		close(fd);
		until("busy=0 relays=0");
	}
	(void)dial_kept(&fd);
	until("busy=0 relays=1");
	close(fd);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

/* It has served as many as it may: it ends with the last that it has. */
START_TEST(used_up_with_kept)
{
	struct server_limits	l = keeping;
	pid_t			worker;
	int			fd[3];

	l.sessions_per_worker = 2;
	start(l);
	worker = dial_kept(&fd[0]);
	ck_assert_int_eq(dial_kept(&fd[1]), worker);
	until("relays=2");
	ck_assert_int_ne(dial_kept(&fd[2]), worker);
	ask(fd[0], 'x', 'x');
	ask(fd[0], 'q', 0);
	until("relays=2");
	ask(fd[1], 'x', 'x');
	ck_assert_int_eq(kill(worker, 0), 0);
	ask(fd[1], 'q', 0);
	until_ended(worker);
	until("relays=1");
	ask(fd[2], 'x', 'x');
	close(fd[0]);
	close(fd[1]);
	close(fd[2]);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

START_TEST(reloaded_with_kept)
{
	pid_t	worker;
	int	fd[3];

	start(keeping);
	worker = dial_kept(&fd[0]);
	/* one in the middle of its conversation becomes a kept one of the old worker, too */
	ck_assert_int_eq(dial_worker(&fd[1]), worker);
	until("busy=1 relays=1");
	send_reload();
	until("busy=1 relays=1");
	ask(fd[1], 'k', 'k');
	until("busy=0 relays=2");
	ck_assert_int_ne(dial_kept(&fd[2]), worker);
	ask(fd[0], 'x', 'x');
	ask(fd[0], 'q', 0);
	until("relays=2");
	ask(fd[1], 'x', 'x');
	ask(fd[1], 'q', 0);
	until_ended(worker);
	until("relays=1");
	ask(fd[2], 'x', 'x');
	close(fd[0]);
	close(fd[1]);
	close(fd[2]);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

/* Its connections end with it, and no others; what they counted for is free again. */
START_TEST(killed_with_kept)
{
	struct server_limits	l = keeping;
	pid_t			worker, other;
	int			fd[5], i;

	l.client_connections = 5;
	start(l);
	for (i = 0; i < 3; i++)
		worker = dial_kept(&fd[i]);
	other = dial_kept(&fd[3]);
	ck_assert_int_ne(worker, other);
	(void)dial_worker(&fd[4]);
	until("busy=1 relays=4");
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	for (i = 0; i < 3; i++) {
		expect(fd[i], 0);
		close(fd[i]);
	}
	until("busy=1 relays=1");
	ask(fd[3], 'x', 'x');
	close(fd[4]);
	for (i = 0; i < 4; i++)
		(void)dial_kept(&fd[i == 3 ? 4 : i]);
	for (i = 0; i < 5; i++)
		close(fd[i]);
	until("busy=0 relays=0");
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

/* What a worker says of others or twice counts for nothing; whoever talks nonsense is given no more. */
START_TEST(taken_over)
{
	struct server_limits	l = keeping;
	pid_t			worker;
	int			fd[6], i;
	char			text[64];

	l.client_connections = 4;
	start(l);
	worker = dial_kept(&fd[0]);
	ck_assert_int_eq(dial_kept(&fd[1]), worker);
	ck_assert_int_eq(dial_worker(&fd[2]), worker);
	if (_i == 0) {
		ck_assert_int_eq(write(fd[2], "l", 1), 1);
		until("busy=0 relays=0");
	} else {
		ck_assert_int_eq(write(fd[2], "e", 1), 1);
		ck_assert_int_ne(dial_kept_beside(&fd[3]), worker);
		until("busy=1 relays=3");	/* they are counted until it ends */
		close(fd[3]);
		until("relays=2");
	}
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	until_ended(worker);
	until("busy=0 relays=0");
	for (i = 0; i < 3; i++)
		close(fd[i]);
	/* the limit is what it was: neither more nor less */
	for (i = 0; i < 4; i++)
		(void)dial_kept(&fd[i]);
	fd[4] = dial(text, sizeof(text));
	ck_assert_str_eq(text, "busy client\n");
	for (i = 0; i < 5; i++)
		close(fd[i]);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

/* All are told: those that are kept, and one whose conversation goes on. */
START_TEST(stopped_with_kept)
{
	int	fd[5], i;

	start(keeping);
	for (i = 0; i < 4; i++)
		(void)dial_kept(&fd[i]);
	(void)dial_worker(&fd[4]);
	say("stop");
	for (i = 0; i < 4; i++) {
		expect(fd[i], 'b');
		expect(fd[i], 0);
		close(fd[i]);
	}
	expect(fd[4], 0);
	close(fd[4]);
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

START_TEST(fault_of_a_kept_one)
{
	int	fd[2];

	start(keeping);
	(void)dial_kept(&fd[0]);
	(void)dial_kept(&fd[1]);
	ck_assert_int_eq(write(fd[0], "a", 1), 1);
	ck_assert_int_eq(end(), EX_SOFTWARE);
	expect(fd[1], 0);
	close(fd[0]);
	close(fd[1]);
}
END_TEST

/* After a while those without a connection are gone, and those with some are not. */
START_TEST(shrinks_around_kept)
{
	pid_t	worker[4];
	int	fd[4], i;

	start(keeping);
	for (i = 0; i < 4; i++)
		worker[i] = dial_worker(&fd[i]);	/* each has its own */
	ask(fd[1], 'k', 'k');
	ask(fd[1], 'x', 'x');
	for (i = 0; i < 4; i++)
		if (i != 1)
			close(fd[i]);
	until("busy=0 relays=1");
	until("workers=1 ");
	ck_assert_int_eq(kill(worker[1], 0), 0);
	ask(fd[1], 'x', 'x');
	/* and it is the one that is used */
	ck_assert_int_eq(dial_kept(&fd[0]), worker[1]);
	close(fd[0]);
	close(fd[1]);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

/* A connection that is given up at some point; it may be refused, too. */
static void
brief(void)
{
	int	fd = dial_only();
	char	c;

	if (random() % 4 != 0 && read(fd, &c, 1) == 1 && random() % 4 != 0)
		(void)!send(fd, random() % 4 != 0 ? "k" : "g", 1, MSG_NOSIGNAL);
	close(fd);
}

/* Many come and go in every order: at the end nothing is counted. */
START_TEST(kept_come_and_go)
{
	struct server_limits	l = keeping;
	int			fd[24], i, at, rounds = 400;

	l.max_workers = nitems(fd) + 10;
	l.sessions_per_worker = 30;
	start(l);
	for (i = 0; i < (int)nitems(fd); i++)
		fd[i] = -1;
	srandom(1);
	for (i = 0; i < rounds; i++) {
		at = (int)((unsigned long)random() % nitems(fd));
		if (fd[at] != -1) {
			if (random() % 2 == 0)
				ask(fd[at], 'q', 0);
			close(fd[at]);
			fd[at] = -1;
			continue;
		}
		brief();
		if (random() % 2 == 0) {
			until("busy=0");
			(void)dial_kept(&fd[at]);
		}
	}
	for (i = 0; i < (int)nitems(fd); i++)
		if (fd[i] != -1) {
			ask(fd[i], 'x', 'x');
			close(fd[i]);
		}
	until("busy=0 relays=0");
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("server_kept");
	TCase	*t = tcase_create("server_kept");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, kept_share_a_worker);
	tcase_add_test(t, kept_count_in_total);
	tcase_add_test(t, kept_count_for_client);
	tcase_add_loop_test(t, none_is_kept, 0, 2);
	tcase_add_test(t, gone_before_kept);
	tcase_add_test(t, used_up_with_kept);
	tcase_add_test(t, reloaded_with_kept);
	tcase_add_test(t, killed_with_kept);
	tcase_add_loop_test(t, taken_over, 0, 2);
	tcase_add_test(t, stopped_with_kept);
	tcase_add_test(t, fault_of_a_kept_one);
	tcase_add_test(t, shrinks_around_kept);
	tcase_add_test(t, kept_come_and_go);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
