/*
 * common/store/index_file.c - posthouse.index: read, followed, appended to. A file is only ever replaced by rename, and its
 * first part never changes, so that it can be mapped; what follows is read as it grows.
 */
#include "common/store/index.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/folder_lock.h"

#define LOG_MIN		65536		/* so much may follow a small table */
#define LOG_LITTLE	16384		/* and so much is left for the next who opens it to read */
#define LOG_MAX		((size_t)1 << 30)
#define FILE_MAX	((off_t)1 << 34)

int64_t
index_boot_time(void)
{
	struct timespec	up, now = now_real();

	if (clock_gettime(CLOCK_BOOTTIME, &up) == -1)
		return 0;
	return now.tv_sec - up.tv_sec - (now.tv_nsec < up.tv_nsec);
}

static off_t
table_end(const struct index *x)
{
	return (off_t)(sizeof(x->head) + index_sections_size(&x->head));
}

/* Sections of a mapping that was found in order. */
void
index_use_map(struct index *x, void *map, size_t size,
    const struct index_header *h)
{
	x->map = map;
	x->map_size = size;
	x->head = *h;
	x->rows = (void *)((char *)map + sizeof(*h));
	x->nrows = (size_t)h->rows;
	x->gone = (void *)(x->rows + x->nrows);
	x->ngone = (size_t)h->gone;
	x->names = (const char *)(x->gone + x->ngone) + h->keywords_size;
	x->live = x->nrows;
	x->new = (size_t)h->new;
	x->nobodys = (size_t)h->recent;
	x->unseen = (size_t)h->unseen;
	x->deleted = (size_t)h->deleted;
	x->first_unseen = (size_t)h->first_unseen;
	x->unchecked = false;
	x->ntail = x->ngone_tail = 0;
	buf_free(&x->own);
	x->log_at = table_end(x);
	x->torn = x->rewrite = x->private = false;
	x->written = h->highest;
	x->version++;
}

/* What was to be written of another file's rows is said of this one's. */
static bool
say_again(struct index *x)
{
	bool	ok = x->out.n == 0 || index_apply(x, buf_view(&x->out));

	if (!ok)
		buf_reset(&x->out);
	return ok;
}

static int
take_map(struct index *x, int fd, const struct stat *st, void *map)
{
	struct index_header	 h;
	struct str		 names;

	if (!index_check_head(map, (size_t)st->st_size, &h)) {
		(void)munmap(map, (size_t)st->st_size);
		errno = EINVAL;
		return -1;
	}
	/* with another validity it is of other messages */
	if (x->private || h.validity != x->head.validity)
		buf_reset(&x->out);
	index_unmap(x);
	x->fd = fd;
	index_use_map(x, map, (size_t)st->st_size, &h);
	x->unchecked = true;
	names = (struct str){ x->names - h.keywords_size, 0 };
	while (names.n < h.keywords_size && names.p[names.n] != '\0')
		names.n++;
	index_take_keywords(x, names);
	x->rebooted = llabs(h.booted - index_boot_time()) > INDEX_BOOT_SLACK;
	return 0;
}

/* A file that cannot be used is remembered by its number, so that it is not looked at again. */
static int
load(struct index *x)
{
	struct stat	 st;
	void		*map;
	int		 fd, saved;

	errno = EINVAL;
	fd = openat(x->dir->root, INDEX_FILE,
	    O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1 && errno != ENOENT)
		fd = openat(x->dir->root, INDEX_FILE,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	x->rewrite = true;
	if (fd == -1)
		return -1;
	map = MAP_FAILED;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    st.st_size < FILE_MAX)
		map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED || take_map(x, fd, &st, map) == -1) {
		saved = errno;
		fdio_close(&fd);
		errno = saved;
		return -1;
	}
	x->dev = st.st_dev;
	x->ino = st.st_ino;
	x->marked = (st.st_mode & INDEX_UNWRITTEN) != 0;
	return 0;
}

/* Blocks one after the other, until one is not whole. */
static int
read_log(struct index *x, off_t size)
{
	struct buf	text;
	struct str	log, items;
	size_t		used;
	ssize_t		n;

	if (size - x->log_at > (off_t)LOG_MAX) {	/* none of ours */
		x->torn = x->rewrite = true;
		return 0;
	}
	buf_init(&text, LOG_MAX);
	if (buf_reserve(&text, (size_t)(size - x->log_at)) == -1) {
		x->torn = true;
		return -1;
	}
	n = fdio_pread(x->fd, text.p, (size_t)(size - x->log_at), x->log_at);
	log = (struct str){ text.p, n == -1 ? 0 : (size_t)n };
	while (index_block(&x->head, log, (uint64_t)x->log_at, &items,
	    &used)) {
		if (!index_apply(x, items)) {
			x->rewrite = true;
			break;
		}
		x->log_at += (off_t)used;
		log.p += used;
		log.n -= used;
	}
	x->torn = x->log_at != size;
	x->written = x->head.highest;
	buf_free(&text);
	return 0;
}

/* The first part of the file never changes; the rows in memory do, written or not. is_new: they have not yet. */
static bool
file_ok(const struct index *x, bool is_new)
{
	size_t		 size = (size_t)table_end(x);
	const char	*p = x->map;
	bool		 ok;

	if (is_new)
		return index_check_sections(p + sizeof(x->head), &x->head);
	p = mmap(NULL, size, PROT_READ, MAP_SHARED, x->fd, 0);
	if (p == MAP_FAILED)
		return false;
	ok = index_check_sections(p + sizeof(x->head), &x->head);
	(void)munmap((void *)(uintptr_t)p, size);
	return ok;
}

