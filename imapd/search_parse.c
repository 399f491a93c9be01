/* imapd/search_parse.c - the program of a search becomes a tree; pure. Run by the session, from what its client sent. */
#include "imapd/search_parse.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/fmt/utf8.h"
#include "common/store/view.h"

enum argument {
	ARG_NONE, ARG_TEXT, ARG_HEADER, ARG_DATE, ARG_NUMBER, ARG_SECONDS,
	ARG_KEYWORD, ARG_SET, ARG_UID_AFTER, ARG_UID_BEFORE, ARG_MODSEQ, ARG_ID, ARG_NOT, ARG_OR
};

struct key_row {
	const char	*name;
	uint8_t		 argument, key;
	uint8_t		 field_or_date, when;
	bool		 negated;
	uint16_t	 set, clear;
};

#define FLAG(name, set, clear)	\
	{ name, ARG_NONE, KEY_FLAGS, 0, 0, false, set, clear }
#define DAY(name, date, when)	\
	{ name, ARG_DATE, KEY_DATE, date, when, false, 0, 0 }
#define FIELD(name, field)	\
	{ name, ARG_TEXT, KEY_HEADER, field, 0, false, 0, 0 }
#define KEY(name, argument, key, negated)	\
	{ name, argument, key, 0, 0, negated, 0, 0 }

static const struct key_row rows[] = {
	KEY("ALL", ARG_NONE, KEY_ALL, false),
	FLAG("ANSWERED", VIEW_ANSWERED, 0),
	FIELD("BCC", FIELD_BCC),
	DAY("BEFORE", DATE_INTERNAL, WHEN_BEFORE),
	KEY("BODY", ARG_TEXT, KEY_BODY, false),
	FIELD("CC", FIELD_CC),
	FLAG("DELETED", VIEW_DELETED, 0),
	FLAG("DRAFT", VIEW_DRAFT, 0),
	KEY("EMAILID", ARG_ID, KEY_EMAILID, false),
	FLAG("FLAGGED", VIEW_FLAGGED, 0),
	FIELD("FROM", FIELD_FROM),
	KEY("HEADER", ARG_HEADER, KEY_HEADER, false),
	KEY("KEYWORD", ARG_KEYWORD, KEY_KEYWORD, false),
	KEY("LARGER", ARG_NUMBER, KEY_LARGER, false),
	KEY("MODSEQ", ARG_MODSEQ, KEY_MODSEQ, false),
	FLAG("NEW", VIEW_RECENT, VIEW_SEEN),
	KEY("NOT", ARG_NOT, KEY_ALL, true),
	FLAG("OLD", 0, VIEW_RECENT),
	KEY("OLDER", ARG_SECONDS, KEY_OLDER, false),
	DAY("ON", DATE_INTERNAL, WHEN_ON),
	KEY("OR", ARG_OR, KEY_OR, false),
	FLAG("RECENT", VIEW_RECENT, 0),
	DAY("SAVEDBEFORE", DATE_SAVED, WHEN_BEFORE),
	KEY("SAVEDATESUPPORTED", ARG_NONE, KEY_ALL, false),
	DAY("SAVEDON", DATE_SAVED, WHEN_ON),
	DAY("SAVEDSINCE", DATE_SAVED, WHEN_SINCE),
	FLAG("SEEN", VIEW_SEEN, 0),
	DAY("SENTBEFORE", DATE_SENT, WHEN_BEFORE),
	DAY("SENTON", DATE_SENT, WHEN_ON),
	DAY("SENTSINCE", DATE_SENT, WHEN_SINCE),
	DAY("SINCE", DATE_INTERNAL, WHEN_SINCE),
	KEY("SMALLER", ARG_NUMBER, KEY_SMALLER, false),
	FIELD("SUBJECT", FIELD_SUBJECT),
	KEY("TEXT", ARG_TEXT, KEY_TEXT, false),
	KEY("THREADID", ARG_ID, KEY_THREADID, false),
	FIELD("TO", FIELD_TO),
	KEY("UID", ARG_SET, KEY_UIDS, false),
	KEY("UIDAFTER", ARG_UID_AFTER, KEY_UIDS, false),
	KEY("UIDBEFORE", ARG_UID_BEFORE, KEY_UIDS, false),
	FLAG("UNANSWERED", 0, VIEW_ANSWERED),
	FLAG("UNDELETED", 0, VIEW_DELETED),
	FLAG("UNDRAFT", 0, VIEW_DRAFT),
	FLAG("UNFLAGGED", 0, VIEW_FLAGGED),
	KEY("UNKEYWORD", ARG_KEYWORD, KEY_KEYWORD, true),
	FLAG("UNSEEN", 0, VIEW_SEEN),
	KEY("YOUNGER", ARG_SECONDS, KEY_YOUNGER, false),
};

