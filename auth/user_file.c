/*
 * auth/user_file.c - changes a passwd-file: a new one beside it, durable, with
 * the same owner and mode, then renamed over it. A lock on the old one keeps
 * two of us from changing it at the same time.
 */
#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/user.h"
#include "common/base/fdio.h"

#define TRIES	100	/* others may be changing it at the same time */

/* Where links lead; a file that is to be made has no real path yet. */
static char *
real_path(const char *path, bool create)
{
	char	*real = realpath(path, NULL);

	if (real == NULL && errno == ENOENT && create)
		real = strdup(path);
	return real;
}

/* 1: locked, 0: it is another file now, -1. */
static int
lock_once(struct user_file *f, bool create)
{
	struct stat	now;
	int		flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
			    O_NONBLOCK;

	f->fd = open(f->path, create ? flags | O_CREAT : flags, 0600);
	if (f->fd == -1)
		return -1;
	if (flock(f->fd, LOCK_EX) == -1 || fstat(f->fd, &f->st) == -1)
		return -1;
	if (!S_ISREG(f->st.st_mode)) {
		errno = EBADMSG;
		return -1;
	}
	if (stat(f->path, &now) == 0 && now.st_dev == f->st.st_dev &&
	    now.st_ino == f->st.st_ino)
		return 1;
	fdio_close(&f->fd);
	return 0;
}

int
user_file_open(struct user_file *f, const char *path, bool create,
    struct diag *why)
{
	int	i, r = 0;

	*f = (struct user_file){ .fd = -1 };
	buf_init(&f->text, USER_FILE_MAX);
	if ((f->path = real_path(path, create)) == NULL)
		return diag_errno(why, "%s", path);
	for (i = 0; i < TRIES && r == 0; i++)
		r = lock_once(f, create);
	if (r == 1 && buf_reserve(&f->text, (size_t)f->st.st_size +
	    USER_LINE_MAX) == 0 && fdio_slurp(f->fd, &f->text) == 0)
		return 0;
	diag_errno(why, "%s", path);
	user_file_close(f);
	return -1;
}

bool
user_file_find(const struct user_file *f, struct str name, struct str *line)
{
	struct str	 rest = buf_view(&f->text), row, field;
	const char	*end;

	while (str_take_line(&rest, &row)) {
		if (row.n == 0 || row.p[0] == '#' ||
		    (end = memchr(row.p, ':', row.n)) == NULL)
			continue;
		field = (struct str){ row.p, (size_t)(end - row.p) };
		if (str_eq_nocase(field, name)) {
			*line = row;
			return true;
		}
	}
	*line = (struct str){ rest.p, 0 };
	return false;
}

int
user_file_replace(struct user_file *f, struct str line, struct str with,
    struct diag *why)
{
	struct str	whole = buf_view(&f->text), after;
	struct buf	fresh;
	size_t		before = f->text.n;

	if (line.n > 0)
		before = (size_t)(line.p - whole.p);
	after = (struct str){ whole.p + before + line.n,
	    whole.n - before - line.n };
	if (after.n > 0 && after.p[0] == '\n') {	/* its end */
		after.p++;
		after.n--;
	}
	buf_init(&fresh, USER_FILE_MAX);
	if (buf_reserve(&fresh, whole.n + with.n + 2) == -1)
		return diag_errno(why, "%s", f->path);
	buf_addstr(&fresh, (struct str){ whole.p, before });
	if (before > 0 && whole.p[before - 1] != '\n')
		buf_addc(&fresh, '\n');
	buf_addstr(&fresh, with);
	if (with.n > 0)
		buf_addc(&fresh, '\n');
	buf_addstr(&fresh, after);
	buf_wipe(&f->text);
	f->text = fresh;
	return 0;
}

/* The directory, and the file's name in it. */
static int
open_dir(const struct user_file *f, const char **name)
{
	char	*copy = strdup(f->path);
	int	 fd;

	if (copy == NULL)
		return -1;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	*name = strrchr(f->path, '/');
	*name = *name == NULL ? f->path : *name + 1;
	return fd;
}

static int
write_fresh(const struct user_file *f, int fd)
{
	/* the owner first: a change of it takes bits of the mode away */
	if (fchown(fd, f->st.st_uid, f->st.st_gid) == -1 ||
	    fchmod(fd, f->st.st_mode & 07777) == -1)
		return -1;
	if (fdio_write(fd, f->text.p, f->text.n) == -1)
		return -1;
	return fsync(fd);
}

int
user_file_commit(struct user_file *f, struct diag *why)
{
	const char	*name;
	char		 tmp[NAME_MAX + 1];
	int		 dir, fd = -1, r = -1;

	dir = open_dir(f, &name);
	if (dir == -1 || snprintf(tmp, sizeof(tmp), ".%s.new", name) >=
	    (int)sizeof(tmp))
		goto done;
	/* we have the lock: what is left there is of one that was killed */
	if (unlinkat(dir, tmp, 0) == -1 && errno != ENOENT)
		goto done;
	fd = openat(dir, tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd == -1)
		goto done;
	if (write_fresh(f, fd) == 0 && flock(fd, LOCK_EX) == 0 &&
	    renameat(dir, tmp, dir, name) == 0) {
		fdio_close(&f->fd);
		f->fd = fd;
		fd = -1;
		r = fsync(dir);
	} else
		(void)unlinkat(dir, tmp, 0);
done:
	if (r == -1)
		diag_errno(why, "%s", f->path);
	fdio_close(&fd);
	fdio_close(&dir);
	return r;
}

void
user_file_close(struct user_file *f)
{
	fdio_close(&f->fd);
	buf_wipe(&f->text);
	free(f->path);
	f->path = NULL;
}
