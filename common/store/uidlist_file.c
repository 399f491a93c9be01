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
#define PIECE		(512u << 10)

int
uidlist_lock(int dir, const char *name, bool indexed)
{
	return dotlock_take(dir, name, LOCK_WAIT,
	    indexed ? DOTLOCK_MODE | DOTLOCK_UNDER : DOTLOCK_MODE);
}

void
uidlist_unlock(int dir, const char *name)
{
	int	saved = errno;

	(void)unlinkat(dir, name, 0);
	errno = saved;
}

/* Whoever could use the old one can use this; a first one is as its directory is. */
static int
mode_for(int dir, const char *name, mode_t *mode)
{
	struct stat	st;

	*mode = DOTLOCK_MODE;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno != ENOENT)
			return -1;
	} else if (S_ISREG(st.st_mode)) {
		*mode = st.st_mode & 0660;
		return 0;
	}
	/* there is none, or a link, which has all bits */
	if (fstat(dir, &st) == -1)
		return -1;
	if (mode_is_shared(st.st_mode))
		*mode = st.st_mode & 0666;
	return 0;
}

void
uidlist_draft_init(struct uidlist_draft *d, int lock)
{
	*d = (struct uidlist_draft){ .lock = lock };
	buf_init(&d->text, UIDLIST_MAX);
}

void
uidlist_draft_free(struct uidlist_draft *d)
{
	buf_free(&d->text);
}

int
uidlist_draft_check(const struct uidlist_draft *d)
{
	if (buf_ok(&d->text) && d->text.n <= UIDLIST_MAX - d->written)
		return 0;
	errno = buf_ok(&d->text) ? EFBIG : ENOMEM;
	return -1;
}

int
uidlist_draft_send(struct uidlist_draft *d)
{
	if (d->lock == -1 || d->text.n < PIECE)
		return 0;
	if (uidlist_draft_check(d) == -1)
		return -1;
	if (fdio_write(d->lock, d->text.p, d->text.n) == -1)
		return -1;
	/* a hint: whether it is there is asked at the end */
	(void)sync_file_range(d->lock, (off_t)d->written, (off_t)d->text.n,
	    SYNC_FILE_RANGE_WRITE);
	d->written += d->text.n;
	buf_reset(&d->text);
	return 0;
}

int
uidlist_replace(int dir, const char *lock_name, int lock, const char *name,
    struct str text)
{
	struct stat	st;
	mode_t		mode, mark;

	if (fdio_write(lock, text.p, text.n) == -1 || fdatasync(lock) == -1 ||
	    fstat(lock, &st) == -1 || mode_for(dir, name, &mode) == -1)
		return -1;
	/* as long as it is the lock it says who made it, and how */
	mark = st.st_mode & (DOTLOCK_UNDER | DOTLOCK_HELD);
	if (fchmod(lock, mode | mark) == -1 ||
	    renameat(dir, lock_name, dir, name) == -1)
		return -1;
	if (mark != 0)
		(void)fchmod(lock, mode);	/* it harms nobody */
	return fsync(dir);
}

int
uidlist_append(int dir, struct str text)
{
	struct stat	st;
	int		fd, saved;

	if ((fd = openat(dir, UIDLIST_FILE,
	    O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK)) == -1)
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