/* Fields of HEADER that are looked for as the keys of that name. */
static const struct {
	const char	*name;
	uint8_t		 field;
} fields[] = {
	{ "Date", FIELD_DATE },
	{ "Subject", FIELD_SUBJECT },
	{ "From", FIELD_FROM },
	{ "To", FIELD_TO },
	{ "Cc", FIELD_CC },
	{ "Bcc", FIELD_BCC },
	{ "In-Reply-To", FIELD_IN_REPLY_TO },
	{ "Message-ID", FIELD_MESSAGE_ID },
};

struct parser {
	struct arena		*arena;
	const struct charset	*charset;
	struct search_program	*program;
	const char		*why;
	unsigned		 depth;
};

static bool	key_parse(struct parser *, struct cur *, struct search_node **);
static bool	keys_parse(struct parser *, struct cur *,
		    struct search_node **);

static bool
wrong(struct parser *p, const char *why)
{
	if (p->why == NULL)
		p->why = why;
	return false;
}

static struct search_node *
node_new(struct parser *p, enum search_key key)
{
	struct search_node	*n;

	if (p->program->nkeys >= SEARCH_KEYS_MAX) {
		(void)wrong(p, "too many search keys");
		return NULL;
	}
	if ((n = arena_get(p->arena, sizeof(*n))) == NULL) {
		(void)wrong(p, "search program too long");
		return NULL;
	}
	p->program->nkeys++;
	n->key = (uint8_t)key;
	return n;
}

static const struct key_row *
row_find(struct str name)
{
	size_t	i;

	for (i = 0; i < nitems(rows); i++)
		if (str_eq_nocase(str_from(rows[i].name), name))
			return &rows[i];
	return NULL;
}

/* Was there anything that no text of its charset has? Nobody looks for U+FFFD but in UTF-8. */
static bool
is_text(const struct charset *set, struct str text, const struct buf *utf8)
{
	if (set == charset_find(STR("UTF-8")))
		return utf8_ok(text);
	return utf8->n == 0 ||
	    memmem(utf8->p, utf8->n, "\xef\xbf\xbd", 3) == NULL;
}

/* A string in the client's charset, as UTF-8; as it is, if that is not known: nobody looks for it. */
static bool
text_parse(struct parser *p, struct cur *c, struct str *out)
{
	struct charset_state	state;
	struct str		text;
	struct buf		utf8;
	bool			ok, fits;

	if (!imap_astring(c, p->arena, &text))
		return wrong(p, "search string expected");
	if (text.n > SEARCH_TEXT_MAX)
		return wrong(p, "search string too long");
	*out = text;
	if (p->charset == NULL)
		return true;
	buf_init(&utf8, SEARCH_TEXT_MAX);
	charset_begin(&state, p->charset);
	fits = charset_feed(&state, text, &utf8) == 0 &&
	    charset_end(&state, &utf8) == 0 &&
	    arena_dup(p->arena, buf_view(&utf8), out) == 0;
	ok = is_text(p->charset, text, &utf8);
	buf_free(&utf8);
	return fits && ok ? true : wrong(p, fits ?
	    "search string is not of its charset" : "search string too long");
}

