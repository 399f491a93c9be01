/* common/store/dotlock.c - locks that are files, as other programs of Maildirs have them. */
#include "common/store/dotlock.h"

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

static bool
is_stale(int dir, const char *lock, mode_t mode)
{
	struct stat	st;

	if (fstatat(dir, lock, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	return (mode != DOTLOCK_MODE && (st.st_mode & DOTLOCK_UNDER) != 0) ||
	    now_real().tv_sec - st.st_mtim.tv_sec > DOTLOCK_STALE;
}

int
dotlock_take(int dir, const char *lock, int ms, mode_t mode)
{
	const struct timespec	step = { 0, STEP * 1000000L };
	int64_t			until = now_ms() + ms;
	int			fd;

	for (;;) {
		fd = openat(dir, lock, O_WRONLY | O_CREAT | O_EXCL |
		    O_CLOEXEC | O_NOFOLLOW, mode);
		if (fd != -1 && mode == DOTLOCK_MODE &&
		    mode_share(dir, fd) == -1)
			dotlock_drop(dir, lock, &fd);
		if (fd != -1 || errno != EEXIST)
			return fd;
		if (is_stale(dir, lock, mode)) {
			if (unlinkat(dir, lock, 0) == -1 && errno != ENOENT)
				return -1;
			continue;
		}
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

int
dotlock_replace(int dir, const char *lock, int *fd, const char *name,
    const struct buf *text)
{
	struct stat	st;

	/* Whoever could read it before can read it now. */
	if (!buf_ok(text))
		errno = ENOMEM;
	else if ((fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    fchmod(*fd, st.st_mode & 0666) == 0) &&
	    fdio_write(*fd, text->p, text->n) == 0 && fsync(*fd) == 0 &&
	    renameat(dir, lock, dir, name) == 0) {
		fdio_close(fd);
		return fsync(dir);
	}
	dotlock_drop(dir, lock, fd);
	return -1;
}
