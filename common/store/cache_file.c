/*
 * common/store/cache_file.c - the two files of a cache: opened, mapped, appended to, replaced. Run by a session as the
 * mailbox's user; other sessions do the same at the same time. They are never made shorter: new ones take their names, so
 * that what somebody has mapped stays. Nothing is flushed to the disk: what a crash leaves of them shows by its sums.
 */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/cache_impl.h"
#include "common/store/mode.h"

#define LOCK_MS		500
#define LOCK_STEP_NS	1000000
#define OPEN_TRIES	5

static void
unmap(struct cache_map *m)
{
	if (m->p != NULL)
		(void)munmap((void *)(uintptr_t)m->p, m->n);
	*m = (struct cache_map){ NULL, 0 };
}

/* As much as there is now. False: less than was mapped, or it has no name any more (another has taken it). */
static bool
map(struct cache_map *m, int fd, uint64_t max)
{
	struct stat	 st;
	void		*p;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_nlink == 0 || (uint64_t)st.st_size < m->n ||
	    st.st_size < (off_t)sizeof(struct cache_header))
		return false;
	if ((uint64_t)st.st_size > max)
		st.st_size = (off_t)max;
	if ((size_t)st.st_size == m->n)
		return true;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return false;
	unmap(m);
	*m = (struct cache_map){ p, (size_t)st.st_size };
	return true;
}

void
cache_header_make(struct cache_header *h, uint32_t uidvalidity,
    uint64_t generation)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, CACHE_MAGIC, sizeof(h->magic));
	h->uidvalidity = uidvalidity;
	h->row_size = sizeof(struct cache_row);
	h->part_size = sizeof(struct part);
	h->generation = generation;
	h->sum = cache_sum(0, h, offsetof(struct cache_header, sum));
}

static bool
header_ok(const struct cache *c, const struct cache_map *m, uint64_t *generation)
{
	struct cache_header	want, is;

	memcpy(&is, m->p, sizeof(is));
	cache_header_make(&want, c->uidvalidity, is.generation);
	*generation = is.generation;
	return memcmp(&is, &want, sizeof(is)) == 0;
}

static bool
map_both(struct cache *c)
{
	return map(&c->texts, c->texts_fd, CACHE_TEXTS_MAX) &&
	    map(&c->rows, c->rows_fd, sizeof(struct cache_header) +
	    (uint64_t)CACHE_ROWS_MAX * sizeof(struct cache_row));
}

void
cache_files_close(struct cache *c)
{
	cache_rows_forget(c);
	unmap(&c->rows);
	unmap(&c->texts);
	fdio_close(&c->rows_fd);
	fdio_close(&c->texts_fd);
}

/* For reading alone where nothing can be written. */
static int
open_file(struct cache *c, const char *name)
{
	const int	flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int		fd = -1;

	if (!c->read_only &&
	    (fd = openat(c->dir, name, O_RDWR | flags)) == -1 &&
	    (errno == EROFS || errno == EACCES))
		c->read_only = true;
	return c->read_only ? openat(c->dir, name, O_RDONLY | flags) : fd;
}

void
cache_files_open(struct cache *c)
{
	uint64_t	texts;

	cache_files_close(c);
	if ((c->rows_fd = open_file(c, CACHE_ROWS_NAME)) == -1 ||
	    (c->texts_fd = open_file(c, CACHE_TEXTS_NAME)) == -1 ||
	    !map_both(c) || !header_ok(c, &c->rows, &c->generation) ||
	    !header_ok(c, &c->texts, &texts) || texts != c->generation ||
	    !cache_rows_scan(c))
		cache_files_close(c);
}

static bool
has_name(const struct cache *c, int fd, const char *name)
{
	struct stat	is, named;

	return fstat(fd, &is) == 0 &&
	    fstatat(c->dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    is.st_dev == named.st_dev && is.st_ino == named.st_ino;
}

void
cache_files_refresh(struct cache *c)
{
	const size_t	before = c->rows.n;

	c->asked = 1;
	if (c->rows_fd == -1 || !map_both(c)) {
		cache_files_open(c);
		return;
	}
	if (c->rows.n != before && !cache_rows_scan(c))
		cache_files_close(c);
}

static int
lock(int fd)
{
	const struct timespec	step = { 0, LOCK_STEP_NS };
	const int64_t		until = now_ms() + LOCK_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		if (now_ms() >= until) {
			errno = EAGAIN;
			return -1;
		}
		(void)nanosleep(&step, NULL);
	}
	return 0;
}

static int
lock_named(struct cache *c)
{
	unsigned	i;

	for (i = 0; i < OPEN_TRIES; i++) {
		if (c->rows_fd == -1 && (c->rows_fd = openat(c->dir,
		    CACHE_ROWS_NAME, O_RDWR | O_CREAT | O_CLOEXEC |
		    O_NOFOLLOW | O_NONBLOCK, 0600)) == -1)
			return -1;
		if (lock(c->rows_fd) == -1)
			return -1;
		if (has_name(c, c->rows_fd, CACHE_ROWS_NAME))
			return 0;
		cache_files_close(c);	/* it was replaced meanwhile */
	}
	errno = EAGAIN;
	return -1;
}

