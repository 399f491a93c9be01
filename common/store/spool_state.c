/*
 * common/store/spool_state.c - small files in state/ that queue keeps for
 * itself: no mail, and nothing that a message depends on.
 */
#include "common/store/spool_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/fdio.h"

#define PATH_SIZE	64

static int
write_flushed(int fd, struct str text)
{
	return fdio_write(fd, text.p, text.n) == -1 ? -1 : fdatasync(fd);
}

int
spool_state_write(const struct spool *s, const char *name, struct str text)
{
	char	path[PATH_SIZE], new[PATH_SIZE];
	int	fd, r, saved;

	if ((size_t)snprintf(path, sizeof(path), "state/%s", name) >=
	    sizeof(path) || (size_t)snprintf(new, sizeof(new), "state/%s.new",
	    name) >= sizeof(new)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = openat(s->root, new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if ((r = write_flushed(fd, text)) == 0)
		r = renameat(s->root, new, s->root, path);
	saved = errno;
	if (r == -1)
		(void)unlinkat(s->root, new, 0);
	fdio_close(&fd);
	errno = saved;
	return r;
}

int
spool_state_read(const struct spool *s, const char *name, struct buf *out)
{
	char	path[PATH_SIZE];
	int	fd, r;

	if ((size_t)snprintf(path, sizeof(path), "state/%s", name) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = openat(s->root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	r = fdio_slurp(fd, out);
	fdio_close(&fd);
	return r;
}
