/* common/store/cache.c - what was parsed of messages: asked for, put, thrown away. Run by a session as the mailbox's user. */
#include "common/store/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/cache_impl.h"

#define GATHERED	(1u << 20)	/* bytes that are put before they are written */
#define GATHERED_MAX	(1u << 29)
#define TEXT_MAX	(1u << 28)	/* of one message; what has more is not kept */
#define LOOK_AFTER	32u
#define DEAD_FEW	1000u		/* rows that are not worth the work */

struct cache *
cache_open(int dir, uint32_t uidvalidity, bool read_only)
{
	struct cache	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->dir = dir;
	c->rows_fd = c->texts_fd = -1;
	c->uidvalidity = uidvalidity;
	c->read_only = read_only;
	buf_init(&c->new_rows, GATHERED_MAX);
	buf_init(&c->new_texts, GATHERED_MAX);
	buf_init(&c->parts, PARTS_MAX * sizeof(struct part));
	return c;
}

static void
forget_new(struct cache *c)
{
	buf_free(&c->new_rows);
	buf_free(&c->new_texts);
}

void
cache_close(struct cache **cp)
{
	struct cache	*c = *cp;

	if (c == NULL)
		return;
	if (cache_flush(c) == -1)
		forget_new(c);	/* it is parsed anew, next time */
	cache_files_close(c);
	forget_new(c);
	buf_free(&c->parts);
	free(c);
	*cp = NULL;
}

static struct cache_row
new_row(const struct cache *c, size_t i)
{
	struct cache_row	row;

	memcpy(&row, c->new_rows.p + i * sizeof(row), sizeof(row));
	return row;
}

/* Among what was put and not yet written. */
static bool
find_new(const struct cache *c, uint32_t uid, size_t *at)
{
	size_t	low = 0, n = c->new_rows.n / sizeof(struct cache_row);
	size_t	high = n, middle;

	if (!c->new_sorted) {
		while (low < n && new_row(c, low).uid != uid)
			low++;
	} else if (n > 0 && new_row(c, n - 1).uid < uid)
		low = n;
	else
		while (low < high) {
			middle = low + (high - low) / 2;
			if (new_row(c, middle).uid < uid)
				low = middle + 1;
			else
				high = middle;
		}
	*at = low * sizeof(struct cache_row);
	return low < n && new_row(c, low).uid == uid;
}

static void
note_order(struct cache *c, uint32_t uid)
{
	const size_t	n = c->new_rows.n / sizeof(struct cache_row);

	c->new_sorted = n == 0 ||
	    (c->new_sorted && new_row(c, n - 1).uid < uid);
}

/*
 * In the files as they are now, or were a moment ago: whether they have changed is looked at from time to time, since most
 * of those who ask for one message ask for many.
 */
static bool
find_old(struct cache *c, uint32_t uid, struct cache_row *row)
{
	if (c->asked++ % LOOK_AFTER == 0)
		cache_files_refresh(c);
	return c->rows_fd != -1 && cache_rows_find(c, uid, row);
}

bool
cache_head(struct cache *c, uint32_t uid, struct cache_head *out)
{
	struct cache_row	row;
	size_t			at;

	if (find_new(c, uid, &at)) {
		memcpy(&row, c->new_rows.p + at, sizeof(row));
		if (cache_row_head(&row, c->new_texts.p, c->new_texts.n, out))
			return true;
	}
	return find_old(c, uid, &row) &&
	    cache_row_head(&row, c->texts.p, c->texts.n, out);
}

/*
 * Who shares a folder can write to what is mapped at any time. Numbers of parts lead from one to the next, so that those that were looked at have to
 * be those that are used; of the texts no byte is more than a byte.
 */
static bool
own_parts(struct cache *c, struct cache_body *b)
{
	buf_reset(&c->parts);
	if (buf_add(&c->parts, b->parts, b->nparts * sizeof(*b->parts)) == -1)
		return false;
	b->parts = (const struct part *)(const void *)c->parts.p;
	return cache_parts_ok(b->parts, b->nparts, b->size);
}

