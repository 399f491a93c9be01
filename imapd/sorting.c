/* imapd/sorting.c - messages in order. Run by the session; what it sorts by came from anybody. */
#include "imapd/sorting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/casemap.h"
#include "common/fmt/structure.h"
#include "common/fmt/words.h"

#define STRINGS_MAX	(1u << 30)	/* bytes of keys that are texts */

static const struct {
	const char	*name;
	uint8_t		 key;
} names[] = {
	{ "ARRIVAL", SORT_ARRIVAL },
	{ "CC", SORT_CC },
	{ "DATE", SORT_DATE },
	{ "FROM", SORT_FROM },
	{ "SIZE", SORT_SIZE },
	{ "SUBJECT", SORT_SUBJECT },
	{ "TO", SORT_TO },
	{ "DISPLAYFROM", SORT_DISPLAYFROM },
	{ "DISPLAYTO", SORT_DISPLAYTO },
};

static bool
key_take(struct cur *c, struct sort_order *o)
{
	struct str	name;
	size_t		i;
	bool		reverse = false;

	if (o->n == SORT_KEYS_MAX || !imap_atom(c, &name))
		return false;
	if (str_eq_nocase(name, STR("REVERSE"))) {
		reverse = true;
		if (!imap_sp(c) || !imap_atom(c, &name))
			return false;
	}
	for (i = 0; i < nitems(names); i++)
		if (str_eq_nocase(name, str_from(names[i].name))) {
			o->keys[o->n].key = names[i].key;
			o->keys[o->n++].reverse = reverse;
			return true;
		}
	return false;
}

bool
sort_order_parse(struct cur *in, struct sort_order *o)
{
	struct cur	c = *in;

	o->n = 0;
	if (!cur_byte(&c, '('))
		return false;
	do
		if (!key_take(&c, o))
			return false;
	while (imap_sp(&c));
	if (!cur_byte(&c, ')'))
		return false;
	*in = c;
	return true;
}

/* ---- merging */

static void
merge(const struct sort_row *in, struct sort_row *out, size_t from,
    size_t middle, size_t to,
    int (*differ)(const void *, uint32_t, uint32_t), const void *arg)
{
	size_t	i = from, j = middle, k;
	bool	right;

	for (k = from; k < to; k++) {
		if (i == middle || j == to)
			right = i == middle;
		else if (in[i].key != in[j].key)
			right = in[j].key < in[i].key;
		else
			right = differ != NULL &&
			    differ(arg, in[j].place, in[i].place) < 0;
		out[k] = right ? in[j++] : in[i++];
	}
}

void
sort_rows(struct sort_row *rows, struct sort_row *room, size_t n,
    int (*differ)(const void *, uint32_t, uint32_t), const void *arg)
{
	struct sort_row	*in = rows, *out = room, *swap;
	size_t		 width, from, middle, to;

	for (width = 1; width < n; width *= 2) {
		for (from = 0; from < n; from = to) {
			middle = n - from < width ? n : from + width;
			to = n - middle < width ? n : middle + width;
			merge(in, out, from, middle, to, differ, arg);
		}
		swap = in;
		in = out;
		out = swap;
	}
	if (in != rows)
		memcpy(rows, in, n * sizeof(*rows));
}

/* ---- keys */

/* A key is a number, or a text in strings. */
struct text_at {
	uint32_t	from, n;
};

struct sorting {
	struct view		*view;
	const struct sort_order	*order;
	struct head_text	 head;
	struct buf		 strings;
	uint64_t		*numbers;	/* order->n for each message */
	struct text_at		*texts;		/* as many */
};

static bool
is_text(uint8_t key)
{
	return key != SORT_ARRIVAL && key != SORT_DATE && key != SORT_SIZE;
}

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

/* The first bytes of a text, so that most comparisons need no more. */
static uint64_t
prefix(struct str s)
{
	uint64_t	n = 0;
	size_t		i;

	for (i = 0; i < 8; i++)
		n = n << 8 | (i < s.n ? (unsigned char)s.p[i] : 0);
	return n;
}

