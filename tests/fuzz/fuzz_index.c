/*
 * tests/fuzz/fuzz_index.c - posthouse.index, checkpoint and items, whatever they are: what is taken has its rows in order and its
 * names within bounds. The sums are put right, so that it is not they alone that keep the rest out.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/store/index.h"

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
check_rows(const struct index *x)
{
	const struct index_row	*r;
	uint32_t		 last = 0;
	size_t			 i, live = 0, is_new = 0;
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
		live += index_is_live(r);
		is_new += index_is_live(r) && (r->flags & INDEX_IS_NEW) != 0;
		if (index_find(x, r->uid, 0) != i)
			abort();
	}
	if (live != x->live || is_new != x->new)
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
		check_rows(x);
		at += used;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct maildir	 m = { .root = -1 };
	struct index_header	 h;
	struct index		 x;
	char			*file;

	if (index_check(data, size, &h))
		abort();	/* nobody guesses the sum */
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
			h.sum = index_sum(&h, file + sizeof(h));
		memcpy(file, &h, sizeof(h));
	}
	if (index_check(file, size, &h)) {
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
