/*
 * master/sandbox_test.c - run by the administrator, as root or not. For each
 * profile and each attempt a child enters the profile and tries; nothing is
 * taken from a table but what is expected.
 */
#include "master/sandbox_test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/proc/sandbox.h"

#define SETUP_FAILED	255	/* exit status; others: 0 allowed, else errno */

static int
try_open(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int
try_create(void)
{
	return open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
}

static int
try_inet(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
try_udp(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int
try_unix(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

static int
try_exec(void)
{
	char	name[] = "true", *argv[] = { name, NULL };

	return execv("/bin/true", argv);
}

static int
try_fork(void)
{
	pid_t	pid = fork();

	if (pid == 0)
		_exit(0);
	return pid == -1 ? -1 : 0;
}

static void *
nothing(void *arg)
{
	return arg;
}

static int
try_thread(void)
{
	pthread_t	id;
	int		r = pthread_create(&id, NULL, nothing, NULL);

	if (r == 0)
		return pthread_join(id, NULL) == 0 ? 0 : -1;
	errno = r;
	return -1;
}

static int
try_ptrace(void)
{
	return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) == -1 ? -1 : 0;
}

static int
try_read_memory(void)
{
	char		c;
	struct iovec	here = { &c, 1 }, there = { &c, 1 };

	return process_vm_readv(getppid(), &here, 1, &there, 1, 0) == -1 ?
	    -1 : 0;
}

static int
try_mount(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}

static int
try_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static int
try_chroot(void)
{
	return syscall(SYS_chroot, "/") == -1 ? -1 : 0;
}

static int
try_kill(void)
{
	return kill(getppid(), 0);
}

static int
try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int
try_uring(void)
{
	char	params[256] = { 0 };

	return syscall(SYS_io_uring_setup, 1, params) == -1 ? -1 : 0;
}

static int
try_bpf(void)
{
	char	attr[128] = { 0 };

	return syscall(SYS_bpf, 0, attr, sizeof(attr)) == -1 ? -1 : 0;
}

static int
try_keyctl(void)
{
	return syscall(SYS_keyctl, 0, -3, 0) == -1 ? -1 : 0;
}

#define P(x)		(1u << SANDBOX_##x)
#define SOCKETS		(P(LISTENER) | P(SMTPD) | P(LOGIN) | P(FRONT) | \
			    P(QUEUE) | P(ROUTE) | P(AUTH) | P(TOOL) | \
			    P(SENDER) | P(REMOTE) | P(HTTP))
#define THREADS		(P(LISTENER) | P(FRONT) | P(HOP) | P(KEYS) | P(HTTP))

static const struct attempt {
	const char	*name;
	int		(*run)(void);
	unsigned	 may;		/* profiles that are meant to succeed */
} attempts[] = {
	{ "open",	try_open,	0 },
	{ "create",	try_create,	0 },
	{ "inet",	try_inet,	P(SENDER) | P(REMOTE) | P(HOP) |
			    P(HTTP) },
	{ "udp",	try_udp,	P(HOP) | P(HTTP) },
	{ "unix",	try_unix,	SOCKETS },
	{ "execve",	try_exec,	0 },
	{ "fork",	try_fork,	P(LISTENER) | P(SENDER) },
	{ "thread",	try_thread,	THREADS },
	{ "ptrace",	try_ptrace,	0 },
	{ "vm_readv",	try_read_memory, 0 },
	{ "mount",	try_mount,	0 },
	{ "unshare",	try_unshare,	0 },
	{ "chroot",	try_chroot,	0 },
	{ "kill",	try_kill,	0 },
	{ "mapexec",	try_code,	0 },
	{ "io_uring",	try_uring,	0 },
	{ "bpf",	try_bpf,	0 },
	{ "keyctl",	try_keyctl,	0 },
};

static _Noreturn void
child(enum sandbox_profile profile, const struct attempt *a)
{
	struct rlimit	no_core = { 0, 0 };
	struct diag	why;

	if (setrlimit(RLIMIT_CORE, &no_core) == -1 ||
	    sandbox_enter(profile, NULL, 0, &why) == -1)
		_exit(SETUP_FAILED);
	_exit(a->run() == -1 ? errno : 0);
}

/* Prints one cell; false if what happened is not what should. */
static bool
measure(enum sandbox_profile profile, const struct attempt *a)
{
	bool	may = (a->may & (1u << profile)) != 0, got;
	char	cell[16];
	pid_t	pid;
	int	status;

	if ((pid = fork()) == 0)
		child(profile, a);
	if (pid == -1 || waitpid(pid, &status, 0) == -1 ||
	    (WIFEXITED(status) && WEXITSTATUS(status) == SETUP_FAILED)) {
		printf(" %9s", "FAILED");
		return false;
	}
	got = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (got)
		snprintf(cell, sizeof(cell), "allowed");
	else if (WIFSIGNALED(status))
		snprintf(cell, sizeof(cell), "killed");
	else
		snprintf(cell, sizeof(cell), "%s",
		    strerrorname_np(WEXITSTATUS(status)));
	printf(" %8s%c", cell, got == may ? ' ' : '!');
	return got == may;
}

int
sandbox_test(void)
{
	struct utsname	u;
	char		layers[128];
	size_t		i;
	int		p, bad = 0;

	if (uname(&u) == -1)
		return EX_OSERR;
	printf("%s %s, %s, uid %u\n%-9s", u.sysname, u.release,
	    sandbox_layers(layers, sizeof(layers)), (unsigned)getuid(), "");
	for (i = 0; i < nitems(attempts); i++)
		printf(" %8s ", attempts[i].name);
	printf("\n");
	fflush(stdout);
	for (p = 0; p < SANDBOX_COUNT; p++) {
		printf("%-9s", sandbox_name((enum sandbox_profile)p));
		fflush(stdout);
		for (i = 0; i < nitems(attempts); i++) {
			bad += !measure((enum sandbox_profile)p, &attempts[i]);
			fflush(stdout);
		}
		printf("\n");
	}
	if (bad > 0)
		printf("%d not as expected (marked !)\n", bad);
	return bad > 0 ? EX_SOFTWARE : 0;
}