bool
cache_body(struct cache *c, uint32_t uid, struct cache_body *out)
{
	struct cache_row	row;
	size_t			at;

	if (find_new(c, uid, &at)) {
		memcpy(&row, c->new_rows.p + at, sizeof(row));
		if (cache_row_body(&row, c->new_texts.p, c->new_texts.n, out))
			return own_parts(c, out);
	}
	return find_old(c, uid, &row) &&
	    cache_row_body(&row, c->texts.p, c->texts.n, out) &&
	    own_parts(c, out);
}

/* Copies of its own: what it is may be a view of what is about to move. */
static int
add_text(struct cache *c, const void *p, size_t n)
{
	return buf_add(&c->new_texts, p, n);
}

static int
align(struct cache *c)
{
	static const char	zeros[8];

	return add_text(c, zeros, (8 - c->new_texts.n % 8) % 8);
}

static int
add_head(struct cache *c, struct cache_row *row, const struct cache_head *h)
{
	const size_t	at = c->new_texts.n;

	if (add_text(c, h->envelope.p, h->envelope.n) == -1 ||
	    add_text(c, h->references.p, h->references.n) == -1 ||
	    add_text(c, h->message_id.p, h->message_id.n) == -1)
		return -1;
	row->flags |= CACHE_HEAD;
	row->flags &= (uint16_t)~CACHE_DATE;
	if (h->has_date)
		row->flags |= CACHE_DATE;
	row->sent = h->sent;
	row->zone = h->zone;
	row->envelope_n = (uint32_t)h->envelope.n;
	row->references_n = (uint32_t)h->references.n;
	row->message_id_n = (uint32_t)h->message_id.n;
	row->head_at = at;
	row->head_sum = cache_sum(row->uid, c->new_texts.p + at,
	    c->new_texts.n - at);
	return 0;
}

static int
add_body(struct cache *c, struct cache_row *row, const struct cache_body *b)
{
	size_t	at;

	if (align(c) == -1)
		return -1;
	at = c->new_texts.n;
	if (add_text(c, b->parts, b->nparts * sizeof(*b->parts)) == -1 ||
	    add_text(c, b->bodystructure.p, b->bodystructure.n) == -1)
		return -1;
	row->flags |= CACHE_BODY;
	row->wire = b->wire;
	row->size = b->size;
	row->structure_n = (uint32_t)b->bodystructure.n;
	row->nparts = (uint32_t)b->nparts;
	row->body_at = at;
	row->body_sum = cache_sum(row->uid, c->new_texts.p + at,
	    c->new_texts.n - at);
	return 0;
}

/*
 * One row for both, wherever the other one is: in a row that was put just now, which is changed, or in the files, from
 * which it is copied, so that the last row of a UID has all that there is.
 */
static int
put(struct cache *c, uint32_t uid, const struct cache_head *h,
    const struct cache_body *b)
{
	struct cache_row	row = { .uid = uid }, old;
	struct cache_head	old_head;
	struct cache_body	old_body;
	size_t			at, texts = c->new_texts.n;
	bool			is_new = !find_new(c, uid, &at);

	if (!is_new)
		memcpy(&row, c->new_rows.p + at, sizeof(row));
	else if (find_old(c, uid, &old)) {
		if (h == NULL && cache_row_head(&old, c->texts.p, c->texts.n,
		    &old_head))
			h = &old_head;
		if (b == NULL && cache_row_body(&old, c->texts.p, c->texts.n,
		    &old_body))
			b = &old_body;
	}
	if ((h != NULL && add_head(c, &row, h) == -1) ||
	    (b != NULL && add_body(c, &row, b) == -1)) {
		c->new_texts.n = texts;
		return -1;
	}
	if (is_new)
		note_order(c, uid);
	if (is_new && buf_add(&c->new_rows, &row, sizeof(row)) == -1) {
		c->new_texts.n = texts;
		return -1;
	}
	if (!is_new)
		memcpy(c->new_rows.p + at, &row, sizeof(row));
	if (c->new_texts.n < GATHERED)
		return 0;
	return cache_flush(c);
}

