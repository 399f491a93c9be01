/* common/store/index.c - rows in memory: where they are, and their names. */
#include "common/store/index.h"

#include <sys/mman.h>
#include <sys/random.h>

#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/hash.h"
#include "common/base/now.h"
#include "common/store/view.h"

#define OWN_MAX		((size_t)1 << 30)
#define OUT_MAX		((size_t)1 << 30)

int
index_init(struct index *x, const struct maildir *dir, struct store *store)
{
	*x = (struct index){ .dir = dir, .store = store, .lock = -1,
	    .fd = -1 };
	buf_init(&x->own, OWN_MAX);
	buf_init(&x->out, OUT_MAX);
	if (getrandom(&x->head.seed, sizeof(x->head.seed), 0) !=
	    sizeof(x->head.seed))
		return -1;
	index_reset(x, 0);
	return 0;
}

void
index_unmap(struct index *x)
{
	if (x->map != NULL)
		(void)munmap(x->map, x->map_size);
	x->map = NULL;
	x->map_size = x->nrows = x->ngone = 0;
	x->rows = NULL;
	x->gone = NULL;
	x->names = NULL;
	fdio_close(&x->fd);
}

void
index_free(struct index *x)
{
	index_unlock(x);
	index_unmap(x);
	free(x->tail);
	free(x->gone_tail);
	free(x->recent);
	buf_free(&x->own);
	buf_free(&x->out);
}

/*
 * Modification sequences begin with the time, so that they are above whatever was told by an index that is lost.
 */
uint64_t
index_first_modseq(void)
{
	struct timespec	now = now_real();

	return index_modseq_at(now.tv_sec, now.tv_nsec);
}

uint64_t
index_modseq_at(int64_t seconds, int64_t ns)
{
	return (uint64_t)seconds << 20 | (uint64_t)ns >> 10;
}

void
index_reset(struct index *x, uint32_t validity)
{
	uint64_t	seed = x->head.seed;
	char		id[sizeof(x->head.mailbox_id)];

	memcpy(id, x->head.mailbox_id, sizeof(id));
	index_unmap(x);
	x->head = (struct index_header){ .seed = seed, .validity = validity,
	    .next = 1 };
	memcpy(x->head.mailbox_id, id, sizeof(id));
	x->head.highest = index_first_modseq();
	x->head.floor = x->head.highest;
	x->written = UINT64_MAX;
	x->ntail = x->ngone_tail = x->live = x->new = 0;
	x->unseen = x->deleted = x->first_unseen = x->nobodys = 0;
	x->unchecked = false;
	x->log_at = 0;
	x->own.n = 0;
	buf_reset(&x->out);
	memset(x->keyword, 0, sizeof(x->keyword));
	x->rewrite = true;
	x->version++;
	x->keywords_version++;
}

static size_t
find_in(const struct index_row *rows, size_t n, uint32_t uid)
{
	size_t	low = 0, high = n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (rows[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t
index_find(const struct index *x, uint32_t uid, size_t guess)
{
	if (guess < index_count(x) && index_row(x, guess)->uid == uid)
		return guess;
	if (x->nrows > 0 && uid <= x->rows[x->nrows - 1].uid)
		return find_in(x->rows, x->nrows, uid);
	return x->nrows + find_in(x->tail, x->ntail, uid);
}

/* Whoever may write the file can change a row between two looks at it: each number is read once. */
static uint8_t
length(const uint8_t *p)
{
	return *(const volatile uint8_t *)p;
}

/* Base name, info and GUID, one behind the other. */
struct text {
	const char	*p;
	size_t		 base, info, guid;
};

/*
 * Offsets beyond the mapping's names are of our own. Rows may not be checked yet, and may have changed since: what leads nowhere is a
 * name of zeros, which no file has.
 */
static struct text
text_of(const struct index *x, const struct index_row *r)
{
	static const char	nowhere[3 * (UINT8_MAX + 1)];
	struct text		t = { nowhere, length(&r->base_len),
	    length(&r->info_len), length(&r->guid_len) };
	const size_t		n = t.base + t.info + t.guid;
	const size_t		mapped = (size_t)x->head.names_size;
	const size_t		at = *(const volatile uint32_t *)&r->name;

	if (at < mapped) {
		if (n <= mapped - at)
			t.p = x->names + at;
	} else if (x->own.n > 0 && n <= x->own.n &&
	    at - mapped <= x->own.n - n)
		t.p = x->own.p + (at - mapped);
	return t;
}

size_t
index_first_unseen(struct index *x)
{
	size_t	i = x->first_unseen, n = index_count(x), before;

	if (x->unseen == 0)
		return SIZE_MAX;
	while (i < n && (!index_is_live(index_row(x, i)) ||
	    (index_row(x, i)->flags & VIEW_SEEN) != 0))
		i++;
	if ((x->first_unseen = i) == n)
		return SIZE_MAX;
	/* gone rows are those that were there when the file was made */
	for (before = i, n = 0; n < x->ngone_tail; n++)
		before -= x->gone_tail[n].uid < index_row(x, i)->uid;
	return before;
}

struct str
index_base(const struct index *x, const struct index_row *r)
{
	const struct text	t = text_of(x, r);

	return (struct str){ t.p, t.base };
}

struct str
index_name(const struct index *x, const struct index_row *r)
{
	const struct text	t = text_of(x, r);

	return (struct str){ t.p, t.base + t.info };
}

struct str
index_info(const struct index *x, const struct index_row *r)
{
	const struct text	t = text_of(x, r);

	return (struct str){ t.p + t.base, t.info };
}

struct str
index_guid(const struct index *x, const struct index_row *r)
{
	const struct text	t = text_of(x, r);

	return (struct str){ t.p + t.base + t.info, t.guid };
}

struct str
index_text(const struct index *x, const struct index_row *r)
{
	const struct text	t = text_of(x, r);

	return (struct str){ t.p, t.base + t.info + t.guid };
}

uint32_t
index_hash(const struct index *x, struct str base)
{
	uint64_t	h = hash_bytes(x->head.seed, base.p, base.n);

	return (uint32_t)(h ^ h >> 32);
}

uint64_t
index_next_modseq(struct index *x)
{
	return ++x->head.highest;
}

int
index_note_recent(struct index *x, uint32_t uid)
{
	size_t		 cap = x->recent_cap == 0 ? 16 : 2 * x->recent_cap;
	uint32_t	*more;

	if (x->nrecent == x->recent_cap) {
		more = reallocarray(x->recent, cap, sizeof(*more));
		if (more == NULL)
			return -1;
		x->recent = more;
		x->recent_cap = cap;
	}
	x->recent[x->nrecent++] = uid;
	return 0;
}
