/*
 * common/store/spool_draft.c - a new message on its way into the spool, by
 * smtpd, drop or queue in their own directories. What makes it safe is
 * argued in spool(5); the flushes themselves are durable.c's.
 */
#include "common/store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/sums.h"

#define FLUSH_AT	65536u	/* write in pieces of this size */
#define OUT_MAX		(ENVELOPE_MAX + 2 * FLUSH_AT)

int
spool_in_open(struct spool_in *in, int dirfd, enum durable_how how)
{
	in->new = -1;
	if ((in->tmp = fdio_opendir(dirfd, "tmp")) == -1 ||
	    (in->new = fdio_opendir(dirfd, "new")) == -1) {
		spool_in_close(in);
		return -1;
	}
	in->how = how;
	in->spread = true;
	return 0;
}

void
spool_in_close(struct spool_in *in)
{
	fdio_close(&in->tmp);
	fdio_close(&in->new);
}

static int
put(struct draft *d, const void *p, size_t n)
{
	if (fdio_write(d->fd, p, n) == -1)
		return -1;
	durable_early(d->fd, d->written, (off_t)n);
	d->written += (off_t)n;
	return 0;
}

static int
flush(struct draft *d)
{
	if (put(d, d->out.p, d->out.n) == -1)
		return -1;
	buf_reset(&d->out);
	return 0;
}

/* The end of a draft, whatever became of it; keeps errno. */
static void
forget(struct draft *d)
{
	int	saved = errno;

	fdio_close(&d->fd);
	buf_free(&d->out);
	sums_free(&d->sums);
	errno = saved;
}

/* "X/ID" where the directory is spread, else "ID". */
static void
set_path(const struct spool_in *in, struct draft *d)
{
	char	*p = d->path;

	if (in->spread) {
		*p++ = d->id[ID_LEN - 1];
		*p++ = '/';
	}
	memcpy(p, d->id, ID_SIZE);
}

int
draft_open(const struct spool_in *in, struct draft *d, const char *id)
{
	*d = (struct draft){ .fd = -1 };
	if (str_copy(d->id, sizeof(d->id), str_from(id)) == -1)
		return -1;
	set_path(in, d);
	d->fd = openat(in->tmp, d->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0660);
	if (d->fd == -1)
		return -1;
	/* The umask is 077; the group takes the file over (setgid directory). */
	if (fchmod(d->fd, 0660) == -1) {
		draft_abort(in, d);
		return -1;
	}
	return 0;
}

int
draft_head(const struct spool_in *in, struct draft *d, struct envelope *env)
{
	buf_init(&d->out, OUT_MAX);
	if (envelope_encode(&d->out, env) == -1 ||
	    (d->sums = sums_new()) == NULL)
		goto fail;
	d->content_at = (off_t)d->out.n;
	if (d->out.n <= ENVELOPE_MAX)
		return 0;
	errno = EMSGSIZE;	/* nobody would read it again */
fail:
	draft_abort(in, d);
	return -1;
}

int
draft_begin(const struct spool_in *in, struct draft *d, struct envelope *env)
{
	if (draft_open(in, d, env->id) == -1)
		return -1;
	return draft_head(in, d, env);
}

int
draft_write(struct draft *d, const void *data, size_t n)
{
	sums_add(d->sums, data, n);
	d->size += (off_t)n;
	/* A large piece goes straight to the file. */
	if (d->out.n + n > FLUSH_AT && d->out.n > 0 && flush(d) == -1)
		return -1;
	if (n >= FLUSH_AT)
		return put(d, data, n);
	return buf_add(&d->out, data, n);
}

static int
finish(const struct spool_in *in, struct draft *d, bool *named)
{
	struct flush	none = { .refused = true };
	char	trailer[TRAILER_SIZE + 1];
	char	simple[DIGEST_HEX + 1], relaxed[DIGEST_HEX + 1];

	if (sums_end(d->sums, simple, relaxed) == -1)
		return -1;
	trailer_format(trailer, d->size, simple, relaxed);
	if (buf_add(&d->out, trailer, TRAILER_SIZE) == -1 || flush(d) == -1)
		return -1;
	durable_begin(in->how, d->fd);
	if (durable_data(in->how, d->fd) == -1 ||
	    renameat(in->tmp, d->path, in->new, d->id) == -1)
		return -1;
	*named = true;
	return durable_names(in->how, &none, in->new, &d->fd, 1);
}

int
draft_commit(const struct spool_in *in, struct draft *d)
{
	bool	named = false;
	int	saved;

	if (finish(in, d, &named) == 0) {
		forget(d);
		return 0;
	}
	saved = errno;
	if (named)
		unlinkat(in->new, d->id, 0);
	draft_abort(in, d);
	errno = saved;
	return -1;
}

void
draft_abort(const struct spool_in *in, struct draft *d)
{
	int	saved = errno;

	if (d->fd != -1)
		unlinkat(in->tmp, d->path, 0);
	forget(d);
	errno = saved;
}
