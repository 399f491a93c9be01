/* common/store/spool_status.c - the status file of a message: text, appended to. */
#include "common/store/spool_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/fdio.h"

#define STEP		8192u
#define STATUS_MAX	(1u << 20)	/* a message that says more has said enough */

int
spool_status_add(const struct spool *s, struct id id, struct str line)
{
	char	name[NAME_SIZE], text[1024];
	size_t	n, i;
	int	fd, r, flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC |
		    O_NOFOLLOW;

	n = line.n < sizeof(text) - 1 ? line.n : sizeof(text) - 1;
	/* one line whatever is in it: other hosts and users have their say */
	for (i = 0; i < n; i++)
		text[i] = (unsigned char)line.p[i] < ' ' || line.p[i] == 127 ?
		    '?' : line.p[i];
	text[n] = '\n';
	spool_sharded(id, name);
	if ((fd = openat(s->status, name, flags, 0600)) == -1 &&
	    errno == ENOENT && spool_make_shard(s, s->status, name) == 0)
		fd = openat(s->status, name, flags, 0600);
	if (fd == -1)
		return -1;
	r = lseek(fd, 0, SEEK_END) < (off_t)STATUS_MAX ?
	    fdio_write(fd, text, n + 1) : 0;
	fdio_close(&fd);
	return r;
}

/* A short read of a file is its end: no other one is needed to see it. */
static int
read_all(int fd, struct buf *out)
{
	ssize_t	n = STEP;

	while ((size_t)n == STEP) {
		if (out->max - out->n < STEP)
			return fdio_slurp(fd, out);
		if (buf_reserve(out, STEP) == -1)
			return -1;
		while ((n = read(fd, out->p + out->n, STEP)) == -1)
			if (errno != EINTR)
				return -1;
		out->n += (size_t)n;
	}
	return 0;
}

int
spool_status_read(const struct spool *s, struct id id, struct buf *out)
{
	char	name[NAME_SIZE];
	int	fd, r;

	spool_sharded(id, name);
	fd = spool_open_quietly(s->status, name, O_RDONLY | O_CLOEXEC |
	    O_NOCTTY);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	r = read_all(fd, out);
	fdio_close(&fd);
	return r;
}
