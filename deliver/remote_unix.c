/*
 * deliver/remote_unix.c - the helper that connects to sockets with a path, as
 * ph-remote, outside of the workers' root directory. It distrusts the
 * workers: they name a path, its list says whether that may be.
 */
#include "deliver/remote_unix.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"

#define DIAL_PATH	'p'
#define PREFIX		"lmtp:/"

static bool
is_path(const struct setting_item *i)
{
	return strncmp(i->more, PREFIX, sizeof(PREFIX) - 1) == 0;
}

static bool
is_listed(const struct setting_list *l, struct str path)
{
	size_t	i;

	for (i = 0; i < l->n; i++)
		if (is_path(&l->items[i]) &&
		    str_eq(str_from(l->items[i].more + sizeof(PREFIX) - 2),
		    path))
			return true;
	return false;
}

/* 0 or an errno. */
static unsigned char
dial(const struct setting_list *l, int fd, struct str path)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };

	if (!is_listed(l, path))
		return EACCES;
	if (fdio_nonblock(fd, 1) == -1)
		return EINVAL;
	if (str_copy(sun.sun_path, sizeof(sun.sun_path), path) == -1)
		return ENAMETOOLONG;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return 0;
	return (unsigned char)(errno > 0 && errno < 256 ? errno : EIO);
}

/* A request: the path, the socket to be connected, a pipe for the answer. */
static void
serve(const struct setting_list *l, int requests)
{
	struct buf	rec;
	struct msg_fds	fds;
	struct str	path;
	unsigned char	answer;

	buf_init(&rec, MSG_MAX);
	for (;;) {
		switch (msg_recv(requests, &rec, &fds)) {
		case 0:
			buf_free(&rec);
			return;
		case -1:
			if (errno != EPROTO)	/* one worker's nonsense */
				log_error("helper why=\"%s\"",
				    strerror(errno));
			continue;
		}
		/* one worker must not be able to keep the others waiting */
		if (fds.n == 2 && fdio_nonblock(fds.fd[1], 1) == 0 &&
		    record_get(buf_view(&rec), DIAL_PATH, &path)) {
			answer = dial(l, fds.fd[0], path);
			/* who did not wait is served no more */
			if (write(fds.fd[1], &answer, 1) == -1)
				log_debug("no answer to a worker");
		}
		msg_close_fds(&fds);
	}
}

static _Noreturn void
helper(const struct settings *s, const char *user, int requests)
{
	struct diag	why = { "" };

	/* nothing but the log and the requests */
	if (dup2(requests, FD_CONF) == -1)
		_exit(EX_OSERR);
	requests = FD_CONF;
	closefrom(FD_LINK);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);	/* ends with its last client */
	if (priv_enter(user, NULL, &why) == -1 || priv_harden(true) == -1 ||
	    sandbox_enter(SANDBOX_LOGIN, NULL, 0, &why) == -1) {
		log_error("start why=\"%s\"", why.text);
		_exit(EX_OSERR);
	}
	serve(&s->remote.transports, requests);
	_exit(EX_OK);
}

int
unix_helper(const struct settings *s, const char *user, int *fd, pid_t *pid,
    struct diag *why)
{
	int	pair[2];
	size_t	i;

	*fd = -1;
	*pid = -1;
	for (i = 0; i < s->remote.transports.n; i++)
		if (is_path(&s->remote.transports.items[i]))
			break;
	if (i == s->remote.transports.n)
		return 0;
	if (msg_pair(pair) == -1)
		return diag_errno(why, "socketpair");
	if ((*pid = fork()) == -1)
		return diag_errno(why, "fork");
	if (*pid == 0) {
		fdio_close(&pair[0]);
		helper(s, user, pair[1]);
	}
	fdio_close(&pair[1]);
	*fd = pair[0];
	return 0;
}

static int
ask(int helper_fd, struct str path, int s, int answer)
{
	struct buf	rec;
	struct msg_fds	fds = { .fd = { s, answer }, .n = 2 };
	int		r;

	buf_init(&rec, MSG_MAX);
	record_put(&rec, DIAL_PATH, path);
	r = msg_send(helper_fd, &rec, &fds);
	buf_free(&rec);
	return r;
}

int
unix_dial(int helper_fd, struct str path, int64_t timeout)
{
	unsigned char	answer = EIO;
	int		s, back[2] = { -1, -1 };

	if (helper_fd == -1) {
		errno = EACCES;
		return -1;
	}
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s == -1 || pipe(back) == -1 || fdio_cloexec(back[0], 1) == -1 ||
	    fdio_cloexec(back[1], 1) == -1 ||
	    ask(helper_fd, path, s, back[1]) == -1) {
		answer = (unsigned char)errno;
		goto done;
	}
	fdio_close(&back[1]);
	if (fdio_wait(back[0], POLLIN, now_ms() + timeout) == -1)
		answer = ETIMEDOUT;
	else if (read(back[0], &answer, 1) != 1)
		answer = EIO;
done:
	fdio_close(&back[0]);
	fdio_close(&back[1]);
	if (answer != 0)
		fdio_close(&s);
	errno = answer;
	return s;
}
