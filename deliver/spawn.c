/*
 * deliver/spawn.c - starts a worker under its user's number. Runs as root;
 * decides by what the table of users says and by local.min-uid, never
 * by what queue sent.
 */
#include "deliver/spawn.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "deliver/owner.h"
#include "deliver/who.h"

#define PATH_LEN	1024

struct become {
	const char	*groups_of;	/* NULL: no supplementary groups */
	uid_t		 uid;
	gid_t		 gid;
};

/* In the child, between fork and exec. */
static int
become(void *arg)
{
	const struct become	*b = arg;
	struct diag		 why;

	return priv_become(b->groups_of, b->uid, b->gid, &why);
}

static int
seal(struct buf *rec)
{
	int	fd = memfd_create("who", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1 || !buf_ok(rec) ||
	    fdio_write(fd, rec->p, rec->n) == -1 ||
	    lseek(fd, 0, SEEK_SET) == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
	    F_SEAL_SEAL) == -1)
		fdio_close(&fd);
	return fd;
}

static int
who_memfd(const struct settings *s, const struct user *u, const char *kind)
{
	char		mailbox[PATH_LEN + 8];
	struct buf	rec;
	int		fd = -1;

	if (owner_mailbox(s, u, mailbox, sizeof(mailbox)) == -1)
		return -1;
	buf_init(&rec, WHO_MAX);
	record_puts(&rec, WHO_USER, u->name);
	record_puts(&rec, WHO_HOME, u->home);
	record_puts(&rec, WHO_MAILBOX, mailbox);
	record_putu(&rec, WHO_QUOTA, owner_quota(s, u));
	record_puts(&rec, WHO_KIND, kind);
	fd = seal(&rec);
	buf_free(&rec);
	return fd;
}

static pid_t
start(const struct settings *s, const struct user *u, const char *kind,
    int queue)
{
	static char	 name[] = "local-worker";
	char		*argv[] = { name, NULL };
	char		 path[PATH_LEN];
	struct become	 b = { NULL, u->uid, u->gid };
	struct child_fd	 fds[2] = { { "queue", queue }, { "who", -1 } };
	struct child_plan plan = {
		.path = path, .argv = argv, .log = FD_LOG, .link = -1,
		.err = STDERR_FILENO, .fds = fds, .nfds = nitems(fds),
		.before_exec = become, .arg = &b
	};
	pid_t		 pid = -1;

	if (u->system)
		b.groups_of = u->name;
	plan.conf = settings_export(s, PROGRAM_LOCAL);
	fds[1].fd = who_memfd(s, u, kind);
	if (plan.conf != -1 && fds[1].fd != -1 &&
	    (size_t)snprintf(path, sizeof(path), "%s/%s", s->libexec, name) <
	    sizeof(path))
		pid = child_spawn(&plan);
	fdio_close(&plan.conf);
	fdio_close(&fds[1].fd);
	return pid;
}

pid_t
spawn_worker(const struct settings *s, const struct user *u, const char *kind,
    int *fd, const char **status, char *text, size_t size)
{
	int	pair[2];
	pid_t	pid;

	*status = "4.3.0";
	if (!owner_ok(s, u)) {
		*status = "5.7.1";
		snprintf(text, size, "no mail is delivered as uid %u",
		    (unsigned)u->uid);
		return -1;
	}
	if (msg_pair(pair) == -1) {
		snprintf(text, size, "%s", strerror(errno));
		return -1;
	}
	pid = start(s, u, kind, pair[1]);
	if (pid == -1)
		snprintf(text, size, "local-worker: %s", strerror(errno));
	fdio_close(&pair[1]);
	if (pid == -1)
		fdio_close(&pair[0]);
	*fd = pair[0];
	return pid;
}
