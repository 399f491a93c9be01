/*
 * common/store/index_apply.c - items change the table in memory. They come from a file that anybody of the mailbox's user may
 * have written: nothing is believed before it was looked at.
 */
#include "common/store/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/large.h"
#include "common/store/keywords.h"
#include "common/store/view.h"

#define TEXT_MAX	(3 * 256)
#define TAIL_MIN	16

/* What lies in memory as its bytes do; false if there are too few. */
static bool
take(struct str *in, void *out, size_t n)
{
	if (in->n < n)
		return false;
	memcpy(out, in->p, n);
	in->p += n;
	in->n -= n;
	return true;
}

static bool
text_ok(struct str text)
{
	return memchr(text.p, '/', text.n) == NULL &&
	    memchr(text.p, '\0', text.n) == NULL;
}

static uint32_t
last_uid(const struct index *x)
{
	size_t	n = index_count(x);

	return n == 0 ? 0 : index_row(x, n - 1)->uid;
}

static bool
keep_text(struct index *x, const char *text, size_t n, uint32_t *name)
{
	if (x->head.names_size + x->own.n + n > UINT32_MAX) {
		errno = EMSGSIZE;
		return false;
	}
	*name = (uint32_t)(x->head.names_size + x->own.n);
	return buf_add(&x->own, text, n) == 0;
}

/* An array of elements of that size gets room for n. */
static bool
make_room(void **array, size_t n, size_t *cap, size_t size)
{
	size_t	 more = n < TAIL_MIN ? TAIL_MIN : n;
	void	*p;

	if (n <= *cap)
		return true;
	if (more > INDEX_ROWS_MAX) {
		errno = EMSGSIZE;
		return false;
	}
	if ((p = reallocarray(*array, more, size)) == NULL)
		return false;
	large_hint(p, more * size);
	*array = p;
	*cap = more;
	return true;
}

/* For one more, and as many again, so that each is moved but once or twice. */
static bool
grow(void **array, size_t n, size_t *cap, size_t size)
{
	return n < *cap || make_room(array, 2 * n + 1, cap, size);
}

int
index_reserve(struct index *x, size_t rows, size_t names)
{
	void	*tail = x->tail;
	bool	 ok = make_room(&tail, x->ntail + rows, &x->tail_cap,
	    sizeof(*x->tail));

	x->tail = tail;
	return ok ? buf_reserve(&x->own, names) : -1;
}

static void
saw_modseq(struct index *x, uint64_t modseq)
{
	if (modseq > x->head.highest)
		x->head.highest = modseq;
}

/* A live row in the counts; by: 1 for one more, -1 for one less. */
static void
count(struct index *x, const struct index_row *r, int by)
{
	size_t	n = (size_t)by;

	x->live += n;
	x->new += (r->flags & INDEX_IS_NEW) != 0 ? n : 0;
	x->unseen += (r->flags & VIEW_SEEN) == 0 ? n : 0;
	x->deleted += (r->flags & VIEW_DELETED) != 0 ? n : 0;
	x->nobodys += (r->flags & INDEX_RECENT) != 0 ? n : 0;
}

static bool
apply_add(struct index *x, struct str in)
{
	struct index_row	 r;
	void			*tail = x->tail;

	if (!take(&in, &r, sizeof(r)) || r.uid <= last_uid(x) ||
	    r.uid == UINT32_MAX || r.base_len == 0 ||
	    in.n != (size_t)r.base_len + r.info_len + r.guid_len ||
	    !text_ok(in))
		return false;
	if (!grow(&tail, x->ntail, &x->tail_cap, sizeof(r)))
		return false;
	x->tail = tail;
	if (!keep_text(x, in.p, in.n, &r.name))
		return false;
	r.flags &= INDEX_KEPT;
	r.hash = index_hash(x, (struct str){ in.p, r.base_len });
	x->tail[x->ntail++] = r;
	count(x, &r, 1);
	x->version++;
	if (r.uid >= x->head.next)
		x->head.next = r.uid + 1;
	saw_modseq(x, r.modseq);
	return true;
}

/* The row of an item, if it is there. */
static struct index_row *
row_of(const struct index *x, uint32_t uid, size_t *i)
{
	struct index_row	*r;

	*i = index_find(x, uid, SIZE_MAX);
	if (*i == index_count(x))
		return NULL;
	r = index_row(x, *i);
	return r->uid == uid && index_is_live(r) ? r : NULL;
}

static bool
new_info(struct index *x, struct index_row *r, struct str info)
{
	struct str	base = index_base(x, r), guid = index_guid(x, r);
	char		text[TEXT_MAX];

	if (str_eq(index_info(x, r), info))
		return true;
	memcpy(text, base.p, base.n);
	memcpy(text + base.n, info.p, info.n);
	memcpy(text + base.n + info.n, guid.p, guid.n);
	if (!keep_text(x, text, base.n + info.n + guid.n, &r->name))
		return false;
	r->info_len = (uint8_t)info.n;
	return true;
}

