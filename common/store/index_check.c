/*
 * common/store/index_check.c - is a file what posthouse.index should be? Pure; all that is not refused here may be relied on
 * without another look: sections within the file, rows in order and as the header counts them, names within their section and
 * without what a name cannot have.
 */
#include "common/store/index.h"

#include <stddef.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/fmt/cur.h"
#include "common/store/keywords.h"
#include "common/store/view.h"

static bool
row_ok(const struct index_row *r, uint32_t last, const struct index_header *h)
{
	size_t	n = (size_t)r->base_len + r->info_len + r->guid_len;

	return r->uid > last && r->uid < h->next && r->base_len > 0 &&
	    (r->flags & ~INDEX_KEPT) == 0 &&
	    r->name <= h->names_size && n <= h->names_size - r->name;
}

static bool
sizes_ok(const struct index_header *h, size_t size)
{
	uint64_t	left = size - sizeof(*h);

	/* one after the other, so that no sum overflows */
	if (h->rows > INDEX_ROWS_MAX || h->rows * sizeof(struct index_row) >
	    left)
		return false;
	left -= h->rows * sizeof(struct index_row);
	if (h->gone > INDEX_GONE_MAX ||
	    h->gone * sizeof(struct index_gone) > left)
		return false;
	left -= h->gone * sizeof(struct index_gone);
	if (h->keywords_size > left || h->keywords_size % 8 != 0)
		return false;
	left -= h->keywords_size;
	return h->names_size <= left && h->names_size % 8 == 0 &&
	    h->names_size <= UINT32_MAX;
}

size_t
index_sections_size(const struct index_header *h)
{
	return (size_t)(h->rows * sizeof(struct index_row) +
	    h->gone * sizeof(struct index_gone) + h->keywords_size +
	    h->names_size);
}

static uint64_t
sum_sections(const struct index_header *h, const void *sections)
{
	return hash_bytes(h->generation, sections, index_sections_size(h));
}

static uint64_t
sum_head(const struct index_header *h, const void *sections)
{
	const char	*keywords = (const char *)sections +
	    h->rows * sizeof(struct index_row) +
	    h->gone * sizeof(struct index_gone);

	return hash_bytes(hash_bytes(h->generation, keywords,
	    (size_t)h->keywords_size), h,
	    offsetof(struct index_header, head_sum));
}

void
index_sum(struct index_header *h, const void *sections)
{
	h->sum = sum_sections(h, sections);
	h->head_sum = sum_head(h, sections);
}

void
index_tally(struct index_header *h, const struct index_row *r)
{
	if ((r->flags & VIEW_SEEN) == 0 && h->unseen++ == 0)
		h->first_unseen = h->rows;
	h->deleted += (r->flags & VIEW_DELETED) != 0;
	h->new += (r->flags & INDEX_IS_NEW) != 0;
	h->recent += (r->flags & INDEX_RECENT) != 0;
	h->rows++;
}

static bool
rows_ok(const struct index_row *rows, const struct index_header *h)
{
	struct index_header	count = { .rows = 0 };
	uint32_t		last = 0;

	while (count.rows < h->rows) {
		if (!row_ok(rows, last, h))
			return false;
		last = rows->uid;
		index_tally(&count, rows++);
	}
	if (count.unseen == 0)
		count.first_unseen = count.rows;
	return count.new == h->new && count.recent == h->recent &&
	    count.unseen == h->unseen &&
	    count.deleted == h->deleted &&
	    count.first_unseen == h->first_unseen;
}

bool
index_check_sections(const void *sections, const struct index_header *h)
{
	const struct index_row	*rows = sections;
	const struct index_gone	*gone = (const void *)(rows + h->rows);
	const char		*names = (const char *)(gone + h->gone) +
	    h->keywords_size;

	/* what fills it up is spaces */
	return sum_sections(h, sections) == h->sum && rows_ok(rows, h) &&
	    memchr(names, '/', (size_t)h->names_size) == NULL &&
	    memchr(names, '\0', (size_t)h->names_size) == NULL;
}

/* It is told to clients, and its file may have been written by whoever shares the folder (RFC 8474, 4). */
bool
index_id_ok(struct str id)
{
	size_t	i;

	for (i = 0; i < id.n; i++)
		if (!is_alnum((unsigned char)id.p[i]) && id.p[i] != '-' &&
		    id.p[i] != '_')
			return false;
	return id.n < sizeof(((struct index_header *)0)->mailbox_id);
}

/* "a $Junk" and so on, up to what fills it up. */
static bool
keywords_ok(const struct index_header *h, const char *sections)
{
	const char	*p = sections + h->rows * sizeof(struct index_row) +
			    h->gone * sizeof(struct index_gone);
	struct str	 text = { p, strnlen(p, (size_t)h->keywords_size) };
	struct str	 line;

	while (str_take_line(&text, &line))
		if (line.n < 3 || keyword_number(line.p[0]) == -1 ||
		    line.p[1] != ' ' || !keyword_ok((struct str){
		    line.p + 2, line.n - 2 }))
			return false;
	return true;
}

bool
index_check_head(const void *file, size_t size, struct index_header *out)
{
	const char		*p = file;
	struct index_header	 h;

	if (size < sizeof(h))
		return false;
	memcpy(&h, file, sizeof(h));
	if (memcmp(h.magic, INDEX_MAGIC, sizeof(h.magic)) != 0 ||
	    h.version != INDEX_VERSION || h.order != 0x01020304 ||
	    h.validity == 0 || h.next == 0 ||
	    memchr(h.mailbox_id, '\0', sizeof(h.mailbox_id)) == NULL ||
	    !index_id_ok(str_from(h.mailbox_id)) ||
	    !sizes_ok(&h, size) || h.new > h.rows ||
	    h.recent > h.rows || h.unseen > h.rows ||
	    h.deleted > h.rows || h.first_unseen > h.rows ||
	    sum_head(&h, p + sizeof(h)) != h.head_sum ||
	    !keywords_ok(&h, p + sizeof(h)))
		return false;
	*out = h;
	return true;
}

/* Where it stands is part of it, so that what was there before means nothing. */
uint64_t
index_block_sum(const struct index_header *h, uint64_t at, struct str items)
{
	return hash_bytes(h->generation ^ (at * 31), items.p, items.n);
}

bool
index_block(const struct index_header *h, struct str log, uint64_t at,
    struct str *items, size_t *used)
{
	struct index_block	b;

	if (log.n < sizeof(b))
		return false;
	memcpy(&b, log.p, sizeof(b));
	if (b.size > log.n - sizeof(b) || b.size % 8 != 0 || b.size == 0)
		return false;
	*items = (struct str){ log.p + sizeof(b), (size_t)b.size };
	*used = sizeof(b) + (size_t)b.size;
	return index_block_sum(h, at, *items) == b.sum;
}