static int
text_key_make(struct sorting *s, struct str envelope, uint8_t key,
    uint64_t *number, struct text_at *text)
{
	size_t	from = s->strings.n;
	bool	reply;

	if ((key == SORT_SUBJECT ? sort_subject(&s->head, envelope,
	    &s->strings, &reply) :
	    put_address(&s->head, envelope, key, &s->strings)) == -1)
		return -1;
	text->from = (uint32_t)from;
	text->n = (uint32_t)(s->strings.n - from);
	*number = prefix((struct str){ s->strings.p + from, text->n });
	return 0;
}

static int
key_make(struct sorting *s, size_t at, uint8_t key, uint64_t *number,
    struct text_at *text)
{
	struct cache_head	head;
	struct view_info	info;
	int64_t			sent;

	if (key == SORT_SIZE)
		return view_size(s->view, at, number);
	if (key == SORT_ARRIVAL) {
		if (view_info(s->view, at, &info) == -1)
			return -1;
		*number = sort_signed(info.internal_date);
		return 0;
	}
	if (key == SORT_DATE) {
		if (sort_sent(s->view, at, &sent) == -1)
			return -1;
		*number = sort_signed(sent);
		return 0;
	}
	if (view_head(s->view, at, &head) == -1)
		return -1;
	return text_key_make(s, head.envelope, key, number, text);
}

/* All keys of one message. What is gone has none, and comes first. */
static int
keys_make(struct sorting *s, size_t i, size_t at)
{
	const struct sort_order	*o = s->order;
	unsigned		 k;
	size_t			 n;

	for (k = 0; k < o->n; k++) {
		n = i * o->n + k;
		if (key_make(s, at, o->keys[k].key, &s->numbers[n],
		    &s->texts[n]) == -1 && errno != ENOENT)
			return -1;
		if (o->keys[k].reverse)
			s->numbers[n] = ~s->numbers[n];
	}
	return 0;
}

static int
differ(const void *arg, uint32_t a, uint32_t b)
{
	const struct sorting	*s = arg;
	const struct sort_order	*o = s->order;
	const struct text_at	*x, *y;
	size_t			 i, j;
	unsigned		 k;
	int			 r;

	for (k = 0; k < o->n; k++) {
		i = (size_t)a * o->n + k;
		j = (size_t)b * o->n + k;
		if (s->numbers[i] != s->numbers[j])
			return s->numbers[i] < s->numbers[j] ? -1 : 1;
		if (!is_text(o->keys[k].key))
			continue;
		x = &s->texts[i];
		y = &s->texts[j];
		r = str_cmp((struct str){ s->strings.p + x->from, x->n },
		    (struct str){ s->strings.p + y->from, y->n });
		if (r != 0)
			return o->keys[k].reverse ? -r : r;
	}
	return 0;
}

static int
sort_made(struct sorting *s, struct found *found, struct progress *progress)
{
	struct sort_row	*rows;
	uint32_t	*at;
	size_t		 i;

	for (i = 0; i < found->n; i++)
		if (keys_make(s, i, found->at[i]) == -1 ||
		    (progress != NULL && progress_step(progress, i) == -1))
			return -1;
	if ((rows = calloc(2 * found->n + 1, sizeof(*rows))) == NULL)
		return -1;
	if ((at = malloc((found->n + 1) * sizeof(*at))) == NULL) {
		free(rows);
		return -1;
	}
	for (i = 0; i < found->n; i++) {
		rows[i].key = s->numbers[i * s->order->n];
		rows[i].place = (uint32_t)i;
	}
	sort_rows(rows, rows + found->n, found->n, differ, s);
	for (i = 0; i < found->n; i++)
		at[i] = found->at[rows[i].place];
	free(found->at);
	found->at = at;
	free(rows);
	return 0;
}

int
sort_found(struct view *view, const struct sort_order *order,
    struct found *found, struct progress *progress)
{
	struct sorting	s = { .view = view, .order = order };
	size_t		n = found->n * order->n + 1;
	int		r = -1, saved;

	head_text_init(&s.head);
	buf_init(&s.strings, STRINGS_MAX);
	s.numbers = calloc(n, sizeof(*s.numbers));
	s.texts = calloc(n, sizeof(*s.texts));
	if (s.numbers != NULL && s.texts != NULL &&
	    buf_reserve(&s.strings, 64) == 0)
		r = sort_made(&s, found, progress);
	saved = errno;
	free(s.numbers);
	free(s.texts);
	buf_free(&s.strings);
	head_text_free(&s.head);
	errno = saved;
	return r;
}
