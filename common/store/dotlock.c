/* common/store/dotlock.c - locks that are files, as other programs of Maildirs have them. */
#include "common/store/dotlock.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/mode.h"

#define STEP	20	/* ms */

/* As far as the file says: of somebody who died, or who may have. */
static bool
looks_stale(const struct stat *st, mode_t mode)
{
	return (st->st_mode & DOTLOCK_HELD) != 0 ||
	    (mode != DOTLOCK_MODE && (st->st_mode & DOTLOCK_UNDER) != 0) ||
	    now_real().tv_sec - st->st_mtim.tv_sec > DOTLOCK_STALE;
}

/*
 * Is that the file, and is it stale, now that we have it locked? Who breaks a lock without that could meet the one that another breaker has
 * made since.
 */
static bool
is_stale(int dir, const char *lock, int fd, mode_t mode)
{
	struct stat	st, now;
	bool		ours = flock(fd, LOCK_EX | LOCK_NB) == 0;

	if ((!ours && errno == EWOULDBLOCK) || fstat(fd, &st) == -1 ||
	    fstatat(dir, lock, &now, AT_SYMLINK_NOFOLLOW) == -1 ||
	    st.st_dev != now.st_dev || st.st_ino != now.st_ino)
		return false;
	/* where nothing can be locked so the bit says nothing */
	if (!ours)
		st.st_mode &= ~(mode_t)DOTLOCK_HELD;
	return looks_stale(&st, mode);
}

/* A stale lock is removed. 1: it was one; 0: it is somebody's; -1: errno. */
static int
break_stale(int dir, const char *lock, mode_t mode)
{
	struct stat	st;
	int		fd;
	bool		stale;

	if (fstatat(dir, lock, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 1 : -1;
	if (!looks_stale(&st, mode))
		return 0;
	fd = openat(dir, lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	/* gone meanwhile: what has the name next is another one */
	if (fd == -1 && errno == ENOENT)
		return 1;
	st.st_mode &= ~(mode_t)DOTLOCK_HELD;
	/* of one that cannot be opened its age says it */
	stale = fd != -1 ? is_stale(dir, lock, fd, mode) :
	    looks_stale(&st, mode);
	if (stale && unlinkat(dir, lock, 0) == -1 && errno != ENOENT) {
		fdio_close(&fd);
		return -1;
	}
	fdio_close(&fd);
	return stale;
}

/* While its maker lives the kernel keeps it locked; the bit says so, once it is. */
static void
hold(int fd)
{
	struct stat	st;

	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0)
		(void)fchmod(fd, (st.st_mode & 0777) | DOTLOCK_HELD);
}

static int
make(int dir, const char *lock, mode_t mode)
{
	int	fd = openat(dir, lock, O_WRONLY | O_CREAT | O_EXCL |
		    O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd == -1 || mode != DOTLOCK_MODE)
		return fd;
	if (mode_share(dir, fd) == -1)
		dotlock_drop(dir, lock, &fd);
	else
		hold(fd);
	return fd;
}

int
dotlock_take(int dir, const char *lock, int ms, mode_t mode)
{
	const struct timespec	step = { 0, STEP * 1000000L };
	int64_t			until = now_ms() + ms;
	int			fd, broken;

	for (;;) {
		if ((fd = make(dir, lock, mode)) != -1 || errno != EEXIST)
			return fd;
		if ((broken = break_stale(dir, lock, mode)) == -1)
			return -1;
		if (broken)
			continue;
		if (now_ms() >= until) {
			errno = ETIMEDOUT;
			return -1;
		}
		nanosleep(&step, NULL);
	}
}

void
dotlock_drop(int dir, const char *lock, int *fd)
{
	int	saved = errno;

	if (*fd == -1)
		return;
	unlinkat(dir, lock, 0);
	fdio_close(fd);
	errno = saved;
}

/* Whoever could read it before can read it now. */
static int
give_mode(int dir, const char *name, int fd, mode_t *mode)
{
	struct stat	mine, st;

	if (fstat(fd, &mine) == -1)
		return -1;
	/* what is no file says nothing: a link has all bits */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode))
		st = mine;
	*mode = st.st_mode & 0666;
	return fchmod(fd, *mode | (mine.st_mode & DOTLOCK_HELD));
}

int
dotlock_replace(int dir, const char *lock, int *fd, const char *name,
    const struct buf *text)
{
	mode_t	mode;

	if (!buf_ok(text))
		errno = text->why == EMSGSIZE ? EFBIG : ENOMEM;
	else if (give_mode(dir, name, *fd, &mode) == 0 &&
	    fdio_write(*fd, text->p, text->n) == 0 && fsync(*fd) == 0 &&
	    renameat(dir, lock, dir, name) == 0) {
		(void)fchmod(*fd, mode);	/* the bit harms nobody */
		fdio_close(fd);
		return fsync(dir);
	}
	dotlock_drop(dir, lock, fd);
	return -1;
}
