/* common/store/uidlist_file.c - the list's lock, and writing under it. */
#include "common/store/uidlist_file.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/dotlock.h"
#include "common/store/mode.h"

#define LOCK_WAIT	3000	/* ms */
#define MODE_INDEXED	0700

int
uidlist_lock(int dir, const char *name, bool indexed)
{
	return dotlock_take(dir, name, LOCK_WAIT,
	    indexed ? MODE_INDEXED : DOTLOCK_MODE);
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
	/* whoever could use the old one can use this; a first one is as its directory is */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (fchmod(lock, st.st_mode & 0660) == -1)
			return -1;
	} else if (fchmod(lock, 0600) == -1 || mode_share(dir, lock) == -1)
		return -1;
	if (renameat(dir, lock_name, dir, name) == -1)
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