static bool
header_parse(struct parser *p, struct cur *c, struct search_node *n)
{
	size_t	i;

	n->field = FIELD_OTHER;
	if (!imap_astring(c, p->arena, &n->name) || n->name.n == 0)
		return wrong(p, "name of a header field expected");
	for (i = 0; i < nitems(fields); i++)
		if (str_eq_nocase(n->name, str_from(fields[i].name)))
			n->field = fields[i].field;
	if (!imap_sp(c))
		return wrong(p, "blank expected");
	return text_parse(p, c, &n->text);
}

static bool
set_parse(struct parser *p, struct cur *c, struct search_node *n)
{
	if (cur_byte(c, '$')) {
		n->key = KEY_RESULT;
		p->program->has_result = true;
		return true;
	}
	return imap_set(c, p->arena, &n->numbers) ||
	    wrong(p, "set of numbers expected");
}

/* RFC 9738 3.2. No message has UINT32_MAX. */
static bool
uid_parse(struct parser *p, struct cur *c, struct search_node *n, bool after)
{
	struct imap_range	*r;
	uint32_t		 uid;

	if (!imap_nz_number(c, &uid))
		return wrong(p, "UID expected");
	if ((r = arena_get(p->arena, sizeof(*r))) == NULL)
		return wrong(p, "search program too long");
	if (after)
		*r = (struct imap_range){ uid == UINT32_MAX ? uid : uid + 1,
		    UINT32_MAX - 1 };
	else
		*r = (struct imap_range){ 1, uid - 1 };
	n->numbers = (struct imap_set){ r, r->from <= r->to };
	return true;
}

/* [entry-name SP entry-type SP] value (RFC 7162 7); one modseq is kept for all flags of a message. */
static bool
modseq_parse(struct parser *p, struct cur *c, struct search_node *n)
{
	struct str	entry, type;

	p->program->has_modseq = true;
	if (cur_peek(c) == '"') {
		if (!imap_string(c, p->arena, &entry) ||
		    !str_starts_nocase(entry, STR("/flags/")) ||
		    !imap_sp(c) || !imap_atom(c, &type) ||
		    !(str_eq_nocase(type, STR("priv")) ||
		    str_eq_nocase(type, STR("shared")) ||
		    str_eq_nocase(type, STR("all"))) || !imap_sp(c))
			return wrong(p, "entry of MODSEQ not understood");
	}
	return imap_number64(c, &n->value) ||
	    wrong(p, "modification sequence expected");
}

static bool
number_parse(struct parser *p, struct cur *c, struct search_node *n,
    bool zero_ok)
{
	if (!imap_number64(c, &n->value) || (n->value == 0 && !zero_ok))
		return wrong(p, "number expected");
	return true;
}

static bool
date_parse_key(struct parser *p, struct cur *c, struct search_node *n)
{
	int64_t	days;

	if (!imap_date(c, &days))
		return wrong(p, "date expected");
	n->value = (uint64_t)days;
	return true;
}

/*
 * Clients ask for many messages by "OR x OR y OR z ...": the second argument is taken in the same loop, so that such a chain is
 * one node, however long it is.
 */
static bool
or_parse(struct parser *p, struct cur *c, struct search_node *n)
{
	struct search_node	**tail = &n->child;
	bool			 more;

	do {
		if (!imap_sp(c))
			return wrong(p, "OR needs two search keys");
		if (!key_parse(p, c, tail))
			return false;
		tail = &(*tail)->next;
		if (!imap_sp(c))
			return wrong(p, "OR needs two search keys");
		more = str_starts_nocase(cur_rest(c), STR("OR "));
		if (more)
			c->p += 2;
	} while (more);
	return key_parse(p, c, tail);
}

