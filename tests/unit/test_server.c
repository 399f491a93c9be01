/* tests/unit/test_server.c - a pool that answers with its process number, in a process of its own. */
#include <sys/socket.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/net/server.h"
#include "common/proc/link.h"
#include "common/proc/msg.h"

static int	link_fd[2], port;
static pid_t	pool;
static bool	early;		/* the listener greets */

/* Says who it is, then does what the client's letter asks for. */
static void
session(void *arg, const struct server_session *s)
{
	char	text[64], c = 'q';
	int	n;

	(void)arg;
	n = snprintf(text, sizeof(text), "hello %d %d\n", (int)getpid(),
	    s->stress);
	if (!s->greeted || strcmp(s->service, "tester") != 0 || (!early && write(s->fd, text, (size_t)n) == -1))
		_exit(1);
	while (*s->stop == 0) {
		if (poll(&(struct pollfd){ s->fd, POLLIN, 0 }, 1, 100) <= 0)
			continue;
		if (read(s->fd, &c, 1) != 1)
			break;
		if (c == 'a')
			abort();
		if (c == 'q')
			break;
		if (c == 'm') {
			n = server_rate_ok(s->client, 'm', 2);
			if (write(s->fd, n ? "y" : "n", 1) == -1)
				break;
		}
	}
	close(s->fd);
}

static int
worker_init(void *arg)
{
	(void)arg;
	return 0;
}

static const char *
refusal(void *arg, const char *service, bool total)
{
	(void)arg;
	ck_assert_str_eq(service, "tester");
	return total ? "busy total\n" : "busy client\n";
}

static const char *
first_words(void *arg, const char *service)
{
	(void)arg;
	ck_assert_str_eq(service, "tester");
	return early ? "early\n" : "";
}

static int
reload(void *arg, struct link_event *ev, struct server_limits *l)
{
	(void)arg;
	ck_assert_int_ne(ev->conf, -1);
	l->client_connections = 1;
	return 0;
}

static const struct server_ops	ops = { worker_init, session, refusal, first_words,
				    reload };

static void
start(struct server_limits l)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	socklen_t		len = sizeof(sin);
	struct addr		a;
	struct buf		rec;
	struct child_fd		in = { "tester", -1 };
	int			fd;

	ck_assert_int_eq(addr_parse_listen("127.0.0.1:1", &a), 0);
	a.port = 0;	/* any that is free */
	ck_assert_int_ne(fd = addr_listen(&a, 64), -1);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	port = ntohs(sin.sin_port);
	ck_assert_int_eq(msg_pair(link_fd), 0);
	fflush(NULL);
	in.fd = fd;
	if ((pool = fork()) == 0) {
		close(link_fd[0]);
		log_set_level(LOG_LEVEL_ERROR);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(9);
		_exit(server_run("test", link_fd[1], &in, 1, &l, &ops, NULL));
	}
	close(fd);
	close(link_fd[1]);
	buf_init(&rec, MSG_MAX);
	ck_assert_int_eq(msg_recv(link_fd[0], &rec, NULL), 1);
	buf_free(&rec);
}

static int
end(void)
{
	int	status;

	ck_assert_int_eq(waitpid(pool, &status, 0), pool);
	close(link_fd[0]);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
say(const char *verb)
{
	struct buf	rec;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, LINK_VERB, verb);
	ck_assert_int_eq(msg_send(link_fd[0], &rec, NULL), 0);
	buf_free(&rec);
}