static bool
apply_set(struct index *x, struct str in)
{
	struct index_set	 s;
	struct index_row	*r;
	size_t			 i;

	if (!take(&in, &s, sizeof(s)) || in.n > UINT8_MAX || !text_ok(in))
		return false;
	if ((r = row_of(x, s.uid, &i)) == NULL)
		return true;
	if (!new_info(x, r, in))
		return false;
	count(x, r, -1);
	r->flags = s.flags & INDEX_KEPT;
	count(x, r, 1);
	if ((r->flags & VIEW_SEEN) == 0 && i < x->first_unseen)
		x->first_unseen = i;
	r->keywords = s.keywords;
	x->version += r->modseq != s.modseq;
	r->modseq = s.modseq;
	saw_modseq(x, s.modseq);
	return true;
}

static bool
apply_remove(struct index *x, struct str in)
{
	struct index_gone	 g;
	struct index_row	*r;
	void			*tail = x->gone_tail;
	size_t			 i;

	if (!take(&in, &g, sizeof(g)) || in.n != 0)
		return false;
	if ((r = row_of(x, g.uid, &i)) == NULL)
		return true;
	if (!grow(&tail, x->ngone_tail, &x->gone_cap, sizeof(g)))
		return false;
	x->gone_tail = tail;
	x->gone_tail[x->ngone_tail++] = g;
	count(x, r, -1);
	r->flags |= INDEX_GONE;
	r->modseq = g.modseq;
	x->version++;
	saw_modseq(x, g.modseq);
	return true;
}

static bool
apply_note(struct index *x, struct str in)
{
	struct index_note	 n;
	struct index_row	*r;
	size_t			 i;

	if (!take(&in, &n, sizeof(n)) || in.n != 0)
		return false;
	if ((r = row_of(x, n.uid, &i)) == NULL)
		return true;
	r->wire = n.wire;
	r->size = n.size;
	r->date = n.date;
	r->saved = n.saved;
	return true;
}

/* What never goes back does not. */
static bool
apply_head(struct index *x, struct str in)
{
	struct index_header	h;

	if (!take(&in, &h, sizeof(h)) || in.n != 0 ||
	    h.validity != x->head.validity)
		return false;
	if (h.next > x->head.next)
		x->head.next = h.next;
	saw_modseq(x, h.highest);
	if (memchr(h.mailbox_id, '\0', sizeof(h.mailbox_id)) != NULL &&
	    index_id_ok(str_from(h.mailbox_id)))
		memcpy(x->head.mailbox_id, h.mailbox_id,
		    sizeof(h.mailbox_id));
	x->head.new_dir = h.new_dir;
	x->head.cur_dir = h.cur_dir;
	x->head.list = h.list;
	x->head.keywords = h.keywords;
	x->head.dead = h.dead;
	return true;
}

bool
index_take_keywords(struct index *x, struct str in)
{
	char		names[INDEX_KEYWORDS][INDEX_KEYWORD_MAX + 1];
	struct str	line;
	int		at;

	memset(names, 0, sizeof(names));
	while (str_take_line(&in, &line)) {
		if (line.n < 3 || line.p[1] != ' ' ||
		    (at = keyword_number(line.p[0])) == -1)
			return false;
		if (!keyword_ok((struct str){
		    line.p + 2, line.n - 2 }) || str_copy(names[at],
		    sizeof(names[at]),
		    (struct str){ line.p + 2, line.n - 2 }) == -1)
			return false;
	}
	if (memcmp(names, x->keyword, sizeof(names)) != 0) {
		memcpy(x->keyword, names, sizeof(names));
		x->keywords_version++;
	}
	return true;
}

static bool
apply_one(struct index *x, uint16_t type, struct str in)
{
	switch (type) {
	case ITEM_ADD:
		return apply_add(x, in);
	case ITEM_SET:
		return apply_set(x, in);
	case ITEM_REMOVE:
		return apply_remove(x, in);
	case ITEM_NOTE:
		return apply_note(x, in);
	case ITEM_HEAD:
		return apply_head(x, in);
	case ITEM_KEYWORDS:
		return index_take_keywords(x, in);
	}
	return false;
}

bool
index_apply(struct index *x, struct str in)
{
	struct index_item	head;
	struct str		body;
	size_t			filled;

	while (in.n > 0) {
		if (!take(&in, &head, sizeof(head)))
			return false;
		filled = ((size_t)head.size + 7) & ~(size_t)7;
		if (filled > in.n)
			return false;
		body = (struct str){ in.p, head.size };
		if (!apply_one(x, head.type, body))
			return false;
		in.p += filled;
		in.n -= filled;
	}
	return true;
}
