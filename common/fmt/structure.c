/* common/fmt/structure.c - BODY and BODYSTRUCTURE (RFC 3501 7.4.2, RFC 9051 7.5.2); pure. */
#include "common/fmt/structure.h"

#include <string.h>

#include "common/fmt/structure_impl.h"

#define DEFAULT_CHARSET	"\"charset\" \"us-ascii\""
#define NO_NAME		"(\"text\" \"plain\" (" DEFAULT_CHARSET ") NIL NIL "
#define NOTHING		NO_NAME "\"7bit\" 0 0"
#define EXTENSION_NIL	" NIL NIL NIL NIL"
#define NAME_MAX	256u

/* A parameter in pieces: "name*0", "name*1*" (RFC 2231 3 and 4.1). */
struct piece {
	struct str	name;
	unsigned	number;
	bool		extended;	/* charset and percent signs */
};

/* False: it is a parameter in one piece. */
static bool
piece_of(struct str s, struct piece *out)
{
	const char		*star = memchr(s.p, '*', s.n);
	struct str		 rest;
	unsigned long long	 v;

	if (star == NULL || star == s.p || s.n > NAME_MAX)
		return false;
	out->name = (struct str){ s.p, (size_t)(star - s.p) };
	rest = (struct str){ star + 1, s.n - out->name.n - 1 };
	out->extended = rest.n > 1 && rest.p[rest.n - 1] == '*';
	rest.n -= out->extended;
	if (str_number(rest, PARTS_PARAMS_MAX, &v) == -1)
		return false;
	out->number = (unsigned)v;
	return true;
}

static const struct part_param *
find_piece(const struct part_param *p, const struct piece *like,
    unsigned number, struct piece *out)
{
	for (; p != NULL; p = p->next)
		if (piece_of(p->name, out) && out->number == number &&
		    str_eq_nocase(out->name, like->name))
			return p;
	return NULL;
}

/* RFC 2231 7: what an extended value may not have as it is. */
static void
add_percent(struct buf *b, struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' ||
		    (unsigned char)s.p[i] >= 0x7f ||
		    memchr("*'%()<>@,;:\\\"/[]?=", s.p[i], 18) != NULL)
			buf_addf(b, "%%%02X", (unsigned char)s.p[i]);
		else
			buf_addc(b, s.p[i]);
}

static void
put_name(struct buf *b, struct str name, size_t *n)
{
	buf_addc(b, (*n)++ == 0 ? '(' : ' ');
	structure_put_string(b, name);
	buf_addc(b, ' ');
}

/* All pieces as one parameter, as servers ought to give it (RFC 2231 6); if one of them is extended, it is. */
static int
put_joined(struct buf *b, const struct part_param *list,
    const struct piece *first, size_t *n)
{
	const struct part_param	*p;
	struct piece		 piece;
	struct buf		 value;
	char			 name[NAME_MAX + 1];
	bool			 extended = false;
	unsigned		 i;

	for (i = 0; find_piece(list, first, i, &piece) != NULL; i++)
		extended |= piece.extended;
	buf_init(&value, PARTS_HEADER_MAX * 3u);
	for (i = 0; (p = find_piece(list, first, i, &piece)) != NULL; i++)
		if (extended && !piece.extended)
			add_percent(&value, p->value);
		else
			buf_addstr(&value, p->value);
	memcpy(name, first->name.p, first->name.n);
	name[first->name.n] = '*';
	put_name(b, (struct str){ name, first->name.n + extended }, n);
	structure_put_string(b, buf_view(&value));
	b->bad |= !buf_ok(&value);
	buf_free(&value);
	return 0;
}

static void
put_params(struct buf *b, const struct part_param *list, bool is_text)
{
	const struct part_param	*p;
	struct piece		 piece, zero;
	bool			 charset = !is_text, pieces = false;
	size_t			 n = 0;

	for (p = list; p != NULL; p = p->next) {
		/* pieces of nothing stay as they are */
		if (piece_of(p->name, &piece) &&
		    find_piece(list, &piece, 0, &zero) != NULL) {
			pieces = true;
			continue;
		}
		charset |= str_eq_nocase(p->name, STR("charset"));
		put_name(b, p->name, &n);
		structure_put_string(b, p->value);
	}
	for (p = pieces ? list : NULL; p != NULL; p = p->next)
		if (piece_of(p->name, &piece) && piece.number == 0 &&
		    find_piece(list, &piece, 0, &zero) == p) {
			charset |= str_eq_nocase(piece.name, STR("charset"));
			put_joined(b, list, &piece, &n);
		}
	if (!charset)
		buf_adds(b, n++ == 0 ? "(" DEFAULT_CHARSET :
		    " " DEFAULT_CHARSET);
	buf_adds(b, n == 0 ? "NIL" : ")");
}