/* Somebody has written over it where it lies: the beginning shows that at no cost. */
static bool
is_overwritten(const struct index *x)
{
	const struct index_header	*h = x->map;

	return h != NULL && (h->generation != x->head.generation ||
	    h->sum != x->head.sum);
}

bool
index_check_rows(struct index *x)
{
	if (!x->unchecked)
		return true;
	x->unchecked = false;
	if (file_ok(x, x->log_at == table_end(x) && x->out.n == 0))
		return true;
	index_reset(x, 0);
	return false;
}

bool
index_verify(struct index *x)
{
	if (x->map == NULL || x->unchecked || file_ok(x, false))
		return true;
	index_reset(x, 0);
	return false;
}

int
index_follow(struct index *x)
{
	struct stat	st;

	if (fstatat(x->dir->root, INDEX_FILE, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		x->rewrite = true;
		return 0;
	}
	if (st.st_ino == x->ino && st.st_dev == x->dev &&
	    !(x->private && st.st_size > x->log_at)) {
		if (x->fd == -1)
			return 0;	/* of no use, as it was before */
		x->marked = (st.st_mode & INDEX_UNWRITTEN) != 0;
		/* the file's number stays known, so that it is not looked at again */
		if (st.st_size < x->log_at || is_overwritten(x))
			index_reset(x, 0);
		if (x->fd == -1 || st.st_size == x->log_at)
			return 0;
		return read_log(x, st.st_size);
	}
	if (load(x) == -1) {
		/* another one than that which is mapped, and it is worth another look */
		if (errno == ENOMEM || errno == EMFILE || errno == ENFILE)
			return -1;
		x->dev = st.st_dev;
		x->ino = st.st_ino;
		return 0;
	}
	if (fstat(x->fd, &st) == 0 && st.st_size > x->log_at &&
	    read_log(x, st.st_size) == -1)
		return -1;
	(void)say_again(x);
	return 0;
}

int
index_catch_up(struct index *x)
{
	if (index_follow(x) == -1)
		return -1;
	(void)index_check_rows(x);	/* if not: as if there were none */
	return 0;
}

int
index_lock(struct index *x)
{
	return (x->lock = folder_lock(x->dir->root)) == -1 ? -1 : 0;
}

void
index_unlock(struct index *x)
{
	fdio_close(&x->lock);
}

static int
append(struct index *x)
{
	struct index_block	b = { .size = x->out.n };
	struct buf		whole;
	int			r = -1;

	buf_init(&whole, x->out.n + sizeof(b));
	b.sum = index_block_sum(&x->head, (uint64_t)x->log_at,
	    buf_view(&x->out));
	buf_add(&whole, &b, sizeof(b));
	buf_addstr(&whole, buf_view(&x->out));
	if (buf_ok(&whole))
		r = fdio_pwrite(x->fd, whole.p, whole.n, x->log_at);
	if (r == 0)
		x->log_at += (off_t)whole.n;
	buf_free(&whole);
	return r;
}

/* More than that part of the table, and more than a little. */
static bool
is_long(const struct index *x, size_t part, size_t little)
{
	size_t	table = (size_t)table_end(x);
	size_t	log = (size_t)(x->log_at - table_end(x)) + x->out.n;

	return log > little && log > table / part;
}

/*
 * What clients were told of while nothing could be written is not known here, and may be no more: all messages get a number above it, and
 * whatever is missing counts as unknown.
 */
static void
begin_above(struct index *x)
{
	index_touch(x, index_next_modseq(x));
	x->head.floor = x->head.highest;
}

/* The mark goes with the second file, or stays if we are killed before. */
static int
write_above(struct index *x)
{
	begin_above(x);
	x->marked = false;
	return index_rewrite(x);
}

/*
 * Clients are told of what is in memory. Of the file only the mode can be changed on a disk that is full. If others have done so before,
 * their clients may come to us now.
 */
static void
go_private(struct index *x)
{
	if (x->marked && !x->private)
		begin_above(x);
	x->private = true;
	if (x->fd != -1 && !x->marked)
		x->marked = index_mark(x->fd) == 0;
}

void
index_flush(struct index *x)
{
	int	r;

	if (x->head.validity == 0)	/* lost, and not found again */
		buf_reset(&x->out);
	if (x->head.validity == 0 ||
	    (x->out.n == 0 && !x->rewrite && !x->private && !x->marked))
		return;
	if (x->lock == -1)
		r = -1;
	else if (x->rewrite || x->torn || x->private || x->marked ||
	    x->fd == -1 || is_long(x, 4, LOG_MIN))
		r = index_rewrite(x);
	else
		r = append(x);
	if (r == 0 && x->marked)
		r = write_above(x);
	if (r == -1)
		go_private(x);
	else
		x->written = x->head.highest;
	buf_free(&x->out);
}

void
index_tidy(struct index *x)
{
	if (x->fd == -1 || x->private || x->unchecked || x->lock != -1 ||
	    !is_long(x, 32, LOG_LITTLE) || index_lock(x) == -1)
		return;
	if (index_catch_up(x) == 0 && x->fd != -1 &&
	    is_long(x, 32, LOG_LITTLE) && index_verify(x)) {
		x->rewrite = true;
		index_flush(x);
	}
	index_unlock(x);
}
