/*
 * queue/closer.c - a process that closes files. The last close of a removed
 * message gives its blocks back, for which the file system may wait (a journal
 * that is full, a discard): longer than all else that is done for a small
 * message. The loop does not wait for that. Forked by queue, as ph-queue,
 * in a sandbox without files; without it queue closes them itself.
 */
#include <sys/prctl.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_queue.h"
#include "common/proc/sandbox.h"
#include "queue/queue.h"

struct closer {
	int		fd;		/* to the process; -1: there is none */
	pid_t		pid;
	struct msg_fds	fds;		/* not sent yet */
	struct buf	rec;
};

/* Until queue is gone. */
static _Noreturn void
serve(int fd)
{
	struct msg_fds	fds;
	struct buf	rec;
	struct diag	why;

	/* queue's signals are queue's: nothing may be written to its pipe */
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	if (fd != STDERR_FILENO + 1 && dup2(fd, STDERR_FILENO + 1) == -1)
		_exit(EX_OSERR);
	closefrom(STDERR_FILENO + 2);
	if (prctl(PR_SET_NAME, "queue-closer") == -1 ||
	    sandbox_enter(SANDBOX_MAILDIR, NULL, 0, &why) == -1)
		_exit(EX_OSERR);
	buf_init(&rec, MSG_MAX);
	while (msg_recv(STDERR_FILENO + 1, &rec, &fds) == 1)
		msg_close_fds(&fds);
	_exit(EX_OK);
}

int
closer_new(struct queue *q)
{
	struct closer	*c;
	int		 pair[2];
	pid_t		 pid;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return -1;
	c->fd = -1;
	buf_init(&c->rec, 64);
	q->closer = c;
	if (msg_pair(pair) == -1)
		return -1;
	if ((pid = fork()) == 0)
		serve(pair[1]);
	fdio_close(&pair[1]);
	if (pid == -1 || fdio_nonblock(pair[0], 1) == -1) {
		fdio_close(&pair[0]);
		return -1;
	}
	c->fd = pair[0];
	c->pid = pid;
	return 0;
}

pid_t
closer_pid(const struct queue *q)
{
	return q->closer->pid;
}

void
closer_work(struct queue *q)
{
	struct closer	*c = q->closer;

	if (c->fds.n == 0)
		return;
	buf_reset(&c->rec);
	record_puts(&c->rec, QUEUE_VERB, "close");
	if (c->fd != -1 && (!buf_ok(&c->rec) ||
	    (msg_send(c->fd, &c->rec, &c->fds) == -1 && errno != EAGAIN))) {
		log_warn("closer why=\"it went away\"");
		fdio_close(&c->fd);
	}
	/* If it is behind, this is the last close after all. */
	msg_close_fds(&c->fds);
}

void
closer_add(struct queue *q, int *fd)
{
	struct closer	*c = q->closer;

	if (c->fds.n == nitems(c->fds.fd))
		closer_work(q);
	c->fds.fd[c->fds.n++] = *fd;
	*fd = -1;
}

void
closer_free(struct closer **cp)
{
	struct closer	*c = *cp;

	if (c == NULL)
		return;
	msg_close_fds(&c->fds);
	fdio_close(&c->fd);
	buf_free(&c->rec);
	free(c);
	*cp = NULL;
}
