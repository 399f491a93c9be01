/*
 * master/daemon.c - into the background. The parent stays until the suite
 * serves, so that a script that started us knows.
 */
#include "master/master.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"

struct news {			/* from the daemon to its parent */
	int	status;
	char	text[128];
};

static _Noreturn void
wait_for_news(int fd)
{
	struct news	news;

	if (fdio_read(fd, &news, sizeof(news)) != (ssize_t)sizeof(news))
		errx(EX_SOFTWARE, "the master died while starting");
	news.text[sizeof(news.text) - 1] = '\0';
	if (news.status != 0)
		warnx("not started: %s; the log says why", news.text);
	/* The daemon has our buffers and handlers too: leave them to it. */
	_exit(news.status);
}

int
daemon_detach(struct master *m, struct diag *why)
{
	int	pair[2], null;
	pid_t	pid;

	if (pipe2(pair, O_CLOEXEC) == -1 || (pid = fork()) == -1)
		return diag_errno(why, "daemon");
	if (pid != 0) {
		close(pair[1]);
		wait_for_news(pair[0]);
	}
	close(pair[0]);
	m->tell = pair[1];
	if (setsid() == -1 || chdir("/") == -1 ||
	    (null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		return diag_errno(why, "daemon");
	if (dup2(null, 0) == -1 || dup2(null, 1) == -1 || dup2(null, 2) == -1)
		return diag_errno(why, "daemon");
	if (null > 2)
		close(null);
	return 0;
}

void
daemon_tell(struct master *m, int status, const char *text)
{
	struct news	news;

	if (m->tell == -1)
		return;
	memset(&news, 0, sizeof(news));
	news.status = status;
	strlcpy(news.text, text, sizeof(news.text));
	if (fdio_write(m->tell, &news, sizeof(news)) == -1)
		log_debug("daemon why=\"the parent has gone\"");
	fdio_close(&m->tell);
}
