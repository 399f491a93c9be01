/* imapd/fetch_file.c - a message's file, in pieces. */
#include "imapd/fetch_file.h"

#include <sys/stat.h>

#include <stdlib.h>

#include "common/base/fdio.h"

void
fetch_file_init(struct fetch_file *f)
{
	*f = (struct fetch_file){ .fd = -1 };
}

static int
read_at(struct fetch_file *f, uint64_t at)
{
	ssize_t	n;

	f->n = 0;
	if ((n = fdio_pread(f->fd, f->piece, FETCH_PIECE, (off_t)at)) == -1)
		return -1;
	f->from = at;
	f->n = (size_t)n;
	return 0;
}

static void
take_kept(struct fetch_file *f, struct fetch_kept *k)
{
	f->fd = k->fd;
	f->size = k->size;
	f->device = k->device;
	f->inode = k->inode;
	f->changed = k->changed;
	f->from = 0;
	f->n = 0;
	f->whole = false;
	k->uid = 0;
}

int
fetch_file_open(struct fetch_file *f, struct fetch_kept *k, struct view *v,
    size_t at)
{
	struct stat	st;

	if (f->piece == NULL && (f->piece = malloc(FETCH_PIECE)) == NULL)
		return -1;
	if (k->uid == view_message(v, at)->uid) {
		take_kept(f, k);
		return 0;
	}
	if ((f->fd = view_open_message(v, at)) == -1)
		return -1;
	if (fstat(f->fd, &st) == -1 || read_at(f, 0) == -1) {
		fetch_file_close(f);
		return -1;
	}
	f->size = (uint64_t)st.st_size;
	f->device = st.st_dev;
	f->inode = st.st_ino;
	f->changed = st.st_mtim.tv_sec;
	f->whole = f->n < FETCH_PIECE || f->size == FETCH_PIECE;
	if (f->whole)
		f->size = f->n;
	return 0;
}

void
fetch_file_close(struct fetch_file *f)
{
	fdio_close(&f->fd);
	f->n = 0;
	f->whole = false;
}

void
fetch_file_keep(struct fetch_file *f, struct fetch_kept *k, uint32_t uid)
{
	if (f->fd != -1 && !f->whole) {
		fetch_kept_drop(k);
		*k = (struct fetch_kept){ .uid = uid, .fd = f->fd,
		    .size = f->size, .device = f->device, .inode = f->inode,
		    .changed = f->changed };
		f->fd = -1;
	}
	fetch_file_close(f);
}

void
fetch_kept_drop(struct fetch_kept *k)
{
	if (k->uid != 0)
		fdio_close(&k->fd);
	k->uid = 0;
}

void
fetch_file_free(struct fetch_file *f)
{
	fetch_file_close(f);
	free(f->piece);
	fetch_file_init(f);
}

static struct str
held(const struct fetch_file *f, uint64_t at, uint64_t to)
{
	struct str	s = { f->piece + (at - f->from),
			    f->n - (size_t)(at - f->from) };

	if (s.n > to - at)
		s.n = (size_t)(to - at);
	return s;
}

int
fetch_file_some(struct fetch_file *f, uint64_t at, uint64_t to, struct str *s)
{
	*s = (struct str){ "", 0 };
	if (at >= to)
		return 0;
	if (at < f->from || at >= f->from + f->n) {
		if (f->whole)
			return 0;
		if (read_at(f, at) == -1)
			return -1;
	}
	*s = held(f, at, to);
	return 0;
}

/* Is all of that in the piece, or as much of it as a piece can hold? */
static bool
holds_most(const struct fetch_file *f, uint64_t at, uint64_t to)
{
	return f->whole || (f->n > 0 && (at == f->from ||
	    (at > f->from && to <= f->from + f->n)));
}

int
fetch_file_most(struct fetch_file *f, uint64_t at, uint64_t to, struct str *s,
    bool *last)
{
	*s = (struct str){ "", 0 };
	*last = true;
	if (at >= to || (f->whole && at >= f->n))
		return 0;
	if (!holds_most(f, at, to) && read_at(f, at) == -1)
		return -1;
	*s = held(f, at, to);
	*last = f->whole || at + s->n >= to || f->n < FETCH_PIECE;
	return 0;
}
