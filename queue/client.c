/* queue/client.c - runs as whoever calls; the daemon's socket decides who may. */
#include "queue/client.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_queue.h"

struct settings *
client_settings(const char *path)
{
	struct settings	*s;
	struct diag	 why;

	if (settings_load(path == NULL ? CLIENT_CONF : path, &s, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	return s;
}

int
client_connect(const struct settings *s)
{
	char	path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/queue", s->run) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return msg_connect(path);
}

int
client_status(int error)
{
	return error == EACCES || error == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
}

void
client_fail(const struct settings *s)
{
	int	status = client_status(errno);

	if (errno == ENOENT || errno == ECONNREFUSED)
		err(status, "the queue is not running: %s/queue", s->run);
	if (status == EX_NOPERM)
		err(status, "the queue answers root and the group ph-queue "
		    "only: %s/queue", s->run);
	err(status, "%s/queue", s->run);
}

void
client_open_std(void)
{
	int	fd, got;

	for (fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
			continue;
		/* The wrong way round: reading and writing fail, as they did. */
		got = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
		if (got != fd)
			_exit(EX_OSERR);
	}
}

void
client_ask(struct buf *rec, const char *verb, const char *id)
{
	buf_reset(rec);
	record_puts(rec, QUEUE_VERB, verb);
	if (id != NULL)
		record_puts(rec, QUEUE_ID, id);
}
