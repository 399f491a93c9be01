/* common/store/index_items.c - changes as items: memory follows them at once, as it does those that were read. */
#include "common/store/index.h"

#include <errno.h>
#include <string.h>

#include "common/store/keywords.h"

static const char	filling[8];

/* The body is of two parts. What does not fit, or does not apply, leaves nothing behind: after it a reader would believe nothing more. */
static int
put(struct index *x, enum index_item_type type, struct str a, struct str b)
{
	struct index_item	head = { .type = (uint16_t)type,
	    .size = (uint32_t)(a.n + b.n) };
	size_t			from = x->out.n, fill = -(size_t)head.size & 7;

	if (buf_reserve(&x->out, sizeof(head) + head.size + fill) == -1) {
		errno = ENOMEM;
		return -1;
	}
	buf_add(&x->out, &head, sizeof(head));
	buf_addstr(&x->out, a);
	buf_addstr(&x->out, b);
	buf_add(&x->out, filling, fill);
	errno = EINVAL;
	if (!index_apply(x, (struct str){ x->out.p + from,
	    x->out.n - from })) {
		x->out.n = from;
		return -1;
	}
	/* the next file will have it, items or not */
	if (x->rewrite && x->lock != -1)
		x->out.n = from;
	return 0;
}

static struct str
bytes(const void *p, size_t n)
{
	return (struct str){ p, n };
}

int
index_add(struct index *x, const struct index_row *row, struct str base,
    struct str info, struct str guid)
{
	struct index_row	r = *row;
	char			text[3 * 256];

	if (guid.n > INDEX_GUID_MAX || str_eq(guid, base))
		guid.n = 0;
	if (base.n > UINT8_MAX || info.n > UINT8_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	r.base_len = (uint8_t)base.n;
	r.info_len = (uint8_t)info.n;
	r.guid_len = (uint8_t)guid.n;
	memcpy(text, base.p, base.n);
	if (info.n > 0)
		memcpy(text + base.n, info.p, info.n);
	if (guid.n > 0)
		memcpy(text + base.n + info.n, guid.p, guid.n);
	return put(x, ITEM_ADD, bytes(&r, sizeof(r)),
	    bytes(text, base.n + info.n + guid.n));
}

int
index_set(struct index *x, size_t i, uint16_t flags, uint64_t keywords,
    uint64_t modseq, struct str info)
{
	const struct index_set	s = { .uid = index_row(x, i)->uid,
	    .keywords = keywords, .modseq = modseq, .flags = flags };

	return put(x, ITEM_SET, bytes(&s, sizeof(s)), info);
}

int
index_remove(struct index *x, size_t i, uint64_t modseq)
{
	const struct index_gone	g = { .uid = index_row(x, i)->uid,
	    .modseq = modseq };

	return put(x, ITEM_REMOVE, bytes(&g, sizeof(g)), STR(""));
}

int
index_note(struct index *x, size_t i)
{
	const struct index_row	*r = index_row(x, i);
	const struct index_note	 n = { .uid = r->uid, .wire = r->wire,
	    .size = r->size, .date = r->date, .saved = r->saved };

	return put(x, ITEM_NOTE, bytes(&n, sizeof(n)), STR(""));
}

int
index_put_head(struct index *x)
{
	const struct index_header	h = x->head;

	return put(x, ITEM_HEAD, bytes(&h, sizeof(h)), STR(""));
}

int
index_keywords_text(const struct index *x, struct buf *out)
{
	int	i;

	for (i = 0; i < INDEX_KEYWORDS; i++)
		if (x->keyword[i][0] != '\0')
			buf_addf(out, "%c %s\n", keyword_letter(i),
			    x->keyword[i]);
	return buf_ok(out) ? 0 : -1;
}

int
index_put_keywords(struct index *x)
{
	struct buf	text;
	int		r = -1;

	buf_init(&text, INDEX_KEYWORDS * (INDEX_KEYWORD_MAX + 4));
	if (index_keywords_text(x, &text) == 0)
		r = put(x, ITEM_KEYWORDS, buf_view(&text), STR(""));
	buf_free(&text);
	return r;
}

int
index_make_keyword(struct index *x, struct str name)
{
	bool	ours = x->lock == -1 && index_lock(x) == 0;
	int	number = -1, saved;

	/* what others have said first: what is put must not say less */
	if (!ours || index_catch_up(x) == 0) {
		number = keywords_make(x->dir->root, name, x->lock != -1,
		    x->keyword);
		x->keywords_version++;
	}
	/* without the lock the others see the file */
	if (number != -1 && x->lock != -1 && index_put_keywords(x) == -1)
		number = -1;
	saved = errno;
	if (ours) {
		index_flush(x);
		index_unlock(x);
	}
	errno = saved;
	return number;
}

/* Too much for items: it is in the next file. */
void
index_touch(struct index *x, uint64_t modseq)
{
	size_t	i;

	for (i = 0; i < index_count(x); i++)
		if (index_is_live(index_row(x, i)))
			index_row(x, i)->modseq = modseq;
	x->rewrite = true;
	x->version++;
}
