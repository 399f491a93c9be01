/* common/store/foreign.c - another system's spool. Run by root; its files were written by programs that may have been taken over. */
#include "common/store/foreign.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"

struct walk {
	unsigned	levels;
	int		(*fn)(void *, int, const char *);
	void		*arg;
};

static int
visit(void *arg, int dir, const char *name)
{
	const struct walk	*w = arg;
	struct walk		 below = *w;
	struct stat		 st;

	if (name[0] == '.')
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISDIR(st.st_mode))
		return w->fn(w->arg, dir, name);
	if (below.levels-- == 0)
		return 0;
	return fdio_each(dir, name, visit, &below);
}

int
foreign_walk(int dirfd, unsigned levels, int (*fn)(void *, int, const char *),
    void *arg)
{
	struct walk	w = { levels, fn, arg };

	return fdio_each(dirfd, ".", visit, &w);
}

int
foreign_open(int dirfd, const char *name)
{
	struct stat	st;
	int		fd;

	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK | O_NOCTTY);
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		fdio_close(&fd);
		errno = EBADMSG;
	}
	return fd;
}

bool
foreign_is_locked(int fd)
{
	struct flock	l = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	if (flock(fd, LOCK_SH | LOCK_NB) == -1)
		return errno == EWOULDBLOCK;
	(void)flock(fd, LOCK_UN);
	return fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

bool
foreign_lock(int fd)
{
	struct flock	l = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	if (flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK)
		return false;
	return fcntl(fd, F_SETLK, &l) == 0 ||
	    (errno != EACCES && errno != EAGAIN);
}

int
foreign_remove(int dirfd, const char *name, int fd)
{
	struct stat	was, is;

	if (fstat(fd, &was) == -1 ||
	    fstatat(dirfd, name, &is, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (was.st_dev != is.st_dev || was.st_ino != is.st_ino) {
		errno = ESTALE;
		return -1;
	}
	return unlinkat(dirfd, name, 0);
}
