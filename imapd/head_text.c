/* imapd/head_text.c - what the fields of a header say, for searching. Run by the session. */
#include "imapd/head_text.h"

#include <string.h>

#include "common/fmt/header.h"
#include "common/fmt/structure.h"
#include "common/fmt/words.h"

#define TEXT_MAX	(4u << 20)

/* Where they are in an ENVELOPE (RFC 3501 7.4.2). */
static const unsigned char places[] = {
	[FIELD_DATE] = 0, [FIELD_SUBJECT] = 1, [FIELD_FROM] = 2,
	[FIELD_TO] = 5, [FIELD_CC] = 6, [FIELD_BCC] = 7,
	[FIELD_IN_REPLY_TO] = 8, [FIELD_MESSAGE_ID] = 9,
};

void
head_text_init(struct head_text *h)
{
	arena_init(&h->arena, TEXT_MAX);
	buf_init(&h->raw, TEXT_MAX);
	buf_init(&h->text, TEXT_MAX);
}

void
head_text_free(struct head_text *h)
{
	arena_free(&h->arena);
	buf_free(&h->raw);
	buf_free(&h->text);
}

/* The inside of a list. */
static bool
inside(struct str list, struct cur *c)
{
	if (list.n < 2 || list.p[0] != '(' || list.p[list.n - 1] != ')')
		return false;
	*c = cur_from((struct str){ list.p + 1, list.n - 2 });
	return true;
}

/* The items of a list one by one; blanks between them are passed over. */
static bool
next_item(struct head_text *h, struct cur *c, struct str *item, bool *is_list)
{
	while (cur_byte(c, ' '))
		continue;
	return structure_item(c, &h->arena, item, is_list);
}

bool
head_text_item(struct head_text *h, struct str envelope,
    enum search_field field, struct str *out)
{
	struct cur	c;
	bool		is_list;
	unsigned	i;

	if (h->arena.used > 0)
		arena_free(&h->arena);
	if (!inside(envelope, &c))
		return false;
	for (i = 0; i <= places[field]; i++)
		if (!next_item(h, &c, out, &is_list))
			return false;
	return true;
}

static bool
needs_quotes(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (!is_atext((unsigned char)s.p[i]) && s.p[i] != ' ' &&
		    s.p[i] != '.' && (s.p[i] & 0x80) == 0)
			return true;
	return false;
}

/* A display name as it would be written: quoted if it has to be, so that a search finds what stands in the message. */
static int
put_name(struct head_text *h, struct str name)
{
	struct buf	*b = &h->text;
	size_t		 from = b->n, i;
	bool		 quoted = needs_quotes(name);

	/* Encoded words are decoded, and stand without quotes. */
	if (quoted && name.n > 1 && name.p[0] == '=' && name.p[1] == '?')
		quoted = false;
	if (!quoted)
		return words_decode(name, b);
	buf_addc(b, '"');
	for (i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, name.p[i]);
	}
	buf_addc(b, '"');
	if (buf_ok(b)) {
		/* 8-bit bytes and words in it become text as well. */
		buf_reset(&h->raw);
		buf_add(&h->raw, b->p + from, b->n - from);
		b->n = from;
		return words_decode(buf_view(&h->raw), b);
	}
	return -1;
}

/* "(name route mailbox host)"; a group begins with a host of NIL and ends with both NIL. */
static int
put_address(struct head_text *h, struct str list, bool *comma)
{
	struct str	part[4];
	struct buf	*b = &h->text;
	struct cur	 c;
	bool		 is_list;
	unsigned	 i;

	if (!inside(list, &c))
		return 0;
	for (i = 0; i < 4; i++)
		if (!next_item(h, &c, &part[i], &is_list))
			return 0;
	if (part[3].p == NULL) {
		if (part[2].p == NULL) {
			buf_addc(b, ';');
			*comma = true;
			return 0;
		}
		buf_adds(b, *comma ? ", " : "");
		*comma = false;
		if (words_decode(part[2], b) == -1)
			return -1;
		return buf_adds(b, ": ");
	}
	buf_adds(b, *comma ? ", " : "");
	*comma = true;
	if (part[0].p != NULL && part[0].n > 0) {
		if (put_name(h, part[0]) == -1)
			return -1;
		buf_addc(b, ' ');
	}
	buf_addc(b, '<');
	buf_addstr(b, part[2]);
	if (part[3].n > 0) {
		buf_addc(b, '@');
		buf_addstr(b, part[3]);
	}
	return buf_addc(b, '>');
}

static int
put_addresses(struct head_text *h, struct str list)
{
	struct cur	c;
	struct str	item;
	bool		comma = false, is_list;

	if (!inside(list, &c))
		return 0;
	while (!cur_done(&c) && next_item(h, &c, &item, &is_list))
		if (put_address(h, item, &comma) == -1)
			return -1;
	return buf_ok(&h->text) ? 0 : -1;
}

static bool
is_plain(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if ((s.p[i] & 0x80) != 0 || s.p[i] == '\n' ||
		    (s.p[i] == '=' && i + 1 < s.n && s.p[i + 1] == '?'))
			return false;
	return true;
}

static bool
has_addresses(enum search_field field)
{
	return field == FIELD_FROM || field == FIELD_TO ||
	    field == FIELD_CC || field == FIELD_BCC;
}

/*
 * Blanks have become one; names stand without quotes that they can do without, addresses in angle brackets, and comments, routes and the
 * backslashes of quoted-pairs are gone.
 */
bool
head_text_rewritten(enum search_field field, struct str word)
{
	size_t	i;
	char	c;

	for (i = 0; i < word.n; i++) {
		c = word.p[i];
		if (c == '\t' || (c == ' ' && i > 0 && word.p[i - 1] == ' '))
			return true;
		if (has_addresses(field) && c != '\0' &&
		    strchr("\"\\(),:;", c) != NULL)
			return true;
	}
	return false;
}

int
head_text_match(struct head_text *h, struct str envelope,
    enum search_field field, struct needle *needle, bool *found)
{
	struct str	item;
	int		r;

	*found = false;
	if (!head_text_item(h, envelope, field, &item) || item.p == NULL)
		return 0;
	if (needle->word.n == 0) {
		*found = true;
		return 0;
	}
	if (!has_addresses(field) && is_plain(item)) {
		*found = needle_in(needle, item);
		return 0;
	}
	buf_reset(&h->text);
	if (has_addresses(field))
		r = put_addresses(h, item);
	else
		r = words_decode(item, &h->text);
	if (r == 0)
		*found = needle_in(needle, buf_view(&h->text));
	return r;
}

int
head_text_fields(struct head_text *h, struct str header, struct str name,
    struct needle *needle, bool *found)
{
	struct header_field	f;
	struct cur		c = cur_from(header);

	*found = false;
	while (!*found && header_next_any(&c, &f)) {
		if (!str_eq_nocase(f.name, name))
			continue;
		buf_reset(&h->text);
		if (words_decode(f.body, &h->text) == -1)
			return -1;
		*found = needle_in(needle, buf_view(&h->text));
	}
	return 0;
}
