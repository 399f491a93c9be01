/*
 * common/base/inside.c - links are met step by step, and looked at closely only when there is one. openat2(2) could do it in one call, but a
 * sandbox cannot see what else it is asked for.
 */
#include "common/base/inside.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"

#ifdef O_PATH
#define THROUGH	O_PATH		/* to what is in it; it need not be readable */
#else
#define THROUGH	O_RDONLY
#endif

/* One step. ELOOP: it is a link. */
static int
step(int dir, const char *name, int flags)
{
	struct stat	st;
	int		fd;

	fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && errno == ENOTDIR)
		errno = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
	return fd;
}

static int
walk(int dir, const char *path, int flags)
{
	char		 name[NAME_MAX + 1];
	const char	*slash;
	int		 at = dir, next = -1;

	for (; (slash = strchr(path, '/')) != NULL; path = slash + 1) {
		if (str_copy(name, sizeof(name), (struct str){ path,
		    (size_t)(slash - path) }) == -1)
			errno = ENAMETOOLONG;
		else
			next = step(at, name, THROUGH | O_DIRECTORY);
		if (at != dir)
			fdio_close(&at);
		if (next == -1)
			return -1;
		at = next;
		next = -1;
	}
	next = step(at, path, flags);
	if (at != dir)
		fdio_close(&at);
	return next;
}

/* Landlock is asked by open(2), but not by access(2). */
static bool
has_wall(void)
{
	int	fd;

	if (faccessat(AT_FDCWD, "/", R_OK, 0) == -1)
		return false;
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return errno == EACCES;
	fdio_close(&fd);
	return false;
}

int
inside_open(int dir, const char *path, int flags)
{
	int	fd = walk(dir, path, flags);

	if (fd != -1 || errno != ELOOP)
		return fd;
	if (has_wall())
		return openat(dir, path, flags | O_CLOEXEC);
	errno = EACCES;
	return -1;
}

int
inside_slurp(int dir, const char *path, struct buf *b)
{
	int	fd, r;

	/* of a pipe in a file's place nobody waits for the other end */
	if ((fd = inside_open(dir, path, O_RDONLY | O_NOCTTY |
	    O_NONBLOCK)) == -1)
		return -1;
	r = fdio_slurp_file(fd, b);
	fdio_close(&fd);
	return r;
}
