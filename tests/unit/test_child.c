/* tests/unit/test_child.c - a started program has what the plan says and nothing else. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/fdio.h"
#include "common/proc/child.h"

static int	out[2];

static void
setup(void)
{
	ck_assert_int_eq(pipe(out), 0);
}

static void
teardown(void)
{
	fdio_close(&out[0]);
	fdio_close(&out[1]);
}

/* What the script writes to its descriptor 2. */
static void
run(struct child_plan *plan, const char *script, char *got, size_t size,
    int want)
{
	char	*argv[] = { strdup("sh"), strdup("-c"), strdup(script), NULL };
	ssize_t	n;
	pid_t	pid;
	int	status;

	if (plan->path == NULL)
		plan->path = "/bin/sh";
	plan->argv = argv;
	plan->err = out[1];
	ck_assert_int_gt(pid = child_spawn(plan), 0);
	fdio_close(&out[1]);
	ck_assert_int_ge(n = fdio_read(out[0], got, size - 1), 0);
	got[n] = '\0';
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), want);
	free(argv[0]);
	free(argv[1]);
	free(argv[2]);
}

START_TEST(descriptors)
{
	struct child_fd		fds[2];
	struct child_plan	plan = { .conf = -1, .log = -1, .link = -1,
	    .fds = fds, .nfds = 2 };
	char			got[4096];
	int			null, extra;

	ck_assert_int_ne(null = open("/dev/null", O_RDWR), -1);
	ck_assert_int_ne(extra = fcntl(null, F_DUPFD, 40), -1);
	/* numbers that collide with those in the child */
	fds[0].fd = fcntl(null, F_DUPFD, FD_FIRST + 1);
	fds[1].fd = fcntl(null, F_DUPFD, FD_CONF);
	snprintf(fds[0].name, sizeof(fds[0].name), "smtp");
	snprintf(fds[1].name, sizeof(fds[1].name), "route@smtp");
	plan.log = null;
	run(&plan, "i=0; while [ $i -lt 99 ]; do [ -e /proc/$$/fd/$i ] && "
	    "printf '%s ' $i >&2; i=$((i + 1)); done; echo \"$PH_FDS\" >&2",
	    got, sizeof(got), 0);
	ck_assert_str_eq(got, "0 1 2 4 6 7 6:smtp,7:route@smtp\n");
	fdio_close(&extra);
}
END_TEST

START_TEST(environment)
{
	char			extra[] = "X=1", *more[] = { extra, NULL };
	struct child_plan	plan = { .conf = -1, .log = -1, .link = -1,
	    .extra_env = more };
	char			got[4096];

	ck_assert_int_eq(setenv("SECRET", "x", 1), 0);
	ck_assert_int_eq(setenv("LD_PRELOAD_NOT", "x", 1), 0);
	ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
	run(&plan, "/usr/bin/env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= "
	    "-e SAN_OPTIONS | sort >&2", got, sizeof(got), 0);
	ck_assert_str_eq(got, "PATH=/usr/local/bin:/usr/bin:/bin\nPH_FDS=\n"
	    "TZ=UTC\nX=1\n");
}
END_TEST

START_TEST(signals)
{
	struct child_plan	plan = { .conf = -1, .log = -1, .link = -1 };
	sigset_t		set;
	char			got[4096];

	signal(SIGPIPE, SIG_IGN);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	/* 32 and 33 are libc's own, which posix_spawn(3) of a caller ignores */
	run(&plan, "grep -E '^Sig(Blk|Ign):' /proc/self/status | "
	    "sed '/^SigIgn/s/180000000$/000000000/' >&2", got, sizeof(got), 0);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	ck_assert_str_eq(got, "SigBlk:\t0000000000000000\n"
	    "SigIgn:\t0000000000000000\n");
}
END_TEST

static int
refuse(void *arg)
{
	(void)arg;
	return -1;
}

START_TEST(failures)
{
	struct child_plan	plan = { .path = "/nonexistent", .conf = -1,
	    .log = -1, .link = -1, .err = -1 };
	char			got[4096];
	struct child_fd		bad = { "a,b", 0 };

	ck_assert_int_eq(child_spawn(&plan), -1);
	ck_assert_int_eq(errno, ENOENT);
	plan.path = "/bin/sh";
	plan.fds = &bad;
	plan.nfds = 1;
	ck_assert_int_eq(child_spawn(&plan), -1);
	ck_assert_int_eq(errno, EINVAL);
	plan.nfds = CHILD_FDS + 1;
	ck_assert_int_eq(child_spawn(&plan), -1);
	ck_assert_int_eq(errno, E2BIG);
	plan.nfds = 0;
	plan.before_exec = refuse;
	run(&plan, "exit 0", got, sizeof(got), 75);
}
END_TEST

static const struct { const char *text; int want; } rows[] = {
	{ "", 0 },
	{ "50:smtp", 1 },
	{ "50:smtp,51:smtp", 2 },
	{ "50:smtp,", -1 },
	{ ",50:smtp", -1 },
	{ "50", -1 },
	{ "50:", -1 },
	{ "5:smtp", -1 },		/* one of the fixed ones */
	{ "99:closed", -1 },
	{ "-50:smtp", -1 },
	{ "99999999999:x", -1 },
	{ "50:a-name-of-more-than-thirty-one-ch", -1 },
	{ "50:a b", -1 },
};

START_TEST(found_in_the_child)
{
	struct child_fd	fds[CHILD_FDS];
	int		n;

	ck_assert_int_eq(dup2(out[0], 50), 50);
	ck_assert_int_eq(dup2(out[1], 51), 51);
	close(99);
	ck_assert_int_eq(setenv("PH_FDS", rows[_i].text, 1), 0);
	n = child_fds(fds);
	ck_assert_int_eq(n, rows[_i].want);
	if (n == 2) {
		ck_assert_int_eq(child_fd_find(fds, 2, "smtp", 0), 50);
		ck_assert_int_eq(child_fd_find(fds, 2, "smtp", 1), 51);
		ck_assert_int_eq(child_fd_find(fds, 2, "smtp", 2), -1);
		ck_assert_int_eq(child_fd_find(fds, 2, "smt", 0), -1);
		ck_assert_int_eq(fcntl(50, F_GETFD), FD_CLOEXEC);
	}
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("child");
	TCase	*t = tcase_create("child");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, descriptors);
	tcase_add_test(t, environment);
	tcase_add_test(t, signals);
	tcase_add_test(t, failures);
	tcase_add_loop_test(t, found_in_the_child, 0, nitems(rows));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