static int
dial_only(void)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	int			fd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_port = htons((uint16_t)port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

static void
greeting(int fd, char *line, size_t size)
{
	size_t	n = 0;

	while (n < size - 1 && read(fd, line + n, 1) == 1 && line[n++] != '\n')
		continue;
	line[n] = '\0';
}

static int
dial(char *line, size_t size)
{
	int	fd = dial_only();

	greeting(fd, line, size);
	return fd;
}

static const struct server_limits	plain = { 2, 10, 100, 0, 0 };

START_TEST(serves_and_stops)
{
	char	a[64], b[64];
	int	fd;

	start(plain);
	fd = dial(a, sizeof(a));
	ck_assert_int_eq(strncmp(a, "hello ", 6), 0);
	close(fd);
	fd = dial(b, sizeof(b));
	ck_assert_int_eq(strncmp(b, "hello ", 6), 0);
	say("stop");	/* with a session that is idle */
	ck_assert_int_eq(end(), EX_OK);
	close(fd);
}
END_TEST

START_TEST(listener_greets)
{
	char	line[64];
	int	fd;

	early = true;
	start(plain);
	early = false;
	fd = dial(line, sizeof(line));
	ck_assert_str_eq(line, "early\n");
	ck_assert_int_eq(write(fd, "m", 1), 1);
	ck_assert_int_eq(read(fd, line, 1), 1);
	ck_assert_int_eq(line[0], 'y');
	close(fd);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

START_TEST(worker_serves_so_many)
{
	struct server_limits	l = plain;
	char			text[3][64];
	int			i;

	l.min_spare = 1;
	l.max_workers = 1;
	l.sessions_per_worker = 2;
	start(l);
	for (i = 0; i < 3; i++) {
		/* while one ends and the next begins all places are taken */
		do {
			int	fd = dial(text[i], sizeof(text[i]));

			if (text[i][0] == 'h')
				ck_assert_int_eq(write(fd, "q", 1), 1);
			ck_assert_int_ne(poll(NULL, 0, 20), -1);
			close(fd);
		} while (text[i][0] != 'h');
	}
	ck_assert_str_eq(text[0], text[1]);
	ck_assert_str_ne(text[0], text[2]);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

/* More at once than there are workers: one that is forked for a connection is not left with a second descriptor of it. */
START_TEST(closes_what_came_in_a_burst)
{
	char	text[64];
	int	fd[6];
	size_t	i;

	start(plain);
	ck_assert_int_eq(kill(pool, SIGSTOP), 0);
	for (i = 0; i < nitems(fd); i++)
		fd[i] = dial_only();
	ck_assert_int_eq(kill(pool, SIGCONT), 0);
	for (i = 0; i < nitems(fd); i++) {
		greeting(fd[i], text, sizeof(text));
		ck_assert_int_eq(text[0], 'h');
	}
	for (i = 0; i < nitems(fd); i++) {
		struct pollfd	p = { fd[i], POLLIN, 0 };

		ck_assert_int_eq(write(fd[i], "q", 1), 1);
		ck_assert_int_eq(poll(&p, 1, 5000), 1);
		ck_assert_int_eq(read(fd[i], text, 1), 0);
		close(fd[i]);
	}
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

START_TEST(limit_total)
{
	struct server_limits	l = plain;
	char			text[64];
	int			fd[4], i;

	l.max_workers = 3;
	start(l);
	for (i = 0; i < 3; i++) {
		fd[i] = dial(text, sizeof(text));
		ck_assert_int_eq(text[0], 'h');
	}
	fd[3] = dial(text, sizeof(text));
	ck_assert_str_eq(text, "busy total\n");
	for (i = 0; i < 4; i++)
		close(fd[i]);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

START_TEST(limit_client)
{
	struct server_limits	l = plain;
	char			text[64];
	int			a, b, i;

	l.client_connections = 1;
	start(l);
	a = dial(text, sizeof(text));
	ck_assert_int_eq(text[0], 'h');
	b = dial(text, sizeof(text));
	ck_assert_str_eq(text, "busy client\n");
	close(b);
	close(a);
	for (i = 0; i < 100; i++) {	/* until the end of the first is noticed */
		b = dial(text, sizeof(text));
		close(b);
		if (text[0] == 'h')
			break;
		ck_assert_int_ne(poll(NULL, 0, 20), -1);
	}
	ck_assert_int_eq(text[0], 'h');
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

START_TEST(limit_rate)
{
	struct server_limits	l = plain;
	char			text[64];
	int			i, refused = 0;

	l.client_connection_rate = 3;
	start(l);
	/* a minute may begin in the middle: then three more are served */
	for (i = 0; i < 8; i++) {
		close(dial(text, sizeof(text)));
		refused += strcmp(text, "busy client\n") == 0;
	}
	ck_assert_int_ge(refused, 2);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

START_TEST(rate_of_messages)
{
	char	text[64], c;
	int	fd, i, no = 0;

	start(plain);
	fd = dial(text, sizeof(text));
	for (i = 0; i < 6; i++) {
		ck_assert_int_eq(write(fd, "m", 1), 1);
		ck_assert_int_eq(read(fd, &c, 1), 1);
		no += c == 'n';
	}
	ck_assert_int_ge(no, 2);
	close(fd);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

START_TEST(fault_ends_the_image)
{
	char	text[64], c;
	int	other, fd;

	start(plain);
	other = dial(text, sizeof(text));
	fd = dial(text, sizeof(text));
	ck_assert_int_eq(write(fd, "a", 1), 1);
	ck_assert_int_eq(end(), EX_SOFTWARE);
	/* the other session goes on without its listener */
	ck_assert_int_eq(write(other, "m", 1), 1);
	ck_assert_int_eq(read(other, &c, 1), 1);
	close(other);
	close(fd);
}
END_TEST

START_TEST(worker_killed_is_replaced)
{
	char	text[64];
	int	i, fd = -1;

	start(plain);
	for (i = 0; i < 5; i++) {
		fd = dial(text, sizeof(text));
		ck_assert_int_eq(text[0], 'h');
		ck_assert_int_eq(kill((pid_t)strtol(text + 6, NULL, 10),
		    SIGKILL), 0);
		ck_assert_int_eq(read(fd, text, 1), 0);
		close(fd);
	}
	fd = dial(text, sizeof(text));
	ck_assert_int_eq(text[0], 'h');
	close(fd);
	say("stop");
	ck_assert_int_eq(end(), EX_OK);
}
END_TEST

START_TEST(master_gone)
{
	char	text[64];
	int	fd;

	start(plain);
	fd = dial(text, sizeof(text));
	close(link_fd[0]);
	ck_assert_int_eq(end(), EX_OK);
	close(fd);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("server");
	TCase	*t = tcase_create("server");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(t, 20);
	tcase_add_test(t, serves_and_stops);
	tcase_add_test(t, listener_greets);
	tcase_add_test(t, worker_serves_so_many);
	tcase_add_test(t, closes_what_came_in_a_burst);
	tcase_add_test(t, limit_total);
	tcase_add_test(t, limit_client);
	tcase_add_test(t, limit_rate);
	tcase_add_test(t, rate_of_messages);
	tcase_add_test(t, fault_ends_the_image);
	tcase_add_test(t, worker_killed_is_replaced);
	tcase_add_test(t, master_gone);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
