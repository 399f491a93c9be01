/*
 * imapd/sorting.c - messages in order. Run by the session; what it sorts by came from anybody. The messages are sorted by the first key,
 * then those that are equal by the second, and so on. Of a key that is a text only a piece is kept at a time, so that the memory
 * does not grow with the texts: where pieces are equal the next piece is made, of these messages alone.
 */
#include "imapd/sorting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECES_MAX	((size_t)32 << 20)	/* bytes of all pieces together, if there are no more messages than that allows */
#define PIECE_LEAST	32
#define PIECE_MOST	65536
#define TEXT_MAX	((size_t)16 << 20)	/* of one message */

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

/* ---- order */

/* Of the text of a message; what is gone has none, and comes first. */
struct piece {
	uint32_t	from, n;	/* in texts */
	bool		more;		/* the text goes on behind it */
};

enum { FIRST = 1, GOES_ON = 2 };

struct sorting {
	struct view		*view;
	const struct found	*found;
	struct progress		*progress;	/* or NULL */
	size_t			 made;		/* keys */
	struct sort_row		*rows, *room;	/* place: in found and pieces */
	uint8_t			*marks;		/* of rows: FIRST of those that are equal; whose texts go on */
	struct piece		*pieces;
	struct head_text	 head;
	struct buf		 text, texts;	/* of one message; pieces of many */
	uint8_t			 key;
	bool			 reverse;
	size_t			 at, length;	/* of the pieces in the texts */
	size_t			 left;		/* rows whose texts go on */
};

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

static struct str
piece_of(const struct sorting *s, uint32_t place)
{
	const struct piece	*p = &s->pieces[place];

	return (struct str){ s->texts.p + p->from, p->n };
}

static int
differ(const void *arg, uint32_t a, uint32_t b)
{
	const struct sorting	*s = arg;
	int			 r = str_cmp(piece_of(s, a), piece_of(s, b));

	return s->reverse ? -r : r;
}

static int
piece_make(struct sorting *s, struct sort_row *row)
{
	struct piece	*p = &s->pieces[row->place];
	struct str	 text;

	*p = (struct piece){ (uint32_t)s->texts.n, 0, false };
	buf_reset(&s->text);
	if (sort_text(s->view, &s->head, s->found->at[row->place], s->key,
	    &s->text) == -1)
		return -1;
	text = buf_view(&s->text);
	if (text.n <= s->at)
		return 0;
	text.p += s->at;
	text.n -= s->at;
	p->more = text.n > s->length;
	if (p->more)
		text.n = s->length;
	p->n = (uint32_t)text.n;
	row->key = prefix(text);
	return buf_addstr(&s->texts, text);
}

static int
keys_make(struct sorting *s, size_t from, size_t to)
{
	struct sort_row	*row;
	size_t		 i;
	int		 r;

	buf_reset(&s->texts);
	for (i = from; i < to; i++) {
		row = &s->rows[i];
		row->key = 0;
		r = sort_is_text(s->key) ? piece_make(s, row) :
		    sort_number(s->view, s->found->at[row->place], s->key,
		    &row->key);
		if (r == -1 && errno != ENOENT)
			return -1;
		if (s->reverse)
			row->key = ~row->key;
		if (s->made < s->found->n)
			s->made++;
		if (s->progress != NULL &&
		    progress_step(s->progress, s->made) == -1)
			return -1;
	}
	return 0;
}

static bool
is_equal(const struct sorting *s, size_t i, size_t j)
{
	return s->rows[i].key == s->rows[j].key && (!sort_is_text(s->key) ||
	    differ(s, s->rows[i].place, s->rows[j].place) == 0);
}

/* Rows in order: which of them are still equal, and may differ further on? */
static void
split(struct sorting *s, size_t from, size_t to)
{
	size_t	first = from, i;
	bool	more = false;

	for (i = from; i < to; i++) {
		if (sort_is_text(s->key) && s->pieces[s->rows[i].place].more)
			more = true;
		if (i + 1 < to && is_equal(s, i, i + 1))
			continue;
		s->marks[first] = FIRST;
		if (more && i > first) {
			s->marks[first] |= GOES_ON;
			s->left += i + 1 - first;
		}
		first = i + 1;
		more = false;
	}
}

/* By this piece of this key: all that are equal so far, or those whose texts go on. */
static int
pass(struct sorting *s, bool all)
{
	size_t	n = s->found->n, from, to;

	s->left = 0;
	for (from = 0; from < n; from = to) {
		for (to = from + 1; to < n && s->marks[to] == 0; to++)
			continue;
		if (to - from == 1 ||
		    (!all && (s->marks[from] & GOES_ON) == 0))
			continue;
		if (keys_make(s, from, to) == -1)
			return -1;
		sort_rows(s->rows + from, s->room, to - from,
		    sort_is_text(s->key) ? differ : NULL, s);
		split(s, from, to);
	}
	return 0;
}

/* Of so many texts. */
static size_t
piece_length(size_t n)
{
	size_t	length = PIECES_MAX / (n + 1);

	if (length < PIECE_LEAST)
		return PIECE_LEAST;
	return length < PIECE_MOST ? length : PIECE_MOST;
}

static int
by_key(struct sorting *s)
{
	s->at = 0;
	s->length = piece_length(s->found->n);
	if (pass(s, true) == -1)
		return -1;
	while (s->left > 0) {
		s->at += s->length;
		s->length = piece_length(s->left);
		if (pass(s, false) == -1)
			return -1;
	}
	return 0;
}

static int
sort_made(struct sorting *s, const struct sort_order *o, uint32_t *at)
{
	size_t		i;
	unsigned	k;

	for (i = 0; i < s->found->n; i++)
		s->rows[i].place = (uint32_t)i;
	s->marks[0] = FIRST;
	for (k = 0; k < o->n; k++) {
		s->key = o->keys[k].key;
		s->reverse = o->keys[k].reverse;
		if (by_key(s) == -1)
			return -1;
	}
	for (i = 0; i < s->found->n; i++)
		at[i] = s->found->at[s->rows[i].place];
	return 0;
}

int
sort_found(struct view *view, const struct sort_order *order,
    struct found *found, struct progress *progress)
{
	struct sorting	s = { .view = view, .found = found,
			    .progress = progress };
	size_t		n = found->n + 1;
	uint32_t	*at = malloc(n * sizeof(*at));
	int		r = -1, saved;

	head_text_init(&s.head);
	buf_init(&s.text, TEXT_MAX);
	buf_init(&s.texts, UINT32_MAX);
	s.rows = calloc(2 * n, sizeof(*s.rows));
	s.pieces = calloc(n, sizeof(*s.pieces));
	s.marks = calloc(n, sizeof(*s.marks));
	if (at != NULL && s.rows != NULL && s.pieces != NULL &&
	    s.marks != NULL && buf_reserve(&s.texts, 64) == 0) {
		s.room = s.rows + n;
		r = sort_made(&s, order, at);
	}
	saved = errno;
	if (r == 0) {
		free(found->at);
		found->at = at;
	} else
		free(at);
	free(s.rows);
	free(s.pieces);
	free(s.marks);
	buf_free(&s.text);
	buf_free(&s.texts);
	head_text_free(&s.head);
	errno = saved;
	return r;
}
