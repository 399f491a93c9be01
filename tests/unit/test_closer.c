/* tests/unit/test_closer.c - who closes what queue has removed. */
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "queue/queue.h"

#define MANY	40	/* more than fit in a packet */

/* Has everybody closed the other end within some seconds? */
static bool
is_closed(int fd, int seconds)
{
	struct pollfd	p = { .fd = fd, .events = 0 };

	return poll(&p, 1, seconds * 1000) == 1 && (p.revents & POLLHUP) != 0;
}

static void
start(struct queue *q)
{
	*q = (struct queue){ .base = NULL };
	ck_assert_int_eq(closer_new(q), 0);
}

static void
end(struct queue *q)
{
	int	status;

	closer_free(&q->closer);
	ck_assert_ptr_null(q->closer);
	/* the end of the socket is the end of the process */
	ck_assert_int_gt(wait(&status), 0);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

START_TEST(all_are_closed)
{
	struct queue	q;
	int		p[MANY][2], i;

	start(&q);
	for (i = 0; i < MANY; i++) {
		ck_assert_int_eq(pipe2(p[i], O_CLOEXEC), 0);
		closer_add(&q, &p[i][1]);
		ck_assert_int_eq(p[i][1], -1);
	}
	/* the last ones wait for company */
	ck_assert(!is_closed(p[MANY - 1][0], 0));
	closer_work(&q);
	for (i = 0; i < MANY; i++) {
		ck_assert(is_closed(p[i][0], 20));
		fdio_close(&p[i][0]);
	}
	end(&q);
}
END_TEST

/* What was added and never sent is closed with the rest. */
START_TEST(the_rest_at_the_end)
{
	struct queue	q;
	int		p[2];

	start(&q);
	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	closer_add(&q, &p[1]);
	end(&q);
	ck_assert(is_closed(p[0], 0));
	fdio_close(&p[0]);
}
END_TEST

/* A process that died is done without. */
START_TEST(without_the_process)
{
	struct queue	q;
	int		p[2], status, i;
	pid_t		pid;

	start(&q);
	ck_assert_int_gt(pid = closer_pid(&q), 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
		closer_add(&q, &p[1]);
		closer_work(&q);
		ck_assert(is_closed(p[0], 0));
		fdio_close(&p[0]);
	}
	closer_free(&q.closer);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("closer");
	TCase	*t = tcase_create("closer");
	SRunner	*r;
	int	 failed;

	tcase_add_test(t, all_are_closed);
	tcase_add_test(t, the_rest_at_the_end);
	tcase_add_test(t, without_the_process);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
