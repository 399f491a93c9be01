/* common/store/spool_status.c - the status file of a message: text, appended to. */
#include "common/store/spool_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/fdio.h"

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

int
spool_status_read(const struct spool *s, struct id id, struct buf *out)
{
	char	name[NAME_SIZE];

	spool_sharded(id, name);
	if (fdio_slurp_at(s->status, name, out) == 0 || errno == ENOENT)
		return 0;
	return -1;
}
