/*
 * common/store/spool_rewrite.c - files of the queue's own: a message written
 * anew, and where a new one goes. One of old and new survives a power cut.
 */
#include "common/store/spool_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/fdio.h"

#define COPY_SIZE	65536u

static int
copy(int to, int from, off_t at, off_t len)
{
	char	mem[COPY_SIZE];
	ssize_t	n;

	while (len > 0) {
		n = fdio_pread(from, mem, len < (off_t)sizeof(mem) ?
		    (size_t)len : sizeof(mem), at);
		if (n == 0)
			errno = EBADMSG;	/* shorter than its trailer said */
		if (n <= 0 || fdio_write(to, mem, (size_t)n) == -1)
			return -1;
		at += n;
		len -= n;
	}
	return 0;
}

static int
write_whole(int fd, struct envelope *env, struct str prefix, int from,
    off_t at, off_t len)
{
	char		trailer[TRAILER_SIZE + 1];
	struct buf	head;
	int		r, saved;

	buf_init(&head, ENVELOPE_MAX);
	/* Lines put in front of a header change no digest: those are of the body. */
	trailer_format(trailer, (off_t)prefix.n + len, env->simple,
	    env->relaxed);
	r = envelope_encode(&head, env);
	if (r == 0)
		r = fdio_write(fd, head.p, head.n);
	if (r == 0)
		r = fdio_write(fd, prefix.p, prefix.n);
	if (r == 0)
		r = copy(fd, from, at, len);
	if (r == 0)
		r = fdio_write(fd, trailer, TRAILER_SIZE);
	saved = errno;
	buf_free(&head);
	errno = saved;
	return r;
}

int
spool_rewrite(const struct spool *s, struct envelope *env, struct str prefix,
    int content_fd, off_t at, off_t len)
{
	char		name[NAME_SIZE];
	struct id	id;
	bool		strict = durable_moves_need_flush(s->how);
	int		fd, r, saved;

	if (!id_parse(str_from(env->id), &id)) {
		errno = EINVAL;
		return -1;
	}
	spool_sharded(id, name);
	if (unlinkat(s->tmp, env->id, 0) == -1 && errno != ENOENT)
		return -1;
	fd = openat(s->tmp, env->id, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (write_whole(fd, env, prefix, content_fd, at, len) == -1 ||
	    durable_replacement(s->how, fd) == -1 ||
	    spool_rename(s, s->tmp, env->id, s->queue, name, true, true) == -1) {
		saved = errno;
		unlinkat(s->tmp, env->id, 0);
		fdio_close(&fd);
		errno = saved;
		return -1;
	}
	r = strict ? spool_flush_names(s, s->queue, name) :
	    durable_replaced(s->how, s->queue, fd);
	saved = errno;
	fdio_close(&fd);
	errno = saved;
	return r;
}

int
spool_in_queue(const struct spool *s, struct id id, struct spool_in *in)
{
	char	name[NAME_SIZE], shard[SHARD_LEN + 1];

	spool_sharded(id, name);
	id_shard(id, shard);
	*in = (struct spool_in){ -1, -1, s->how, false };
	if (spool_make_shard(s, s->queue, name) == -1 ||
	    (in->tmp = fdio_opendir(s->tmp, ".")) == -1 ||
	    (in->new = fdio_opendir(s->queue, shard)) == -1) {
		spool_in_close(in);
		return -1;
	}
	return 0;
}
