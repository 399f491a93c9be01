/*
 * master/setup.c - what has to be there before the first program starts:
 * users, directories, locks, the log channel, sockets, compiled tables.
 */
#include "master/master.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/store/spool.h"

#define PATIENCE_MS	10000	/* for one that was killed, which has its locks until it is gone, and for what it has left behind */
#define LOOK_MS		50

/* Whoever can write the file can run commands as anybody. */
int
setup_check_conf(const char *path, struct diag *why)
{
	struct stat	st;

	if (stat(path, &st) == -1)
		return diag_errno(why, "%s", path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)))
		return diag_set(why, "%s: others than root can write it, "
		    "expected owner root and no write permission for group "
		    "and others", path);
	return 0;
}

static int
check_users(struct diag *why)
{
	size_t	i;

	for (i = 0; priv_is_root() && plan_users[i] != NULL; i++)
		if (getpwnam(plan_users[i]) == NULL)
			return diag_set(why, "user %s is missing, expected a "
			    "system user of that name", plan_users[i]);
	return 0;
}

int
setup_make_dir(const char *path, struct diag *why)
{
	struct stat	st;

	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		return diag_errno(why, "%s", path);
	if (stat(path, &st) == -1)
		return diag_errno(why, "%s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)))
		return diag_set(why, "%s: expected a directory that only its "
		    "owner, uid %u, can write to", path, (unsigned)geteuid());
	return 0;
}

static int
make_dirs(const struct settings *s, struct diag *why)
{
	static const char *const below[] = { "login", "empty", "token" };
	char	path[1100];
	size_t	i;

	if (setup_make_dir(s->run, why) == -1)
		return -1;
	for (i = 0; i < nitems(below); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->run, below[i]);
		if (setup_make_dir(path, why) == -1)
			return -1;
	}
	return setup_make_dir(s->tables, why);
}

/* Who has the lock of the file? Nobody knows of a directory, or of a master that begins. */
static int
is_held(int fd, const char *what, struct diag *why)
{
	unsigned long long	pid = 0;
	struct str		line;
	char			text[16];
	ssize_t			n;

	if ((n = pread(fd, text, sizeof(text), 0)) > 0) {
		line = (struct str){ text, (size_t)n - 1 };
		if (str_number(line, INT_MAX, &pid) == -1)
			pid = 0;
	}
	if (pid == 0)
		return diag_set(why, "%s: another posthouse is running here",
		    what);
	if (kill((pid_t)pid, 0) == 0 || errno != ESRCH)
		return diag_set(why, "%s: another posthouse is running here, "
		    "process %llu", what, pid);
	return diag_set(why, "%s: posthouse, process %llu, has gone, but "
	    "something that it began still has the lock; fuser(1) finds it",
	    what, pid);
}

static int
lock(int fd, const char *what, int64_t until, struct diag *why)
{
	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return diag_errno(why, "lock %s", what);
		if (now_ms() >= until)
			return is_held(fd, what, why);
		(void)poll(NULL, 0, LOOK_MS);
	}
	return 0;
}

/* Two masters on one run directory or spool would deliver everything twice. */
static int
take_locks(struct master *m, struct diag *why)
{
	char	path[1100];
	int64_t	until = now_ms() + PATIENCE_MS;

	snprintf(path, sizeof(path), "%s/posthouse.pid", m->settings->run);
	m->pidfile = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (m->pidfile == -1)
		return diag_errno(why, "%s", path);
	if (lock(m->pidfile, path, until, why) == -1)
		return -1;
	if (spool_layout(m->settings->spool, why) == -1)
		return -1;
	m->spool_lock = open(m->settings->spool,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->spool_lock == -1)
		return diag_errno(why, "%s", m->settings->spool);
	return lock(m->spool_lock, m->settings->spool, until, why);
}

static int
make_log_channel(struct master *m, struct diag *why)
{
	int	on = 1;

	if (msg_pair(m->log) == -1 || setsockopt(m->log[0], SOL_SOCKET,
	    SO_PASSCRED, &on, sizeof(on)) == -1)
		return diag_errno(why, "log channel");
	return 0;
}

static int
bind_services(struct master *m, struct diag *why)
{
	size_t	i;

	for (i = 0; i < ID_COUNT; i++) {
		struct program *p = &m->programs[i];

		if (p->plan->service != NULL && sockets_listen(m->settings,
		    (enum program_id)i, NULL, 0, p->listeners, &p->nlisteners,
		    why) == -1)
			return -1;
	}
	return 0;
}

static int
bind_all(struct master *m, struct diag *why)
{
	if (bind_services(m, why) == -1 || sockets_named(m, why) == -1 ||
	    sockets_control(m, why) == -1)
		return -1;
	return 0;
}

static void
unbind_all(struct master *m)
{
	struct program	*p;
	int		 saved = errno;

	for (p = m->programs; p < m->programs + ID_COUNT; p++)
		while (p->nlisteners > 0)
			fdio_close(&p->listeners[--p->nlisteners].fd);
	errno = saved;
}

/* A master that stopped in order has removed the file or left it empty. */
static bool
was_killed(const struct master *m)
{
	struct stat	st;

	return fstat(m->pidfile, &st) == 0 && st.st_size > 0;
}

/*
 * The programs of a master that was killed end when they see that it has
 * gone. Until then they have the sockets: so a second queue cannot be started
 * beside the first, and a master that comes at once must wait for them.
 */
static int
bind_when_free(struct master *m, struct diag *why)
{
	int64_t	until = now_ms() + (was_killed(m) ? PATIENCE_MS : 0);

	while (bind_all(m, why) == -1) {
		unbind_all(m);
		if (errno != EADDRINUSE || now_ms() >= until)
			return -1;
		if (poll(NULL, 0, LOOK_MS) == -1 && errno != EINTR)
			return -1;
	}
	return 0;
}

static int
compile_tables(const struct settings *s, struct diag *why)
{
	char	text[80];
	int	status;

	if ((status = reload_route(s, "-c", why)) == -1)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_CONFIG)
		return diag_set(why, "the tables could not be compiled for the "
		    "reasons given above");
	if (status != 0)
		return diag_set(why, "the tables could not be compiled: "
		    "route ended with %s", exit_text(status, text,
		    sizeof(text)));
	return 0;
}

int
setup_all(struct master *m, struct diag *why)
{
	if (setup_check_conf(m->conf, why) == -1 || check_users(why) == -1 ||
	    make_dirs(m->settings, why) == -1 || take_locks(m, why) == -1 ||
	    bind_when_free(m, why) == -1 || make_log_channel(m, why) == -1)
		return -1;
	if (certificates_make(m->settings, &m->made_certificate, why) == -1)
		return -1;
	return compile_tables(m->settings, why);
}

/*
 * Whoever waits for the end hears of it when the process and so its
 * connection has gone, and may start anew at once: what the next master
 * needs is free before that.
 */
void
setup_remove(struct master *m)
{
	static const char *const files[] = {
		"control", "queue", "login/auth", "login/keys",
		"posthouse.pid"
	};
	struct program	*p;
	char		 path[1100];
	size_t		 i;

	for (i = 0; i < nitems(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", m->settings->run,
		    files[i]);
		if (unlink(path) == -1 && errno != ENOENT)
			log_warn("remove file=%s why=\"%s\"", path,
			    strerror(errno));
	}
	for (p = m->programs; p < m->programs + ID_COUNT; p++)
		while (p->nlisteners > 0)
			fdio_close(&p->listeners[--p->nlisteners].fd);
	fdio_close(&m->spool_lock);
	fdio_close(&m->pidfile);
}