int
cache_put_head(struct cache *c, uint32_t uid, const struct cache_head *h)
{
	if (uid == 0 || h->envelope.n > TEXT_MAX || h->references.n > TEXT_MAX ||
	    h->message_id.n > TEXT_MAX) {
		errno = EINVAL;
		return -1;
	}
	return c->read_only ? 0 : put(c, uid, h, NULL);
}

int
cache_put_body(struct cache *c, uint32_t uid, const struct cache_body *b)
{
	if (uid == 0 || b->nparts == 0 || b->nparts > PARTS_MAX ||
	    b->bodystructure.n > TEXT_MAX) {
		errno = EINVAL;
		return -1;
	}
	return c->read_only ? 0 : put(c, uid, NULL, b);
}

int
cache_flush(struct cache *c)
{
	int	r, saved;

	if (c->new_rows.n == 0)
		return 0;
	if ((r = cache_files_lock(c)) == 0)
		r = cache_files_append(c, &c->new_rows, &c->new_texts);
	saved = errno;
	cache_files_unlock(c);
	forget_new(c);
	errno = saved;
	return r;
}

/* ---- throwing away */

/* Rows of living messages, each the last of its UID. */
static int
gather_living(struct cache *c, bool (*is_alive)(void *, uint32_t), void *arg)
{
	struct cache_row	row, last;
	struct cache_head	head;
	struct cache_body	body;
	size_t			i;

	for (i = 0; i < c->nrows; i++) {
		if (!cache_rows_get(c, i, &row) || !is_alive(arg, row.uid) ||
		    !cache_rows_find(c, row.uid, &last) ||
		    memcmp(&last, &row, sizeof(row)) != 0)
			continue;
		row = (struct cache_row){ .uid = last.uid };
		if ((cache_row_head(&last, c->texts.p, c->texts.n, &head) &&
		    add_head(c, &row, &head) == -1) ||
		    (cache_row_body(&last, c->texts.p, c->texts.n, &body) &&
		    add_body(c, &row, &body) == -1) ||
		    buf_add(&c->new_rows, &row, sizeof(row)) == -1)
			return -1;
	}
	return 0;
}

static int
by_uid(const void *a, const void *b)
{
	const struct cache_row	*x = a, *y = b;

	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

/* Ready to be written behind the header of new files. */
static void
settle(struct cache *c)
{
	struct cache_row	*row = (struct cache_row *)(void *)c->new_rows.p;
	size_t			 i, n = c->new_rows.n / sizeof(*row);

	if (n > 1)
		qsort(row, n, sizeof(*row), by_uid);
	for (i = 0; i < n; i++) {
		row[i].head_at += sizeof(struct cache_header);
		row[i].body_at += sizeof(struct cache_header);
		row[i].sum = cache_row_sum(&row[i], c->generation + 1);
	}
}

int
cache_tidy(struct cache *c, size_t messages,
    bool (*is_alive)(void *, uint32_t), void *arg)
{
	int	r, saved;

	if (cache_flush(c) == -1)
		return -1;
	cache_files_refresh(c);
	if (c->read_only || c->rows_fd == -1 ||
	    c->nrows / 2 < messages + DEAD_FEW / 2)
		return 0;
	if ((r = cache_files_lock(c)) == 0 &&
	    (r = gather_living(c, is_alive, arg)) == 0) {
		settle(c);
		r = cache_files_replace(c, &c->new_rows, &c->new_texts);
	}
	saved = errno;
	cache_files_unlock(c);
	forget_new(c);
	errno = saved;
	return r;
}
