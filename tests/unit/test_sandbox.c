/* tests/unit/test_sandbox.c - each profile refuses what a taken-over program would try. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/proc/sandbox.h"

enum { CHILD_DENIED = 10, CHILD_ALLOWED, CHILD_SETUP };

static int
open_passwd(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int
create_in_tmp(void)
{
	return open("/tmp/posthouse-sandbox-escape",
	    O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int
inet_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
run_true(void)
{
	char	name[] = "true", *argv[] = { name, NULL };

	return execv("/bin/true", argv);
}

static int
trace_parent(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == -1 ? -1 : 0;
}

static int
map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int
udp_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static void *
nothing(void *arg)
{
	return arg;
}

static int
one_thread(void)
{
	pthread_t	id;

	return pthread_create(&id, NULL, nothing, NULL) == 0 &&
	    pthread_join(id, NULL) == 0 ? 0 : -1;
}

static int
pass_on(void)
{
	struct msghdr	m = { .msg_iovlen = 0 };

	return sendmsg(STDIN_FILENO, &m, 0) == -1 && errno == EPERM ? -1 : 0;
}

/* As a session does that gives its connection back. */
static int
mark(void)
{
	struct msghdr	m = { .msg_iovlen = 0 };

	return sendmsg(STDIN_FILENO, &m, MSG_NOSIGNAL) == -1 &&
	    errno == EPERM ? -1 : 0;
}

static int
receive(void)
{
	struct msghdr	m = { .msg_iovlen = 0 };

	return recvmsg(STDIN_FILENO, &m, MSG_DONTWAIT) == -1 &&
	    errno == EPERM ? -1 : 0;
}

static int
more_of_it(void)
{
	return dup(STDIN_FILENO);
}

static int
wait_for_many(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

/* Opened before. */
static int	file;

static int
set_user_id(void)
{
	return fchmod(file, 04700);
}

static int
set_mode(void)
{
	return fchmod(file, 02700);
}

#define INET	(1u << SANDBOX_SENDER | 1u << SANDBOX_REMOTE | 1u << SANDBOX_HOP | \
			    1u << SANDBOX_HTTP)
#define THREADS	(1u << SANDBOX_LISTENER | 1u << SANDBOX_FRONT | \
			    1u << SANDBOX_HOP | 1u << SANDBOX_KEYS | 1u << SANDBOX_HTTP)

#define WRITERS	(1u << SANDBOX_LISTENER | 1u << SANDBOX_SMTPD | \
			    1u << SANDBOX_QUEUE | 1u << SANDBOX_LOG | \
			    1u << SANDBOX_SESSION | \
			    1u << SANDBOX_SESSION_BACK | \
			    1u << SANDBOX_MAILDIR | \
			    1u << SANDBOX_TOOL)
#define BACK	(1u << SANDBOX_SESSION_BACK)
#ifdef PH_SANITIZE
#define MANY	(~0u)	/* what the sanitizers want themselves is everybody's */

/* A filter that is refused may leave a process from which leaks cannot be looked for. */
int	__lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return 1;
}
#else
#define MANY	(~0u & ~(1u << SANDBOX_SESSION) & ~BACK)
#endif

static const struct { const char *what; int (*try)(void); unsigned may; } attempts[] = {
	{ "open /etc/passwd", open_passwd, 0 },
	{ "create in /tmp", create_in_tmp, 0 },
	{ "socket(AF_INET)", inet_socket, INET },
	{ "socket(AF_INET, SOCK_DGRAM)", udp_socket,
	    1u << SANDBOX_HOP | 1u << SANDBOX_HTTP },
	{ "pthread_create", one_thread, THREADS },
	{ "execve", run_true, 0 },
	{ "ptrace", trace_parent, 0 },
	{ "mmap(PROT_EXEC)", map_code, 0 },
	{ "sendmsg", pass_on, MANY },
	{ "sendmsg(MSG_NOSIGNAL)", mark, MANY | BACK },
	{ "recvmsg", receive, MANY },
	{ "dup", more_of_it, MANY },
	{ "epoll_create1", wait_for_many, MANY },
	{ "fchmod(04700)", set_user_id, 0 },
	{ "fchmod(02700)", set_mode, WRITERS },
};

/* By its own filter, or one that it was given. */
static int
enter(enum sandbox_profile profile, bool given)
{
	struct diag	why;
	int		fd;

	if (!given)
		return sandbox_enter(profile, NULL, 0, &why);
	if ((fd = sandbox_export(profile, &why)) == -1)
		return -1;
	return sandbox_enter_given(profile, fd, NULL, 0, &why);
}

/* Status of a child that enters the profile and tries. */
static int
attempt(enum sandbox_profile profile, bool given, int (*try)(void))
{
	pid_t		pid;
	int		status;

	ck_assert_int_ne(file = memfd_create("t", MFD_CLOEXEC), -1);
	ck_assert_int_ne(pid = fork(), -1);
	if (pid == 0) {
		if (enter(profile, given) == -1)
			_exit(CHILD_SETUP);
		_exit(try() == -1 ? CHILD_DENIED : CHILD_ALLOWED);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(file);
	return status;
}

START_TEST(refuses)
{
	size_t	i;
	int	st, want;

	for (i = 0; i < 2 * nitems(attempts); i++) {
		st = attempt((enum sandbox_profile)_i, i % 2 == 1,
		    attempts[i / 2].try);
		want = attempts[i / 2].may & 1u << _i ? CHILD_ALLOWED :
		    CHILD_DENIED;
		ck_assert_msg((WIFEXITED(st) && WEXITSTATUS(st) == want) ||
		    (WIFSIGNALED(st) && WTERMSIG(st) == SIGSYS),
		    "%s: %s: wait status %d", sandbox_name(
		    (enum sandbox_profile)_i), attempts[i / 2].what, st);
	}
}
END_TEST

/* Many of them share one. */
START_TEST(given_is_sealed)
{
	struct diag	why;
	int		fd;

	ck_assert_int_ne(fd = sandbox_export(SANDBOX_SESSION, &why), -1);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	close(fd);
}
END_TEST

#define SEALS	(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* Whoever could still write to it could give more rights; nothing is entered then. */
static const struct { const char *text; size_t n; int seals; } bad[] = {
	{ "12345678", 8, 0 },
	{ "12345678", 8, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE },
	{ "12345678", 8, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL },
	{ "", 0, SEALS },
	{ "1234567", 7, SEALS },
	{ "12345678", 8, SEALS },	/* no such instruction */
};

START_TEST(bad_filters)
{
	struct diag	why = { "" };
	int		fd;

	ck_assert_int_ne(fd = memfd_create("t", MFD_CLOEXEC |
	    MFD_ALLOW_SEALING), -1);
	ck_assert_int_eq(write(fd, bad[_i].text, bad[_i].n),
	    (ssize_t)bad[_i].n);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, bad[_i].seals), 0);
	ck_assert_int_eq(sandbox_enter_given(SANDBOX_SESSION, fd, NULL, 0,
	    &why), -1);
	ck_assert_str_ne(why.text, "");
	close(fd);
}
END_TEST

START_TEST(no_filter)
{
	struct diag	why = { "" };

	ck_assert_int_eq(sandbox_enter_given(SANDBOX_SESSION, -1, NULL, 0,
	    &why), -1);
	ck_assert_str_ne(why.text, "");
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("sandbox");
	TCase	*t = tcase_create("sandbox");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, refuses, 0, SANDBOX_COUNT);
	tcase_add_test(t, given_is_sealed);
	tcase_add_loop_test(t, bad_filters, 0, nitems(bad));
	tcase_add_test(t, no_filter);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
