/* common/base/fdio.c - whole reads and writes, descriptor flags. */
#include "common/base/fdio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/now.h"

#define DIR_PIECE	32768	/* bytes of a directory, at a time */
#define SLURP_STEP	8192

int
fdio_write(int fd, const void *data, size_t n)
{
	const char	*p = data;
	ssize_t		 r;

	while (n > 0) {
		if ((r = write(fd, p, n)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

int
fdio_pwrite(int fd, const void *data, size_t n, off_t at)
{
	const char	*p = data;
	ssize_t		 r;

	while (n > 0) {
		if ((r = pwrite(fd, p, n, at)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		p += r;
		at += r;
		n -= (size_t)r;
	}
	return 0;
}

ssize_t
fdio_read(int fd, void *data, size_t n)
{
	char	*p = data;
	size_t	 got = 0;
	ssize_t	 r;

	while (got < n) {
		if ((r = read(fd, p + got, n - got)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

ssize_t
fdio_pread(int fd, void *data, size_t n, off_t at)
{
	char	*p = data;
	size_t	 got = 0;
	ssize_t	 r;

	while (got < n) {
		if ((r = pread(fd, p + got, n - got, at + (off_t)got)) == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

/* A full buffer is no error before one more byte has been seen. */
static int
at_end(int fd)
{
	char	c;

	switch (fdio_read(fd, &c, 1)) {
	case 0:
		return 0;
	case 1:
		errno = EMSGSIZE;
		return -1;
	}
	return -1;
}

int
fdio_slurp(int fd, struct buf *b)
{
	ssize_t	r;
	size_t	step;

	for (;;) {
		if ((step = b->max - b->n) > SLURP_STEP)
			step = SLURP_STEP;
		if (step == 0)
			return at_end(fd);
		if (buf_reserve(b, step) == -1)
			return -1;
		if ((r = fdio_read(fd, b->p + b->n, step)) == -1)
			return -1;
		b->n += (size_t)r;
		if ((size_t)r < step)
			return 0;
	}
}

int
fdio_slurp_file(int fd, struct buf *b)
{
	struct stat	st;

	if (fstat(fd, &st) == -1)
		return -1;
	errno = S_ISDIR(st.st_mode) ? EISDIR : ENXIO;
	return S_ISREG(st.st_mode) ? fdio_slurp(fd, b) : -1;
}

int
fdio_slurp_at(int dir, const char *path, struct buf *b)
{
	int	fd, r;

	/* of a pipe in a file's place nobody waits for the other end */
	if ((fd = openat(dir, path,
	    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) == -1)
		return -1;
	r = fdio_slurp_file(fd, b);
	fdio_close(&fd);
	return r;
}

int
fdio_nonblock(int fd, int on)
{
	int	flags;

	if ((flags = fcntl(fd, F_GETFL)) == -1)
		return -1;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags);
}

int
fdio_cloexec(int fd, int on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0);
}

int
fdio_wait(int fd, short what, int64_t deadline)
{
	struct pollfd	p = { .fd = fd, .events = what };
	int64_t		left = -1;
	int		r;

	do {
		if (deadline >= 0) {
			left = deadline - now_ms();
			if (left < 0)
				left = 0;
			if (left > INT_MAX)
				left = INT_MAX;
		}
		r = poll(&p, 1, (int)left);
	} while (r == -1 && errno == EINTR);
	if (r == 0)
		errno = ETIMEDOUT;
	return r > 0 ? 0 : -1;
}

int
fdio_opendir(int dir, const char *path)
{
	return openat(dir, path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

void
fdio_close(int *fd)
{
	int	saved = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The names in a piece of a directory. */
static int
each_of(int fd, const char *p, size_t n, int (*fn)(void *, int, const char *),
    void *arg)
{
	const struct dirent64	*e;
	int			 r = 0;

	for (; r == 0 && n > 0; p += e->d_reclen, n -= e->d_reclen) {
		e = (const void *)p;
		if (!is_dots(e->d_name))
			r = fn(arg, fd, e->d_name);
	}
	return r;
}

/* Of tens of thousands of small directories opendir(3) would cost more than what is read. */
int
fdio_each_in(int fd, int (*fn)(void *, int, const char *), void *arg)
{
	_Alignas(struct dirent64) char	piece[DIR_PIECE];
	ssize_t				n;
	int				r = 0;

	while (r == 0 && (n = getdents64(fd, piece, sizeof(piece))) != 0)
		r = n == -1 ? -1 : each_of(fd, piece, (size_t)n, fn, arg);
	return r;
}

int
fdio_each(int dirfd, const char *name, int (*fn)(void *, int, const char *),
    void *arg)
{
	int	fd, r;

	if ((fd = fdio_opendir(dirfd, name)) == -1)
		return -1;
	r = fdio_each_in(fd, fn, arg);
	fdio_close(&fd);
	return r;
}

int
fdio_slurp_given(int fd, const char *path, bool secret, struct buf *out,
    struct diag *why)
{
	struct stat	st;

	if (fd == -1)
		return diag_set(why, "%s: posthouse(8) could not open it",
		    path);
	if (fstat(fd, &st) == -1)
		return diag_errno(why, "%s", path);
	if (!S_ISREG(st.st_mode) || (secret && (st.st_mode & 077) != 0))
		return diag_set(why, "%s: others than its owner may use it "
		    "(mode %04o, must be 0600)", path,
		    (unsigned)st.st_mode & 07777);
	/* whole at once: no copy of a smaller buffer stays behind */
	if ((secret && buf_reserve(out, out->max) == -1) ||
	    fdio_slurp(fd, out) == -1)
		return diag_errno(why, "%s", path);
	return 0;
}
