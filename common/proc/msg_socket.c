/*
 * common/proc/msg_socket.c - named sockets: the master binds them (as root, in
 * directories that their clients may list but not write), clients connect
 * by a path relative to their chroot.
 */
#include "common/proc/msg.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"

#define PAUSE_MS	1000	/* when no connection can be accepted */

/*
 * A path longer than sun_path (a stage deep in somebody's home) goes by way of
 * its directory's descriptor, which the caller closes (*dirfd is -1 else).
 */
static int
address(const char *path, struct sockaddr_un *sun, int *dirfd)
{
	char		 dir[4096];
	const char	*base = strrchr(path, '/');

	*dirfd = -1;
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlcpy(sun->sun_path, path, sizeof(sun->sun_path)) <
	    sizeof(sun->sun_path))
		return 0;
	if (base == NULL || (size_t)(base - path) >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(dir, path, (size_t)(base - path));
	dir[base - path] = '\0';
	if ((*dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	if ((size_t)snprintf(sun->sun_path, sizeof(sun->sun_path),
	    "/proc/self/fd/%d%s", *dirfd, base) < sizeof(sun->sun_path))
		return 0;
	fdio_close(dirfd);
	errno = ENAMETOOLONG;
	return -1;
}

static int
connect_to(int s, const char *path)
{
	struct sockaddr_un	sun;
	int			dirfd, r;

	if (address(path, &sun, &dirfd) == -1)
		return -1;
	while ((r = connect(s, (const struct sockaddr *)&sun, sizeof(sun))) ==
	    -1 && errno == EINTR)
		continue;
	fdio_close(&dirfd);
	return r;
}

/* timeout_ms -1: as long as it takes. */
static int
connect_within(const char *path, int64_t timeout_ms)
{
	struct timeval	tv = { 0, 0 };
	int		s;

	if ((s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	if (timeout_ms >= 0) {
		tv.tv_sec = (time_t)(timeout_ms / 1000);
		/* Zero would mean for ever. */
		tv.tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000 + 1);
	}
	/* A full backlog blocks connect(2) as it blocks a send. */
	if (setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == 0 &&
	    connect_to(s, path) == 0) {
		tv = (struct timeval){ 0, 0 };
		if (setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &tv,
		    sizeof(tv)) == 0)
			return s;
	}
	if (errno == EAGAIN)
		errno = ETIMEDOUT;
	fdio_close(&s);
	return -1;
}

int
msg_connect(const char *path)
{
	return connect_within(path, -1);
}

int
msg_connect_now(const char *path)
{
	int	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
		    SOCK_NONBLOCK, 0), saved;

	if (s == -1 || connect_to(s, path) == 0)
		return s;
	saved = errno;
	fdio_close(&s);
	errno = saved;
	return -1;
}

/* Removes a socket that nobody listens on; anything else at the path stays. */
static int
remove_dead(const char *path)
{
	struct stat	st;
	int		s;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	if ((s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0)) == -1)
		return -1;
	/* EAGAIN: a full backlog; EPROTOTYPE: another kind of socket. Both live. */
	if (connect_to(s, path) == 0 || errno != ECONNREFUSED)
		errno = EADDRINUSE;
	fdio_close(&s);
	return errno == ECONNREFUSED ? unlink(path) : -1;
}

static int
bind_as(int s, const char *path, mode_t mode)
{
	struct sockaddr_un	sun;
	mode_t			old;
	int			dirfd, r;

	if (address(path, &sun, &dirfd) == -1)
		return -1;
	/* Never wider than it will be, not even for a moment. */
	old = umask(~mode & 0777);
	r = bind(s, (const struct sockaddr *)&sun, sizeof(sun));
	(void)umask(old);
	fdio_close(&dirfd);
	return r;
}

int
msg_listen(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	int	s;

	if (remove_dead(path) == -1)
		return -1;
	if ((s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0)) == -1)
		return -1;
	if (bind_as(s, path, mode) == 0) {
		if ((uid == (uid_t)-1 && gid == (gid_t)-1) ||
		    lchown(path, uid, gid) == 0)
			if (listen(s, SOMAXCONN) == 0)
				return s;
		(void)unlink(path);
	}
	fdio_close(&s);
	return -1;
}

/* The peer has been restarted: worth a second connection. */
static bool
is_gone(int error)
{
	return error == EPIPE || error == ECONNRESET || error == ENOTCONN;
}

int
msg_client_call(struct msg_client *c, const struct buf *ask,
    const struct msg_fds *with, struct buf *answer, int64_t timeout_ms)
{
	int64_t	deadline = now_ms() + timeout_ms, left;
	int	tries;

	for (tries = 0; tries < 2; tries++) {
		if ((left = deadline - now_ms()) < 0)
			left = 0;
		if (c->fd == -1 &&
		    (c->fd = connect_within(c->path, left)) == -1)
			return -1;
		if ((left = deadline - now_ms()) < 0)
			left = 0;
		if (msg_call(c->fd, ask, with, answer, NULL, left) == 0)
			return 0;
		/* A late answer must not be taken for that to the next question. */
		fdio_close(&c->fd);
		if (!is_gone(errno))
			return -1;
	}
	return -1;
}

int
msg_client_hint(struct msg_client *c, const struct buf *rec)
{
	int	tries;

	for (tries = 0; tries < 2; tries++) {
		if (c->fd == -1) {
			if ((c->fd = connect_within(c->path, 0)) == -1)
				return -1;
			if (fdio_nonblock(c->fd, 1) == -1)
				break;
		}
		if (msg_send(c->fd, rec, NULL) == 0)
			return 0;
		if (errno == EAGAIN)
			return -1;
		fdio_close(&c->fd);
		if (!is_gone(errno))
			return -1;
	}
	fdio_close(&c->fd);
	return -1;
}

int
msg_accept(int listener, int flags, int64_t *due)
{
	int	fd = accept4(listener, NULL, NULL, flags | SOCK_CLOEXEC);

	if (fd == -1 && errno != EAGAIN && errno != EINTR &&
	    errno != ECONNABORTED) {
		log_error("accept why=\"%s\"", strerror(errno));
		*due = now_ms() + PAUSE_MS;
	}
	return fd;
}
