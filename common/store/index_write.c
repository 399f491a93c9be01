/*
 * common/store/index_write.c - a new posthouse.index, under the writers' lock. Nothing is flushed to the disk: a file that
 * a power cut leaves half written is seen by its sum, and made anew.
 */
#include "common/store/index.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/large.h"
#include "common/store/mode.h"

static size_t
gone_count(const struct index *x)
{
	return x->ngone + x->ngone_tail;
}

static const struct index_gone *
gone_at(const struct index *x, size_t i)
{
	return i < x->ngone ? &x->gone[i] : &x->gone_tail[i - x->ngone];
}

/* The header's counts, with the names' room as it may be at most. */
static void
measure(const struct index *x, struct index_header *h, size_t keywords)
{
	const struct index_row	*r;
	size_t			 i, names = 0;

	h->rows = h->new = h->recent = h->unseen = h->deleted = 0;
	for (i = 0; i < index_count(x); i++) {
		r = index_row(x, i);
		if (!index_is_live(r))
			continue;
		names += (size_t)r->base_len + r->info_len + r->guid_len;
		index_tally(h, r);
	}
	if (h->unseen == 0)
		h->first_unseen = h->rows;
	h->gone = gone_count(x) < INDEX_GONE_MAX ? gone_count(x) :
	    INDEX_GONE_MAX;
	h->keywords_size = (keywords + 7) & ~(size_t)7;
	h->names_size = (names + 7) & ~(size_t)7;
}

/* Whoever can write the file that is mapped can change rows while they are copied: no more than was measured is. */
static void
fill_rows(const struct index *x, struct index_row *out, char *names,
    const struct index_header *h)
{
	const struct index_row	*r, *end = out + h->rows;
	const size_t		 names_size = (size_t)h->names_size;
	struct str		 name;
	size_t			 i, at = 0;

	for (i = 0; i < index_count(x) && out < end; i++) {
		r = index_row(x, i);
		if (!index_is_live(r))
			continue;
		name = index_text(x, r);
		if (name.n > names_size - at)
			break;
		memcpy(names + at, name.p, name.n);
		*out = *r;
		out->name = (uint32_t)at;
		at += name.n;
		out++;
	}
	memset(out, 0, (size_t)((const char *)end - (const char *)out));
	memset(names + at, ' ', names_size - at);
}

/* The oldest are forgotten, and the header says up to when. */
static void
fill_gone(const struct index *x, struct index_gone *out,
    struct index_header *h)
{
	size_t	skip = gone_count(x) - (size_t)h->gone, i;

	for (i = 0; i < skip; i++)
		if (gone_at(x, i)->modseq > h->floor)
			h->floor = gone_at(x, i)->modseq;
	for (; i < gone_count(x); i++)
		*out++ = *gone_at(x, i);
}

static char *
make(const struct index *x, struct str keywords, struct index_header *h,
    size_t *size)
{
	char			*file;
	struct index_row	*rows;
	struct index_gone	*gone;

	*h = x->head;
	measure(x, h, keywords.n);
	if (h->names_size > UINT32_MAX) {
		errno = EFBIG;
		return NULL;
	}
	*size = sizeof(*h) + index_sections_size(h);
	if ((file = malloc(*size)) == NULL)
		return NULL;
	large_hint(file, *size);
	memcpy(h->magic, INDEX_MAGIC, sizeof(h->magic));
	h->version = INDEX_VERSION;
	h->order = 0x01020304;
	h->booted = index_boot_time();
	arc4random_buf(&h->generation, sizeof(h->generation));
	rows = (void *)(file + sizeof(*h));
	gone = (void *)(rows + h->rows);
	fill_gone(x, gone, h);
	memset(gone + h->gone, 0, h->keywords_size);
	if (keywords.n > 0)
		memcpy(gone + h->gone, keywords.p, keywords.n);
	fill_rows(x, rows, (char *)(gone + h->gone) + h->keywords_size, h);
	index_sum(h, rows);
	memcpy(file, h, sizeof(*h));
	return file;
}

int
index_mark(int fd)
{
	struct stat	st;

	return fstat(fd, &st) == -1 ? -1 :
	    fchmod(fd, (st.st_mode & 07777) | INDEX_UNWRITTEN);
}

static int
publish(const struct index *x, const char *file, size_t size)
{
	int	fd, saved;

	/* what lies there is of one who was killed, or anything at all */
	if (unlinkat(x->dir->root, INDEX_DRAFT, 0) == -1 && errno != ENOENT)
		return -1;
	fd = openat(x->dir->root, INDEX_DRAFT, O_RDWR | O_CREAT | O_EXCL |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (mode_share(x->dir->root, fd) == 0 &&
	    (!x->marked || index_mark(fd) == 0) &&
	    fdio_write(fd, file, size) == 0 && renameat(x->dir->root,
	    INDEX_DRAFT, x->dir->root, INDEX_FILE) == 0)
		return fd;
	saved = errno;
	(void)unlinkat(x->dir->root, INDEX_DRAFT, 0);
	fdio_close(&fd);
	errno = saved;
	return -1;
}

/* What was written takes the place of what was in memory. */
static int
adopt(struct index *x, int fd, const struct index_header *h, size_t size)
{
	struct stat	 st;
	void		*map;

	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED || fstat(fd, &st) == -1) {
		if (map != MAP_FAILED)
			(void)munmap(map, size);
		fdio_close(&fd);
		return -1;
	}
	index_unmap(x);
	free(x->tail);
	free(x->gone_tail);
	x->tail = NULL;
	x->gone_tail = NULL;
	x->tail_cap = x->gone_cap = 0;
	x->fd = fd;
	x->dev = st.st_dev;
	x->ino = st.st_ino;
	index_use_map(x, map, size, h);
	return 0;
}

int
index_rewrite(struct index *x)
{
	struct index_header	 h;
	struct buf		 keywords;
	char			*file = NULL;
	size_t			 size;
	int			 fd, r = -1;

	buf_init(&keywords, INDEX_KEYWORDS * (INDEX_KEYWORD_MAX + 4));
	if (index_keywords_text(x, &keywords) == 0)
		file = make(x, buf_view(&keywords), &h, &size);
	if (file != NULL && (fd = publish(x, file, size)) != -1)
		r = adopt(x, fd, &h, size);
	free(file);
	buf_free(&keywords);
	return r;
}
