/*
 * tests/fuzz/fuzz_index.c - posthouse.index, checkpoint and items, whatever they are: what is taken has its rows in order and its
 * names within bounds. The sums are put right, so that it is not they alone that keep the rest out.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/store/index.h"
#include "common/store/view.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Only asked for a new folder. */
int
store_next_validity(struct store *s, uint32_t *validity)
{
	(void)s;
	*validity = 1;
	return 0;
}

static void
check_rows(struct index *x)
{
	const struct index_row	*r;
	uint32_t		 last = 0;
	size_t			 i, live = 0, is_new = 0, unseen = 0;
	size_t			 deleted = 0, recent = 0, first = SIZE_MAX;
	struct str		 name;

	for (i = 0; i < index_count(x); i++) {
		r = index_row(x, i);
		name = index_name(x, r);
		if (r->uid <= last || r->uid >= x->head.next || name.n == 0 ||
		    memchr(name.p, '/', name.n) != NULL ||
		    index_guid(x, r).p + index_guid(x, r).n <
		    index_base(x, r).p)
			abort();
		last = r->uid;
		if (index_is_live(r)) {
			is_new += (r->flags & INDEX_IS_NEW) != 0;
			deleted += (r->flags & VIEW_DELETED) != 0;
			recent += (r->flags & INDEX_RECENT) != 0;
			if ((r->flags & VIEW_SEEN) == 0 && unseen++ == 0)
				first = live;
			live++;
		}
		if (index_find(x, r->uid, 0) != i)
			abort();
	}
	if (live != x->live || is_new != x->new || unseen != x->unseen ||
	    deleted != x->deleted || recent != x->nobodys ||
	    first != index_first_unseen(x))
		abort();
}

/* The items behind the checkpoint, their sums made right. */
static void
read_items(struct index *x, char *log, size_t n)
{
	struct index_block	b;
	struct str		items;
	size_t			at = 0, used;

	while (n - at >= sizeof(b)) {
		memcpy(&b, log + at, sizeof(b));
		if (b.size <= n - at - sizeof(b)) {
			b.sum = index_block_sum(&x->head, at, (struct str){
			    log + at + sizeof(b), (size_t)b.size });
			memcpy(log + at, &b, sizeof(b));
		}
		if (!index_block(&x->head, (struct str){ log + at, n - at },
		    at, &items, &used) || !index_apply(x, items))
			break;
		if (!x->unchecked)
			check_rows(x);
		at += used;
	}
}

/* Counts and sums as they would be, every other time. */
static void
make_right(struct index_header *h, const char *sections)
{
	struct index_header	 count = { .rows = 0 };
	const struct index_row	*rows = (const void *)sections;

	if ((h->generation & 1) == 0) {
		while (count.rows < h->rows)
			index_tally(&count, rows++);
		h->new = count.new;
		h->recent = count.recent;
		h->unseen = count.unseen;
		h->deleted = count.deleted;
		h->first_unseen = count.unseen == 0 ? h->rows :
		    count.first_unseen;
	}
	index_sum(h, sections);
}

/* Items change rows that nobody has looked at: whatever they are, nothing outside is read or written. */
static void
read_unchecked(char *file, size_t size, const struct index_header *h)
{
	const struct maildir	m = { .root = -1 };
	struct index		x;

	if (index_init(&x, &m, NULL) == -1)
		abort();
	index_use_map(&x, file, size, h);
	x.map = NULL;
	x.unchecked = true;
	read_items(&x, file + sizeof(*h) + index_sections_size(h),
	    size - sizeof(*h) - index_sections_size(h));
	(void)index_first_unseen(&x);
	x.rows = NULL;
	x.nrows = x.ngone = 0;
	index_free(&x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct maildir	 m = { .root = -1 };
	struct index_header	 h;
	struct index		 x;
	char			*file;

	if ((file = malloc(size + 1)) == NULL ||
	    index_init(&x, &m, NULL) == -1)
		abort();
	memcpy(file, data, size);
	if (size >= sizeof(h)) {
		memcpy(&h, file, sizeof(h));
		memcpy(h.magic, INDEX_MAGIC, sizeof(h.magic));
		h.version = INDEX_VERSION;
		h.order = 0x01020304;
		h.rows %= 8;
		h.gone %= 8;
		h.keywords_size %= 64;
		h.names_size %= 4096;
		if (index_sections_size(&h) <= size - sizeof(h))
			make_right(&h, file + sizeof(h));
		memcpy(file, &h, sizeof(h));
	}
	if (index_check_head(file, size, &h)) {
		read_unchecked(file, size, &h);
		memcpy(file, data, size);
		memcpy(file, &h, sizeof(h));
	}
	if (index_check_head(file, size, &h) &&
	    index_check_sections(file + sizeof(h), &h)) {
		index_use_map(&x, file, size, &h);
		x.map = NULL;	/* it is no mapping */
		check_rows(&x);
		read_items(&x, file + sizeof(h) + index_sections_size(&h),
		    size - sizeof(h) - index_sections_size(&h));
	}
	x.rows = NULL;
	x.nrows = x.ngone = 0;
	index_free(&x);
	free(file);
	return 0;
}
