/*
 * common/proc/child.c - fork and exec with nothing inherited by accident. Run
 * by the master and the root parent of local, as root; the child's program
 * is ours, its later input is not.
 */
#include "common/proc/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/str.h"

#define CHILD_PATH	"PATH=/usr/local/bin:/usr/bin:/bin"
#define ENV_MAX		32		/* variables in a child's environment */
#define TARGETS		(FD_FIRST + CHILD_FDS)

/* Kept from our own environment, if set. */
static const char *const	inherited[] = {
	"TZ",
#ifdef PH_SANITIZE
	"ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS",
#endif
};

struct child_env {
	struct buf	 fds;			/* PH_FDS=... */
	struct buf	 kept[nitems(inherited)];
	const char	*vars[ENV_MAX + 1];
};

static bool
name_ok(struct str name)
{
	size_t	i;

	for (i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == ',')
			return false;
	return name.n > 0 && name.n < CHILD_NAME_MAX;
}

static void
env_free(struct child_env *env)
{
	size_t	i;

	buf_free(&env->fds);
	for (i = 0; i < nitems(inherited); i++)
		buf_free(&env->kept[i]);
}

static int
env_fds(struct buf *out, const struct child_plan *plan)
{
	size_t	i;

	buf_adds(out, "PH_FDS=");
	for (i = 0; i < plan->nfds; i++) {
		if (!name_ok(str_from(plan->fds[i].name))) {
			errno = EINVAL;
			return -1;
		}
		buf_addf(out, "%s%zu:%s", i ? "," : "", FD_FIRST + i,
		    plan->fds[i].name);
	}
	return 0;
}

/* Made before the fork, so that the child allocates nothing. */
static int
env_make(struct child_env *env, const struct child_plan *plan)
{
	const char	*value;
	size_t		 i, n = 0;

	buf_init(&env->fds, 4096);
	for (i = 0; i < nitems(inherited); i++)
		buf_init(&env->kept[i], 4096);
	if (env_fds(&env->fds, plan) == -1)
		return -1;
	env->vars[n++] = CHILD_PATH;
	if ((env->vars[n++] = buf_cstr(&env->fds)) == NULL)
		return -1;
	for (i = 0; i < nitems(inherited); i++) {
		if ((value = getenv(inherited[i])) == NULL)
			continue;
		buf_addf(&env->kept[i], "%s=%s", inherited[i], value);
		if ((env->vars[n++] = buf_cstr(&env->kept[i])) == NULL)
			return -1;
	}
	for (i = 0; plan->extra_env != NULL && plan->extra_env[i]; i++) {
		if (n == ENV_MAX) {
			errno = E2BIG;
			return -1;
		}
		env->vars[n++] = plan->extra_env[i];
	}
	env->vars[n] = NULL;
	return 0;
}

/* From here to exec: async-signal-safe calls only, but for what before_exec does. */
static int
place_fds(const struct child_plan *plan)
{
	int	from[TARGETS], null, want = FD_FIRST + (int)plan->nfds, i;

	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		return -1;
	from[0] = from[1] = null;
	from[2] = plan->err == -1 ? null : plan->err;
	from[FD_CONF] = plan->conf;
	from[FD_LOG] = plan->log;
	from[FD_LINK] = plan->link;
	for (i = FD_FIRST; i < want; i++)
		from[i] = plan->fds[i - FD_FIRST].fd;
	/* Out of the way first: no dup2 may hit a source that is still needed. */
	for (i = 0; i < want; i++)
		if (from[i] != -1 && (from[i] = fcntl(from[i],
		    F_DUPFD_CLOEXEC, want)) == -1)
			return -1;
	for (i = 0; i < want; i++) {
		if (from[i] == -1)
			(void)close(i);
		else if (dup2(from[i], i) == -1)
			return -1;
	}
	return close_range((unsigned)want, ~0U, 0);
}

static int
reset_signals(void)
{
	struct sigaction	sa = { .sa_handler = SIG_DFL };
	sigset_t		none;
	int			i;

	sigemptyset(&sa.sa_mask);
	/* Some numbers are refused (KILL, STOP, libc's own). */
	for (i = 1; i < NSIG; i++)
		(void)sigaction(i, &sa, NULL);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
complain(const char *what, const char *path)
{
	dprintf(2, "%s %s: %s\n", what, path, strerror(errno));
}

static _Noreturn void
become_program(const struct child_plan *plan, char *const *env)
{
	/* A session of its own: ^C on the terminal is for the master alone. */
	(void)setsid();
	if (place_fds(plan) == -1) {
		complain("descriptors for", plan->path);
		_exit(EX_OSERR);
	}
	if (reset_signals() == -1) {
		complain("signals for", plan->path);
		_exit(EX_OSERR);
	}
	if (plan->before_exec != NULL && plan->before_exec(plan->arg) == -1)
		_exit(EX_TEMPFAIL);
	execve(plan->path, plan->argv, env);
	complain("exec", plan->path);
	_exit(EX_OSERR);
}

pid_t
child_spawn(const struct child_plan *plan)
{
	struct child_env	env;
	sigset_t		all, old;
	pid_t			pid = -1;
	int			saved;

	if (plan->nfds > CHILD_FDS) {
		errno = E2BIG;
		return -1;
	}
	/* A missing program is our caller's error to report, not a child that dies. */
	if (access(plan->path, X_OK) == -1)
		return -1;
	if (env_make(&env, plan) == 0) {
		/* No handler of ours may run in the child: it would write to our pipe. */
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, &old);
		if ((pid = fork()) == 0)
			become_program(plan, (char *const *)(void *)env.vars);
		saved = errno;
		sigprocmask(SIG_SETMASK, &old, NULL);
		errno = saved;
	}
	saved = errno;
	env_free(&env);
	errno = saved;
	return pid;
}

static int
parse_fd(struct str item, struct child_fd *out)
{
	const char		*colon = memchr(item.p, ':', item.n);
	unsigned long long	 fd;
	struct str		 number, name;

	if (colon == NULL)
		return -1;
	number = (struct str){ item.p, (size_t)(colon - item.p) };
	name = (struct str){ colon + 1, item.n - number.n - 1 };
	if (!name_ok(name) || str_number(number, 1 << 20, &fd) == -1 ||
	    fd < FD_FIRST || fcntl((int)fd, F_SETFD, FD_CLOEXEC) == -1)
		return -1;
	out->fd = (int)fd;
	return str_copy(out->name, sizeof(out->name), name);
}

int
child_fds(struct child_fd fds[CHILD_FDS])
{
	const char	*p = getenv("PH_FDS");
	struct str	 item;
	int		 n = 0, fd;

	/* The fixed ones may be missing (a test, a command): no error. */
	for (fd = FD_CONF; fd < FD_FIRST; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	while (p != NULL && *p != '\0') {
		item = (struct str){ p, strcspn(p, ",") };
		p += item.n;
		if (n == CHILD_FDS || parse_fd(item, &fds[n]) == -1 ||
		    (*p == ',' && *++p == '\0')) {
			errno = EPROTO;
			return -1;
		}
		n++;
	}
	return n;
}

int
child_fd_find(const struct child_fd *fds, size_t n, const char *name,
    unsigned nth)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (strcmp(fds[i].name, name) == 0 && nth-- == 0)
			return fds[i].fd;
	return -1;
}