/* body-fld-dsp, body-fld-lang, body-fld-loc */
static void
put_extension(struct buf *b, const struct part_fields *f)
{
	size_t	i;

	if (f->disposition.p == NULL)
		buf_adds(b, " NIL");
	else {
		buf_adds(b, " (");
		structure_put_string(b, f->disposition);
		buf_addc(b, ' ');
		put_params(b, f->disposition_params, false);
		buf_addc(b, ')');
	}
	if (f->nlanguages == 0)
		buf_adds(b, " NIL");
	for (i = 0; i < f->nlanguages; i++) {
		buf_adds(b, i == 0 ? " (" : " ");
		structure_put_string(b, f->languages[i]);
		if (i + 1 == f->nlanguages)
			buf_addc(b, ')');
	}
	buf_addc(b, ' ');
	structure_put_nstring(b, f->location);
}

static void
put_default(struct buf *b, struct str s, const char *otherwise)
{
	if (s.p != NULL) {
		structure_put_string(b, s);
		return;
	}
	buf_addc(b, '"');
	buf_adds(b, otherwise);
	buf_addc(b, '"');
}

static int	put_part(struct buf *, const struct parts *, size_t, bool);

/*
 * A multipart in which no part was found has to have one (RFC 3501 9, body-type-mpart). Where there was no boundary to look
 * for, and it is a message, "1" is all that is in it (parts_find): a text, as long as that.
 */
static int
put_only_part(struct buf *b, const struct part *list, const struct part *part,
    const struct part_fields *f, bool extended)
{
	if (part->kind != PART_LEAF ||
	    (part != list && list[part->parent].kind != PART_MESSAGE))
		return buf_adds(b, extended ? NOTHING EXTENSION_NIL ")" :
		    NOTHING ")");
	buf_adds(b, NO_NAME);
	put_default(b, f->encoding, "7bit");
	buf_addc(b, ' ');
	buf_addu(b, part->body_wire);
	buf_addc(b, ' ');
	buf_addu(b, part->body_lines);
	return buf_adds(b, extended ? EXTENSION_NIL ")" : ")");
}

static int
put_multipart(struct buf *b, const struct parts *p, const struct part *part,
    const struct part_fields *f, bool extended)
{
	const struct part	*list;
	size_t			 n, i = part->child;

	list = parts_list(p, &n);
	buf_addc(b, '(');
	if (i == 0)
		put_only_part(b, list, part, f, extended);
	for (; i != 0; i = list[i].next)
		if (put_part(b, p, i, extended) == -1)
			return -1;
	buf_addc(b, ' ');
	structure_put_string(b, f->subtype);
	if (extended) {
		buf_addc(b, ' ');
		put_params(b, f->params, false);
		put_extension(b, f);
	}
	return buf_addc(b, ')');
}

/* body-type-msg; one that was not looked into (it is encoded, or too deep) shows an empty message. */
static int
put_message(struct buf *b, const struct parts *p, const struct part *part,
    bool extended)
{
	struct str	none = { "", 0 };
	bool		inside = part->kind == PART_MESSAGE;

	buf_addc(b, ' ');
	if (envelope_put(b, inside ?
	    parts_fields(p, part->child)->header : none) == -1)
		return -1;
	buf_addc(b, ' ');
	if (!inside)
		buf_adds(b, extended ? NOTHING EXTENSION_NIL ")" : NOTHING ")");
	else if (put_part(b, p, part->child, extended) == -1)
		return -1;
	buf_addc(b, ' ');
	return buf_addu(b, part->body_lines);
}

/* media-message is written in one way; p NULL: it is none. */
static struct str
message_subtype(const struct part_fields *f)
{
	if (!str_eq_nocase(f->type, STR("message")))
		return (struct str){ NULL, 0 };
	if (str_eq_nocase(f->subtype, STR("rfc822")))
		return STR("rfc822");
	if (str_eq_nocase(f->subtype, STR("global")))
		return STR("global");
	return (struct str){ NULL, 0 };
}

static int
put_part(struct buf *b, const struct parts *p, size_t number, bool extended)
{
	const struct part_fields	*f = parts_fields(p, number);
	const struct part		*part;
	struct str			 message;
	size_t				 n;

	part = parts_list(p, &n) + number;
	if (str_eq_nocase(f->type, STR("multipart")))
		return put_multipart(b, p, part, f, extended);
	message = message_subtype(f);
	buf_addc(b, '(');
	put_default(b, message.p != NULL ? STR("message") : f->type, "text");
	buf_addc(b, ' ');
	put_default(b, message.p != NULL ? message : f->subtype, "plain");
	buf_addc(b, ' ');
	put_params(b, f->params, part->is_text);
	buf_addc(b, ' ');
	structure_put_nstring(b, f->id);
	buf_addc(b, ' ');
	structure_put_nstring(b, f->description);
	buf_addc(b, ' ');
	put_default(b, f->encoding, "7bit");
	buf_addc(b, ' ');
	buf_addu(b, part->body_wire);
	if (part->is_text) {
		buf_addc(b, ' ');
		buf_addu(b, part->body_lines);
	} else if (message.p != NULL &&
	    put_message(b, p, part, extended) == -1)
		return -1;
	if (extended) {
		buf_addc(b, ' ');
		structure_put_nstring(b, f->md5);
		put_extension(b, f);
	}
	return buf_addc(b, ')');
}

int
structure_put(struct buf *b, const struct parts *p, bool extended)
{
	if (put_part(b, p, 0, extended) == -1)
		return -1;
	return buf_ok(b) ? 0 : -1;
}
