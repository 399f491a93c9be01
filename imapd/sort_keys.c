/* imapd/sort_keys.c - what a message is sorted by. Run by the session; the texts came from anybody. */
#include "imapd/sorting.h"

#include "common/fmt/structure.h"
#include "common/fmt/words.h"

uint64_t
sort_signed(int64_t n)
{
	return (uint64_t)n ^ (UINT64_C(1) << 63);
}

int
sort_sent(struct view *view, size_t at, int64_t *sent)
{
	struct cache_head	head;
	struct view_info	info;

	if (view_head(view, at, &head) == -1)
		return -1;
	*sent = head.sent;
	if (head.has_date)
		return 0;
	if (view_info(view, at, &info) == -1)
		return -1;
	*sent = info.internal_date;
	return 0;
}

int
sort_subject(struct head_text *h, struct str envelope, struct buf *out,
    bool *reply)
{
	struct str	subject;

	*reply = false;
	if (!head_text_item(h, envelope, FIELD_SUBJECT, &subject) ||
	    subject.p == NULL)
		return 0;
	buf_reset(&h->text);
	buf_reset(&h->raw);
	if (words_decode(subject, &h->text) == -1 ||
	    words_base_subject(buf_view(&h->text), &h->raw, reply) == -1)
		return -1;
	return casemap_put(out, buf_view(&h->raw));
}

/* The parts of the first address of a list. */
static bool
first_address(struct head_text *h, struct str list, struct str part[4])
{
	struct cur	c = cur_from(list);
	bool		is_list;
	unsigned	i;

	if (!cur_byte(&c, '(') || !cur_byte(&c, '('))
		return false;
	for (i = 0; i < 4; i++) {
		while (cur_byte(&c, ' '))
			continue;
		if (!structure_item(&c, &h->arena, &part[i], &is_list))
			return false;
	}
	return true;
}

static enum search_field
field_of(uint8_t key)
{
	if (key == SORT_CC)
		return FIELD_CC;
	return key == SORT_FROM || key == SORT_DISPLAYFROM ? FIELD_FROM :
	    FIELD_TO;
}

/* The mailbox (RFC 5256), or what people see of the address (RFC 5957, 3). */
static int
put_address(struct head_text *h, struct str envelope, uint8_t key,
    struct buf *out)
{
	struct str	list, part[4];
	bool		display;

	display = key == SORT_DISPLAYFROM || key == SORT_DISPLAYTO;
	if (!head_text_item(h, envelope, field_of(key), &list) ||
	    !first_address(h, list, part))
		return 0;
	buf_reset(&h->text);
	if (!display) {
		buf_addstr(&h->text, part[2]);
	} else if (part[0].n > 0) {
		if (words_decode(part[0], &h->text) == -1)
			return -1;
	} else if (part[3].p == NULL) {
		if (words_decode(part[2], &h->text) == -1)
			return -1;
	} else {
		buf_addf(&h->text, "%.*s@%.*s", STR_ARG(part[2]),
		    STR_ARG(part[3]));
	}
	return buf_ok(&h->text) ? casemap_put(out, buf_view(&h->text)) : -1;
}

bool
sort_is_text(uint8_t key)
{
	return key != SORT_ARRIVAL && key != SORT_DATE && key != SORT_SIZE;
}

int
sort_number(struct view *view, size_t at, uint8_t key, uint64_t *number)
{
	struct view_info	info;
	int64_t			time;

	if (key == SORT_SIZE)
		return view_size(view, at, number);
	if (key == SORT_DATE) {
		if (sort_sent(view, at, &time) == -1)
			return -1;
	} else {
		if (view_info(view, at, &info) == -1)
			return -1;
		time = info.internal_date;
	}
	*number = sort_signed(time);
	return 0;
}

int
sort_text(struct view *view, struct head_text *h, size_t at, uint8_t key,
    struct buf *out)
{
	struct cache_head	head;
	bool			reply;

	if (view_head(view, at, &head) == -1)
		return -1;
	return key == SORT_SUBJECT ?
	    sort_subject(h, head.envelope, out, &reply) :
	    put_address(h, head.envelope, key, out);
}