static bool
argument_parse(struct parser *p, struct cur *c, const struct key_row *row,
    struct search_node *n)
{
	if (row->argument == ARG_NONE)
		return true;
	if (row->argument == ARG_OR)
		return or_parse(p, c, n);
	if (!imap_sp(c))
		return wrong(p, "search key lacks its argument");
	switch ((enum argument)row->argument) {
	case ARG_TEXT:
		return text_parse(p, c, &n->text);
	case ARG_HEADER:
		return header_parse(p, c, n);
	case ARG_DATE:
		return date_parse_key(p, c, n);
	case ARG_NUMBER:
		return number_parse(p, c, n, true);
	case ARG_SECONDS:
		return number_parse(p, c, n, false);
	case ARG_KEYWORD:
		return (imap_astring(c, p->arena, &n->text) &&
		    n->text.n > 0) || wrong(p, "keyword expected");
	case ARG_ID:
		return (imap_astring(c, p->arena, &n->text) &&
		    n->text.n > 0) || wrong(p, "object id expected");
	case ARG_SET:
		return set_parse(p, c, n);
	case ARG_UID_AFTER:
	case ARG_UID_BEFORE:
		return uid_parse(p, c, n, row->argument == ARG_UID_AFTER);
	case ARG_MODSEQ:
		return modseq_parse(p, c, n);
	case ARG_NONE:
	case ARG_NOT:
	case ARG_OR:
		break;
	}
	return false;
}

static bool
named_parse(struct parser *p, struct cur *c, struct search_node **out)
{
	const struct key_row	*row;
	struct search_node	*n;
	struct str		 name;

	if (!imap_atom(c, &name) || (row = row_find(name)) == NULL)
		return wrong(p, "unknown search key");
	if ((n = *out = node_new(p, row->key)) == NULL)
		return false;
	n->field = n->date = row->field_or_date;
	n->when = row->when;
	n->negated = row->negated;
	n->set = row->set;
	n->clear = row->clear;
	return argument_parse(p, c, row, n);
}

static bool
list_parse(struct parser *p, struct cur *c, struct search_node **out)
{
	if ((*out = node_new(p, KEY_AND)) == NULL ||
	    !keys_parse(p, c, &(*out)->child))
		return false;
	return cur_byte(c, ')') || wrong(p, "parenthesis is not closed");
}

static bool
numbers_parse(struct parser *p, struct cur *c, struct search_node **out)
{
	bool	result = cur_peek(c) == '$';

	if ((*out = node_new(p, KEY_NUMBERS)) == NULL)
		return false;
	if (!result)
		p->program->has_numbers = true;
	return set_parse(p, c, *out);
}

/* One key. "NOT NOT NOT ..." is counted off here, not by recursion. */
static bool
key_parse(struct parser *p, struct cur *c, struct search_node **out)
{
	bool	negated = false, ok;
	int	next;

	while (str_starts_nocase(cur_rest(c), STR("NOT "))) {
		c->p += 4;
		negated = !negated;
	}
	if (p->depth >= SEARCH_DEPTH_MAX)
		return wrong(p, "search keys nested too deeply");
	p->depth++;
	next = cur_peek(c);
	if (cur_byte(c, '('))
		ok = list_parse(p, c, out);
	else if (next == '*' || next == '$' ||
	    (next != -1 && is_digit((unsigned char)next)))
		ok = numbers_parse(p, c, out);
	else
		ok = named_parse(p, c, out);
	p->depth--;
	if (ok && negated)
		(*out)->negated = !(*out)->negated;
	return ok;
}

static bool
keys_parse(struct parser *p, struct cur *c, struct search_node **tail)
{
	do {
		if (!key_parse(p, c, tail))
			return false;
		tail = &(*tail)->next;
	} while (imap_sp(c));
	return true;
}

bool
search_parse(struct cur *in, struct arena *arena, const struct charset *charset,
    struct search_program *program, const char **why)
{
	struct parser	p = { arena, charset, program, NULL, 0 };
	struct cur	c = *in;

	memset(program, 0, sizeof(*program));
	if ((program->root = node_new(&p, KEY_AND)) == NULL ||
	    !keys_parse(&p, &c, &program->root->child) ||
	    (cur_peek(&c) != ')' && !cur_done(&c))) {
		*why = p.why != NULL ? p.why : "blank expected";
		return false;
	}
	*in = c;
	return true;
}
