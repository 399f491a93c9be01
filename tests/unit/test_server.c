/* tests/unit/test_server.c - workers are forked, given connections, limited and missed. */
#include "tests/unit/server_fixture.h"

static const struct server_limits	plain = { 2, 10, 100, 0, 0, 0 };

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
		ck_assert_int_eq(poll(&p, 1, 30000), 1);
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
