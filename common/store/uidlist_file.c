/* common/store/uidlist_file.c - the list's lock, and writing under it. */
#include "common/store/uidlist_file.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"

#define LOCK_WAIT	3000	/* ms */
#define LOCK_STEP	20
#define LOCK_STALE	120	/* seconds, as Dovecot has it */
#define MODE_INDEXED	0700

static bool
is_stale(int dir, const char *name, bool indexed)
{
	struct stat	st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    ((indexed && (st.st_mode & 0777) == MODE_INDEXED) ||
	    now_real().tv_sec - st.st_mtim.tv_sec > LOCK_STALE);
}

int
uidlist_lock(int dir, const char *name, bool indexed)
{
	const struct timespec	step = { 0, LOCK_STEP * 1000000L };
	int64_t			until = now_ms() + LOCK_WAIT;
	int			fd;

	for (;;) {
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL |
		    O_CLOEXEC | O_NOFOLLOW, indexed ? MODE_INDEXED : 0600);
		if (fd != -1 || errno != EEXIST)
			return fd;
		if (is_stale(dir, name, indexed)) {
			if (unlinkat(dir, name, 0) == -1 && errno != ENOENT)
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
uidlist_unlock(int dir, const char *name)
{
	int	saved = errno;

	(void)unlinkat(dir, name, 0);
	errno = saved;
}

int
uidlist_replace(int dir, const char *lock_name, int lock, const char *name,
    struct str text)
{
	struct stat	st;

	if (fdio_write(lock, text.p, text.n) == -1 || fdatasync(lock) == -1)
		return -1;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		st.st_mode = 0600;
	if (fchmod(lock, st.st_mode & 0660) == -1 ||
	    renameat(dir, lock_name, dir, name) == -1)
		return -1;
	return fsync(dir);
}

int
uidlist_append(int dir, struct str text)
{
	struct stat	st;
	int		fd, saved;

	if ((fd = openat(dir, UIDLIST_FILE,
	    O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)) == -1)
		return -1;
	if (fstat(fd, &st) == -1) {
		fdio_close(&fd);
		return -1;
	}
	if (fdio_write(fd, text.p, text.n) == 0 && fdatasync(fd) == 0) {
		fdio_close(&fd);
		return unlinkat(dir, UIDLIST_LOCK, 0);
	}
	saved = errno;
	if (ftruncate(fd, st.st_size) == -1)
		saved = errno;	/* a torn line at the end is seen by the reader */
	fdio_close(&fd);
	errno = saved;
	return -1;
}