/* May c->rows_fd be used as it is, with the texts there are? */
static bool
is_usable(struct cache *c)
{
	uint64_t	texts;

	if (c->texts_fd == -1 && (c->texts_fd = openat(c->dir,
	    CACHE_TEXTS_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK)) == -1)
		return false;
	return has_name(c, c->texts_fd, CACHE_TEXTS_NAME) && map_both(c) &&
	    header_ok(c, &c->rows, &c->generation) &&
	    header_ok(c, &c->texts, &texts) && texts == c->generation;
}

int
cache_files_lock(struct cache *c)
{
	struct buf	none;

	if (c->read_only) {
		errno = EROFS;
		return -1;
	}
	if (lock_named(c) == -1)
		return -1;
	if (is_usable(c) && cache_rows_scan(c))
		return 0;
	buf_init(&none, 1);
	return cache_files_replace(c, &none, &none);
}

void
cache_files_unlock(struct cache *c)
{
	if (c->rows_fd != -1)
		(void)flock(c->rows_fd, LOCK_UN);
}

static int
write_new(const struct cache *c, const char *name,
    const struct cache_header *h, const struct buf *content)
{
	int	fd, saved;

	if (unlinkat(c->dir, name, 0) == -1 && errno != ENOENT)
		return -1;
	if ((fd = openat(c->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600)) == -1)
		return -1;
	if (mode_share(c->dir, fd) == -1 ||
	    fdio_write(fd, h, sizeof(*h)) == -1 ||
	    (content->n > 0 &&
	    fdio_write(fd, content->p, content->n) == -1)) {
		saved = errno;
		fdio_close(&fd);
		(void)unlinkat(c->dir, name, 0);
		errno = saved;
	}
	return fd;
}

/*
 * The rows come last: until then their old generation and the texts' new one do not belong together, and whoever opens
 * them finds nothing.
 */
int
cache_files_replace(struct cache *c, const struct buf *rows,
    const struct buf *texts)
{
	struct cache_header	h;
	uint64_t		generation;
	int			rows_fd, texts_fd = -1, saved;

	arc4random_buf(&generation, sizeof(generation));
	if (rows->n > 0)
		generation = c->generation + 1;	/* which they were summed for */
	cache_header_make(&h, c->uidvalidity, generation);
	if ((rows_fd = write_new(c, CACHE_ROWS_NEW, &h, rows)) == -1 ||
	    (texts_fd = write_new(c, CACHE_TEXTS_NEW, &h, texts)) == -1 ||
	    flock(rows_fd, LOCK_EX | LOCK_NB) == -1 ||
	    renameat(c->dir, CACHE_TEXTS_NEW, c->dir, CACHE_TEXTS_NAME) == -1 ||
	    renameat(c->dir, CACHE_ROWS_NEW, c->dir, CACHE_ROWS_NAME) == -1) {
		saved = errno;
		fdio_close(&rows_fd);
		fdio_close(&texts_fd);
		(void)unlinkat(c->dir, CACHE_ROWS_NEW, 0);
		(void)unlinkat(c->dir, CACHE_TEXTS_NEW, 0);
		cache_files_close(c);	/* and what was locked is not */
		errno = saved;
		return -1;
	}
	cache_files_close(c);
	c->rows_fd = rows_fd;
	c->texts_fd = texts_fd;
	c->generation = generation;
	if (!map_both(c) || !cache_rows_scan(c)) {
		cache_files_close(c);
		errno = EIO;
		return -1;
	}
	return 0;
}

/* Texts first: a row leads only to what is there. What of it fails is written over by the next one. */
int
cache_files_append(struct cache *c, struct buf *rows, const struct buf *texts)
{
	const uint64_t	 end = (c->texts.n + 7u) & ~UINT64_C(7);
	struct cache_row row;
	size_t		 i, whole, n = rows->n / sizeof(row);

	if (end + texts->n > CACHE_TEXTS_MAX || c->nrows + n > CACHE_ROWS_MAX) {
		errno = EFBIG;
		return -1;
	}
	for (i = 0; i < n; i++) {
		memcpy(&row, rows->p + i * sizeof(row), sizeof(row));
		if ((row.flags & CACHE_HEAD) != 0)
			row.head_at += end;
		if ((row.flags & CACHE_BODY) != 0)
			row.body_at += end;
		row.sum = cache_row_sum(&row, c->generation);
		memcpy(rows->p + i * sizeof(row), &row, sizeof(row));
	}
	if (fdio_pwrite(c->texts_fd, texts->p, texts->n, (off_t)end) == -1)
		return -1;
	whole = sizeof(struct cache_header) + c->nrows * sizeof(row);
	if (fdio_pwrite(c->rows_fd, rows->p, rows->n, (off_t)whole) == -1)
		return -1;
	cache_files_refresh(c);
	return 0;
}
