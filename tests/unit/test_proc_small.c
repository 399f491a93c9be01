/* tests/unit/test_proc_small.c - ready, sig and priv: the notification, signals as bits, rights given up. */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/proc/priv.h"
#include "common/proc/ready.h"
#include "common/proc/sig.h"

/* ---- ready */

static int
manager(char name[64], bool abstract)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	size_t			n;
	int			fd;

	snprintf(name, 64, "%s/test_ready.%d", abstract ? "@" : "/tmp",
	    (int)getpid());
	n = strlen(name);
	memcpy(sun.sun_path, name, n + 1);
	if (abstract)
		sun.sun_path[0] = '\0';
	ck_assert_int_ne(fd = socket(AF_UNIX, SOCK_DGRAM, 0), -1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n +
	    !abstract)), 0);
	return fd;
}

START_TEST(notify)	/* loop: a path, an abstract name */
{
	char	name[64], got[64];
	int	fd = manager(name, _i == 1);

	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	ck_assert_int_eq(ready_notify("READY=1\nSTATUS=x"), 0);
	ck_assert_int_eq(recv(fd, got, sizeof(got), MSG_DONTWAIT), 16);
	ck_assert_mem_eq(got, "READY=1\nSTATUS=x", 16);
	close(fd);
	/* nobody is there any more */
	ck_assert_int_eq(ready_notify("READY=1"), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	if (_i == 0)
		unlink(name);
	unsetenv("NOTIFY_SOCKET");
}
END_TEST

START_TEST(notify_nobody)
{
	static const char *const bad[] = { "x", "/", "@", "vsock:1:2" };
	char	name[200];
	size_t	i;

	unsetenv("NOTIFY_SOCKET");
	ck_assert_int_eq(ready_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	ck_assert_int_eq(ready_notify("READY=1"), 0);
	for (i = 0; i < 4; i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		ck_assert_int_eq(ready_notify("READY=1"), -1);
		ck_assert_int_eq(errno, EINVAL);
	}
	memset(name, 'a', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	ck_assert_int_eq(ready_notify("READY=1"), -1);
	ck_assert_int_eq(errno, EINVAL);
	unsetenv("NOTIFY_SOCKET");
}
END_TEST

static const struct { const char *usec; int pid; int64_t ms; } watchdogs[] = {
	{ NULL, 0, 0 }, { "", 0, 0 }, { "x", 0, 0 }, { "-1", 0, 0 },
	{ "0", 0, 0 }, { "1", 0, 1 }, { "1999", 0, 1 }, { "2000", 0, 1 },
	{ "30000000", 0, 15000 }, { "30000000", 1, 15000 },
	{ "30000000", 2, 0 }, { "30000000", 3, 0 },
	{ "9223372036854775807", 0, INT64_C(4611686018427387) },
	{ "9223372036854775808", 0, 0 },
};

START_TEST(watchdog)	/* pid: 0 not set, 1 ours, 2 another, 3 nonsense */
{
	char	text[32];

	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (watchdogs[_i].usec != NULL)
		setenv("WATCHDOG_USEC", watchdogs[_i].usec, 1);
	snprintf(text, sizeof(text), "%d",
	    (int)getpid() + (watchdogs[_i].pid == 2));
	if (watchdogs[_i].pid != 0)
		setenv("WATCHDOG_PID", watchdogs[_i].pid == 3 ? "1x" : text, 1);
	ck_assert_int_eq(ready_watchdog_ms(), watchdogs[_i].ms);
}
END_TEST

/* ---- sig; in children, since it changes the process */

static bool
is_readable(int fd)
{
	struct pollfd	p = { fd, POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

#define NEED(x)	do { if (!(x)) _exit(__LINE__ % 250 + 1); } while (0)

static void
sig_events(void)
{
	static const struct { int signo; unsigned event; } all[] = {
		{ SIGTERM, SIG_EV_TERM }, { SIGINT, SIG_EV_TERM },
		{ SIGHUP, SIG_EV_HUP }, { SIGCHLD, SIG_EV_CHLD },
		{ SIGUSR1, SIG_EV_USR1 } };
	size_t	i;
	int	fd, n;

	fd = sig_init(SIG_EV_TERM | SIG_EV_HUP | SIG_EV_CHLD | SIG_EV_USR1);
	NEED(fd != -1 && !is_readable(fd) && sig_take() == 0);
	for (i = 0; i < 5; i++) {
		NEED((*sig_stop_flag() != 0) == (i > 0));
		NEED(raise(all[i].signo) == 0 && is_readable(fd));
		NEED(sig_take() == all[i].event);
		NEED(!is_readable(fd) && sig_take() == 0);
	}
	/* more than the pipe holds: nobody waits, nothing is forgotten */
	for (n = 0; n < 70000; n++)
		raise(n % 2 == 0 ? SIGHUP : SIGUSR1);
	NEED(is_readable(fd));
	NEED(sig_take() == (SIG_EV_HUP | SIG_EV_USR1));
	NEED(!is_readable(fd));
	signal(SIGPIPE, SIG_DFL);
	NEED(sig_init(SIG_EV_TERM) != -1);
	raise(SIGPIPE);		/* is ignored */
	errno = ENOTTY;
	raise(SIGTERM);
	NEED(errno == ENOTTY);
	raise(SIGHUP);		/* has its default again: the end */
}

static void
sig_forked(void)
{
	int	old, fd;

	NEED((old = sig_init(SIG_EV_TERM | SIG_EV_HUP)) != -1);
	raise(SIGHUP);
	NEED((fd = sig_after_fork(SIG_EV_TERM)) != -1);
	NEED(!is_readable(fd) && sig_take() == 0);	/* the parent's HUP */
	raise(SIGTERM);
	NEED((fd = sig_after_fork(SIG_EV_TERM)) != -1);
	NEED(is_readable(fd));		/* a TERM is kept */
	NEED(sig_take() == SIG_EV_TERM && *sig_stop_flag() != 0);
	(void)old;
	_exit(0);
}

static int
in_child(void (*f)(void))
{
	int	status;
	pid_t	pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		f();
		_exit(255);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(signals)
{
	int	status = in_child(sig_events);

	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP,
	    "status %x", status);
	ck_assert_int_eq(in_child(sig_forked), 0);
}
END_TEST

/* ---- priv */

static void
harden(void)
{
	struct rlimit	core;

	NEED(priv_harden(true) == 0);
	NEED(umask(0) == 077);
	NEED(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 &&
	    core.rlim_max == 0);
	NEED(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	NEED(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	_exit(0);
}

static void
become(void)
{
	struct diag	why;
	gid_t		groups[8];

	NEED(priv_become(NULL, 61001, 61002, &why) == 0);
	NEED(getuid() == 61001 && geteuid() == 61001);
	NEED(getgid() == 61002 && getegid() == 61002);
	NEED(getgroups(8, groups) == 0);
	NEED(setuid(0) == -1 && setgid(0) == -1 && !priv_is_root());
	/* again only as who it is */
	NEED(priv_become(NULL, 61001, 61002, &why) == 0);
	NEED(priv_become(NULL, 61003, 61002, &why) == -1 && errno == EPERM);
	NEED(access("/root/.", R_OK) == -1);
	_exit(0);
}

static void
refuse(void)
{
	struct diag	why = { "" };

	NEED(priv_become(NULL, 0, 61001, &why) == -1 && why.text[0] != '\0');
	NEED(priv_become(NULL, (uid_t)-1, 61001, &why) == -1);
	NEED(priv_become(NULL, 61001, (gid_t)-1, &why) == -1);
	NEED(priv_enter("root", "/", &why) == -1);
	NEED(strstr(why.text, "root") != NULL);
	NEED(priv_enter("no-such-user-here", "/", &why) == -1);
	NEED(strstr(why.text, "no-such-user-here") != NULL);
	NEED(priv_enter("nobody", "/no/such/dir", &why) == -1);
	NEED(priv_enter(NULL, NULL, &why) == 0);
	NEED(priv_is_root());
	_exit(0);
}

static void
enter(void)
{
	struct diag	why = { "" };
	struct stat	here, root;

	NEED(mkdir("/tmp/test_priv", 0755) == 0 || errno == EEXIST);
	NEED(priv_enter("nobody", "/tmp/test_priv", &why) == 0);
	NEED(getuid() != 0 && geteuid() == getuid() && getgid() != 0);
	NEED(stat(".", &here) == 0 && stat("/", &root) == 0 &&
	    here.st_ino == root.st_ino);
	NEED(access("/etc/passwd", F_OK) == -1);
	NEED(setuid(0) == -1 && seteuid(0) == -1);
	_exit(0);
}

START_TEST(rights)
{
	ck_assert_int_eq(in_child(harden), 0);
	if (!priv_is_root()) {
		printf("skipped: changing users without root\n");
		return;
	}
	ck_assert_int_eq(in_child(become), 0);
	ck_assert_int_eq(in_child(refuse), 0);
	ck_assert_int_eq(in_child(enter), 0);
	(void)rmdir("/tmp/test_priv");
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("proc_small");
	TCase	*tc = tcase_create("proc_small");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, notify, 0, 2);
	tcase_add_test(tc, notify_nobody);
	tcase_add_loop_test(tc, watchdog, 0, nitems(watchdogs));
	tcase_add_test(tc, signals);
	tcase_add_test(tc, rights);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
