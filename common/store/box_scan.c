/*
 * common/store/box_scan.c - the names in new and cur. Others rename while we
 * read: a name that moves during a scan may be seen twice or not at all, so a
 * directory that changed meanwhile is read again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/store/box_impl.h"
#include "common/store/listing.h"

#define SCAN_TRIES	4
#define SLOTS_MIN	64

/* From a secret start: nobody can choose names that collide. Eight bytes at a time. */
static size_t
hash(const struct box *b, struct str s)
{
	uint64_t	h = b->seed ^ s.n, word;

	while (s.n > 0) {
		size_t	n = s.n < sizeof(word) ? s.n : sizeof(word);

		word = 0;
		memcpy(&word, s.p, n);
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
		s.p += n;
		s.n -= n;
	}
	return (size_t)h & (b->nslots - 1);
}

static void
put_slot(struct box *b, size_t number)
{
	size_t	at = hash(b, b->entries[number].m.name);

	while (b->slots[at] != 0)
		at = (at + 1) & (b->nslots - 1);
	b->slots[at] = (uint32_t)number + 1;
}

int
box_rehash(struct box *b)
{
	uint32_t	*slots;
	size_t		 n = SLOTS_MIN, i;

	while (n < 2 * b->cap)
		n *= 2;
	if ((slots = calloc(n, sizeof(*slots))) == NULL)
		return -1;
	free(b->slots);
	b->slots = slots;
	b->nslots = n;
	for (i = 0; i < b->n; i++)
		put_slot(b, i);
	return 0;
}

struct box_entry *
box_find(struct box *b, struct str base)
{
	struct box_entry	*e;
	size_t			 at;

	if (b->nslots == 0)
		return NULL;
	for (at = hash(b, base); b->slots[at] != 0;
	    at = (at + 1) & (b->nslots - 1)) {
		e = &b->entries[b->slots[at] - 1];
		if (str_eq(e->m.name, base))
			return e;
	}
	return NULL;
}

static int
grow(struct box *b)
{
	struct box_entry	*more;
	size_t			 cap = b->cap == 0 ? SLOTS_MIN : 2 * b->cap;

	if (cap > UINT32_MAX / 4) {
		errno = EMSGSIZE;
		return -1;
	}
	if ((more = reallocarray(b->entries, cap, sizeof(*more))) == NULL)
		return -1;
	b->entries = more;
	b->cap = cap;
	return box_rehash(b);
}

static int
set_file(struct box *b, struct box_entry *e, const char *file, bool is_new)
{
	struct str	copy;

	e->found = true;
	e->gone = false;
	e->m.is_new = is_new;
	if (e->file != NULL && strcmp(e->file, file) == 0)
		return 0;
	if (arena_dup(&b->names, str_from(file), &copy) == -1)
		return -1;
	e->file = copy.p;
	e->m.name = maildir_name_base(copy);
	e->m.flags = maildir_name_flags(copy).p;
	return 0;
}

static int
see(struct box *b, const char *file, bool is_new, bool adding)
{
	struct str		 base = maildir_name_base(str_from(file));
	struct box_entry	*e;

	if (base.n == 0)
		return 0;
	if ((e = box_find(b, base)) != NULL)
		return set_file(b, e, file, is_new);
	if (!adding)
		return 0;
	if (b->n == b->cap && grow(b) == -1)
		return -1;
	e = &b->entries[b->n];
	memset(e, 0, sizeof(*e));
	if (set_file(b, e, file, is_new) == -1)
		return -1;
	e->has_size = e->size_kept = maildir_name_size(base, 'W', &e->size);
	put_slot(b, b->n++);
	return 0;
}

static int
scan_dir(struct box *b, int dir, bool is_new, bool adding)
{
	struct dirent	*d;
	DIR		*dp;
	int		 fd, r = 0;

	if ((fd = fdio_opendir(dir, ".")) == -1)
		return -1;
	if ((dp = fdopendir(fd)) == NULL) {
		fdio_close(&fd);
		return -1;
	}
	while (r == 0) {
		errno = 0;
		if ((d = readdir(dp)) == NULL) {
			r = errno == 0 ? 1 : -1;
			break;
		}
		if (d->d_name[0] != '.' && d->d_type != DT_DIR)
			r = see(b, d->d_name, is_new, adding);
	}
	fd = errno;
	closedir(dp);
	errno = fd;
	return r == 1 ? 0 : -1;
}

int
box_scan(struct box *b, bool adding)
{
	int64_t	before[2], after[2], clock = 0;
	bool	stable = false;
	size_t	i;
	int	tries;

	for (i = 0; i < b->n; i++)
		b->entries[i].found = false;
	for (tries = 0; tries < SCAN_TRIES && !stable; tries++) {
		clock = listing_clock();
		/* new first: what moves from there to cur meanwhile is seen */
		if (listing_mtime(b->dir.new, &before[0]) == -1 ||
		    listing_mtime(b->dir.cur, &before[1]) == -1 ||
		    scan_dir(b, b->dir.new, true, adding) == -1 ||
		    scan_dir(b, b->dir.cur, false, adding) == -1 ||
		    listing_mtime(b->dir.new, &after[0]) == -1 ||
		    listing_mtime(b->dir.cur, &after[1]) == -1)
			return -1;
		stable = before[0] == after[0] && before[1] == after[1];
	}
	b->is_certain = stable && listing_is_old(before[0], clock) &&
	    listing_is_old(before[1], clock);
	for (i = 0; i < b->n; i++)
		b->entries[i].gone = !b->entries[i].found;
	return 0;
}
