/*
 * common/proc/sandbox.c - the profiles. Run by every program under its own
 * user after priv_enter; distrusts the program itself, as it will be once an
 * attacker has taken it over. sandbox_landlock.c and sandbox_seccomp.c do
 * the work on Linux; the latter's library is not needed by who is given a
 * filter (sandbox_given.c).
 */
#include "common/proc/sandbox.h"

#include <sys/prctl.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/proc/sandbox_impl.h"

static const struct {
	const char	*name;
	unsigned	 can;	/* and CAN_MANY, but for sessions */
} profiles[] = {
	[SANDBOX_LISTENER] = { "listener", CAN_READ | CAN_WRITE | CAN_CONNECT |
	    CAN_SOCKET | CAN_ACCEPT | CAN_FORK | CAN_NEST | CAN_THREAD },
	[SANDBOX_SMTPD] = { "smtpd",
	    CAN_READ | CAN_WRITE | CAN_CONNECT | CAN_SOCKET },
	[SANDBOX_LOGIN] = { "login", CAN_CONNECT | CAN_SOCKET },
	[SANDBOX_FRONT] = { "front",
	    CAN_CONNECT | CAN_SOCKET | CAN_PAIR | CAN_THREAD },
	[SANDBOX_QUEUE] = { "queue", CAN_READ | CAN_WRITE | CAN_CONNECT |
	    CAN_SOCKET | CAN_ACCEPT },
	/* Sockets: the name service's. */
	[SANDBOX_ROUTE] = { "route",
	    CAN_READ | CAN_CONNECT | CAN_SOCKET | CAN_ACCEPT },
	[SANDBOX_AUTH] = { "auth",
	    CAN_READ | CAN_CONNECT | CAN_SOCKET | CAN_ACCEPT },
	/* Connects its old socket anew when syslogd has been restarted. */
	[SANDBOX_LOG] = { "log", CAN_READ | CAN_WRITE | CAN_CONNECT },
	[SANDBOX_SESSION] = { "session", CAN_READ | CAN_WRITE },
	[SANDBOX_SESSION_BACK] = { "session+",
	    CAN_READ | CAN_WRITE | CAN_MARK },
	[SANDBOX_MAILDIR] = { "maildir", CAN_READ | CAN_WRITE | CAN_FLUSH },
	[SANDBOX_TOOL] = { "tool",
	    CAN_READ | CAN_WRITE | CAN_CONNECT | CAN_SOCKET },
	[SANDBOX_SENDER] = { "sender", CAN_CONNECT | CAN_SOCKET | CAN_ACCEPT |
	    CAN_FORK | CAN_NEST | CAN_TCP },
	[SANDBOX_REMOTE] = { "remote", CAN_CONNECT | CAN_SOCKET | CAN_TCP },
	[SANDBOX_HOP] = { "hop",
	    CAN_CONNECT | CAN_ACCEPT | CAN_TCP | CAN_UDP |
	    CAN_THREAD },
	[SANDBOX_KEYS] = { "keys", CAN_ACCEPT | CAN_THREAD },
	/* AF_UNIX: to auth. Its resolver is libc's, with its files, in threads. */
	[SANDBOX_HTTP] = { "http", CAN_READ | CAN_CONNECT | CAN_SOCKET |
	    CAN_TCP | CAN_UDP | CAN_THREAD | CAN_PAIR },
};

const char *
sandbox_name(enum sandbox_profile p)
{
	return (size_t)p < nitems(profiles) ? profiles[p].name : "?";
}

unsigned
sandbox_can(enum sandbox_profile p)
{
	/* who serves one client has one connection, and gives at most that away */
	return profiles[p].can | (p == SANDBOX_SESSION ||
	    p == SANDBOX_SESSION_BACK ? 0 : CAN_MANY);
}

static int
check_paths(enum sandbox_profile p, const struct sandbox_path *paths, size_t n,
    struct diag *why)
{
	unsigned	may = 0;
	size_t		i;

	if (profiles[p].can & CAN_READ)
		may |= SANDBOX_READ;
	if (profiles[p].can & CAN_WRITE)
		may |= SANDBOX_WRITE;
	for (i = 0; i < n; i++)
		if (paths[i].rights & RIGHTS_MASK & ~may)
			return diag_set(why,
			    "sandbox %s: no profile for rights %#x on %s",
			    profiles[p].name, paths[i].rights & RIGHTS_MASK,
			    paths[i].path == NULL ? "a descriptor" :
			    paths[i].path);
	return 0;
}

int
sandbox_enter_program(enum sandbox_profile p, const struct sandbox_path *paths,
    size_t n, const struct sock_fprog *program, struct diag *why)
{
	char	first;

	if (check_paths(p, paths, n, why) == -1)
		return -1;
	/* it ends a process without a word if it finds no memory at its first use */
	arc4random_buf(&first, sizeof(first));
	/* Both layers ask for it: a set-id program would not know their limits. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return diag_errno(why, "sandbox %s: no_new_privs",
		    profiles[p].name);
	if (sandbox_landlock(profiles[p].can, paths, n, why) == -1)
		return -1;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) == -1)
		return diag_errno(why, "seccomp: load");
	return 0;
}

const char *
sandbox_layers(char *dst, size_t size)
{
	uint32_t	action = SECCOMP_RET_KILL_PROCESS;
	int		abi = sandbox_landlock_abi();
	bool		seccomp;

	seccomp = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action)
	    == 0;
	if (abi == 0)
		snprintf(dst, size, "no landlock, %s",
		    seccomp ? "seccomp" : "no seccomp");
	else
		snprintf(dst, size, "landlock ABI %d (files%s%s), %s", abi,
		    abi >= 4 ? ", ports" : "; no ports",
		    abi >= 6 ? ", scopes" : "; no scopes",
		    seccomp ? "seccomp" : "no seccomp");
	return dst;
}
