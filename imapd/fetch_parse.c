/* imapd/fetch_parse.c - what FETCH asks for; the client is not trusted. */
#include "imapd/fetch_parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/fmt/imap.h"

#define LABEL_MAX	(1u << 20)

struct parse {
	struct cur		 c;
	struct arena		*memory;
	struct fetch_request	*r;
	struct buf		 label;
	size_t			 room;	/* of sections */
	const char		*why;
};

static const struct { const char *name; enum fetch_att att; } atts[] = {
	{ "FLAGS",		FETCH_FLAGS },
	{ "INTERNALDATE",	FETCH_INTERNALDATE },
	{ "RFC822.SIZE",	FETCH_SIZE },
	{ "ENVELOPE",		FETCH_ENVELOPE },
	{ "BODY",		FETCH_BODY },
	{ "BODYSTRUCTURE",	FETCH_STRUCTURE },
	{ "MODSEQ",		FETCH_MODSEQ },
	{ "EMAILID",		FETCH_EMAILID },
	{ "THREADID",		FETCH_THREADID },
	{ "SAVEDATE",		FETCH_SAVEDATE },
	{ "PREVIEW",		FETCH_PREVIEW },
};

/* Each is as many of FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY. */
static const struct { const char *name; size_t n; } macros[] = {
	{ "FAST", 3 }, { "ALL", 4 }, { "FULL", 5 },
};

static const struct {
	const char		*name, *label;
	enum section_kind	 kind;
	bool			 seen;
} bracketed[] = {
	{ "BODY",	 "BODY[",	 SECTION_BODY,		true },
	{ "BODY.PEEK",	 "BODY[",	 SECTION_BODY,		false },
	{ "BINARY",	 "BINARY[",	 SECTION_BINARY,	true },
	{ "BINARY.PEEK", "BINARY[",	 SECTION_BINARY,	false },
	{ "BINARY.SIZE", "BINARY.SIZE[", SECTION_BINARY_SIZE,	false },
};

static const struct {
	const char		*name;
	enum section_text	 text;
	bool			 seen;
} wholes[] = {
	{ "RFC822",		SECTION_ALL,	true },
	{ "RFC822.HEADER",	SECTION_HEADER,	false },
	{ "RFC822.TEXT",	SECTION_TEXT,	true },
};

static const struct { const char *name; enum section_text text; } texts[] = {
	{ "HEADER.FIELDS.NOT",	SECTION_FIELDS_NOT },
	{ "HEADER.FIELDS",	SECTION_FIELDS },
	{ "HEADER",		SECTION_HEADER },
	{ "TEXT",		SECTION_TEXT },
	{ "MIME",		SECTION_MIME },
};

static bool
fail(struct parse *p, const char *why)
{
	if (p->why == NULL)
		p->why = why;
	return false;
}

static bool
is_name(unsigned char c)
{
	return is_alnum(c) || c == '.';
}

static int
compare(const void *a, const void *b)
{
	const struct str	*x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return x->n == 0 ? 0 : strncasecmp(x->p, y->p, x->n);
}

bool
names_has(const struct str *names, size_t n, struct str name)
{
	return n > 0 &&
	    bsearch(&name, names, n, sizeof(*names), compare) != NULL;
}

void
names_order(struct str *names, size_t n)
{
	qsort(names, n, sizeof(*names), compare);
}

void
fetch_want(struct fetch_request *r, enum fetch_att att)
{
	if (fetch_wants(r, att))
		return;
	r->atts[r->natts++] = att;
	r->wants |= 1u << att;
}

/* The section as it stands in *s; one that was asked for already is no second one. */
static bool
add_section(struct parse *p, struct fetch_section *s, bool seen)
{
	struct fetch_request	*r = p->r;
	struct str		 label = buf_view(&p->label);
	size_t			 i;

	if (!buf_ok(&p->label))
		return fail(p, "Too long a list of fields");
	r->seen |= seen;
	for (i = 0; i < r->nsections; i++)
		if (str_eq(r->sections[i].label, label) &&
		    r->sections[i].count == s->count)
			return true;
	if (r->nsections == p->room)
		return fail(p, "Too many sections");
	if (arena_dup(p->memory, label, &s->label) == -1)
		return fail(p, "Too long");
	r->sections[r->nsections++] = *s;
	return true;
}

/* "(FROM TO)" */
static bool
section_names(struct parse *p, struct fetch_section *s)
{
	struct str	names[FETCH_NAMES_MAX], *kept;
	size_t		n = 0;

	if (!imap_sp(&p->c) || !cur_byte(&p->c, '('))
		return fail(p, "Expected a list of fields");
	buf_adds(&p->label, " (");
	do {
		if (n == FETCH_NAMES_MAX)
			return fail(p, "Too many fields");
		if (!imap_astring(&p->c, p->memory, &names[n]))
			return fail(p, "Expected the name of a field");
		if (n > 0)
			buf_addc(&p->label, ' ');
		if (imap_put_astring(&p->label, names[n++], false) == -1)
			return fail(p, "Too long a list of fields");
	} while (imap_sp(&p->c));
	if (!cur_byte(&p->c, ')'))
		return fail(p, "Expected the name of a field, or )");
	buf_addc(&p->label, ')');
	if ((kept = arena_get(p->memory, n * sizeof(*kept))) == NULL)
		return fail(p, "Too long");
	memcpy(kept, names, n * sizeof(*kept));
	names_order(kept, n);
	s->names = kept;
	s->nnames = n;
	return true;
}

/* "HEADER", "TEXT" ... */
static bool
section_text(struct parse *p, struct fetch_section *s)
{
	size_t	i;

	for (i = 0; i < nitems(texts); i++)
		if (cur_word(&p->c, str_from(texts[i].name)))
			break;
	if (i == nitems(texts) || s->kind != SECTION_BODY ||
	    (texts[i].text == SECTION_MIME && s->npart == 0))
		return fail(p, "No such section");
	s->text = texts[i].text;
	buf_adds(&p->label, texts[i].name);
	if (s->text == SECTION_FIELDS || s->text == SECTION_FIELDS_NOT)
		return section_names(p, s);
	return true;
}

/* "1.2.3", and what may follow it */
static bool
section_part(struct parse *p, struct fetch_section *s)
{
	uint32_t	numbers[FETCH_DEPTH_MAX], *kept;
	bool		more;

	do {
		if (s->npart == FETCH_DEPTH_MAX)
			return fail(p, "Too deep a section");
		if (cur_peek(&p->c) == '0' ||
		    !imap_nz_number(&p->c, &numbers[s->npart]))
			return fail(p, "No such section");
		buf_addf(&p->label, s->npart == 0 ? "%lu" : ".%lu",
		    (unsigned long)numbers[s->npart]);
		s->npart++;
		more = cur_byte(&p->c, '.');
	} while (more && is_digit((unsigned char)cur_peek(&p->c)));
	if ((kept = arena_get(p->memory, s->npart * sizeof(*kept))) == NULL)
		return fail(p, "Too long");
	memcpy(kept, numbers, s->npart * sizeof(*kept));
	s->part = kept;
	if (!more)
		return true;
	buf_addc(&p->label, '.');
	return section_text(p, s);
}

/* "<0.1000>" */
static bool
section_partial(struct parse *p, struct fetch_section *s)
{
	if (!cur_byte(&p->c, '<'))
		return true;
	if (s->kind == SECTION_BINARY_SIZE || !imap_number64(&p->c, &s->from) ||
	    !cur_byte(&p->c, '.') || !imap_number64(&p->c, &s->count) ||
	    s->count == 0 || !cur_byte(&p->c, '>'))
		return fail(p, "No such partial");
	s->partial = true;
	buf_addf(&p->label, "<%llu>", (unsigned long long)s->from);
	return true;
}

/* Behind the bracket. */
static bool
section(struct parse *p, size_t i)
{
	struct fetch_section	s = { .kind = bracketed[i].kind };

	buf_reset(&p->label);
	buf_adds(&p->label, bracketed[i].label);
	if (is_digit((unsigned char)cur_peek(&p->c))) {
		if (!section_part(p, &s))
			return false;
	} else if (cur_peek(&p->c) != ']' && !section_text(p, &s))
		return false;
	if (!cur_byte(&p->c, ']'))
		return fail(p, "Expected ]");
	buf_addc(&p->label, ']');
	return section_partial(p, &s) && add_section(p, &s, bracketed[i].seen);
}

/* " (LAZY)", which might also be a modifier's list */
static void
preview(struct parse *p)
{
	struct cur	c = p->c;

	fetch_want(p->r, FETCH_PREVIEW);
	if (!cur_word(&c, STR(" (LAZY)")))
		return;
	p->r->lazy = true;
	p->c = c;
}

static bool
attribute(struct parse *p)
{
	struct fetch_section	s = { .kind = SECTION_BODY };
	struct str		name;
	size_t			i;

	if (!cur_span(&p->c, is_name, 64, &name))
		return fail(p, "Expected an attribute");
	if (cur_byte(&p->c, '[')) {
		for (i = 0; i < nitems(bracketed); i++)
			if (str_eq_nocase(name, str_from(bracketed[i].name)))
				return section(p, i);
		return fail(p, "No such attribute");
	}
	for (i = 0; i < nitems(atts); i++)
		if (str_eq_nocase(name, str_from(atts[i].name))) {
			if (atts[i].att == FETCH_PREVIEW)
				preview(p);
			else
				fetch_want(p->r, atts[i].att);
			return true;
		}
	for (i = 0; i < nitems(wholes); i++)
		if (str_eq_nocase(name, str_from(wholes[i].name))) {
			s.text = wholes[i].text;
			buf_reset(&p->label);
			buf_adds(&p->label, wholes[i].name);
			return add_section(p, &s, wholes[i].seen);
		}
	if (!str_eq_nocase(name, STR("UID")))
		return fail(p, "No such attribute");
	p->r->uid = true;
	return true;
}

static bool
macro(struct parse *p)
{
	static const enum fetch_att	full[] = {
		FETCH_FLAGS, FETCH_INTERNALDATE, FETCH_SIZE, FETCH_ENVELOPE,
		FETCH_BODY
	};
	struct cur			c = p->c;
	struct str			name;
	size_t				i, j;

	if (!cur_span(&c, is_name, 64, &name))
		return false;
	for (i = 0; i < nitems(macros); i++)
		if (str_eq_nocase(name, str_from(macros[i].name))) {
			for (j = 0; j < macros[i].n; j++)
				fetch_want(p->r, full[j]);
			p->c = c;
			return true;
		}
	return false;
}

static bool
attributes(struct parse *p)
{
	if (!cur_byte(&p->c, '('))
		return macro(p) || attribute(p);
	do {
		if (!attribute(p))
			return false;
	} while (imap_sp(&p->c));
	return cur_byte(&p->c, ')') || fail(p, "Expected an attribute, or )");
}

/* "-1:-100" or "1:100" (RFC 9394); either order */
static bool
slice(struct parse *p)
{
	struct fetch_request	*r = p->r;
	uint32_t		 a, b;
	bool			 last = cur_byte(&p->c, '-');

	if (r->slice || !imap_nz_number(&p->c, &a) || !cur_byte(&p->c, ':') ||
	    (last && !cur_byte(&p->c, '-')) || !imap_nz_number(&p->c, &b))
		return fail(p, "Expected one range after PARTIAL");
	r->slice = true;
	r->slice_last = last;
	r->slice_from = a < b ? a : b;
	r->slice_to = a < b ? b : a;
	return true;
}

static bool
modifier(struct parse *p)
{
	struct fetch_request	*r = p->r;

	if (cur_word(&p->c, STR("CHANGEDSINCE "))) {
		if (r->since_given || !imap_number64(&p->c, &r->since))
			return fail(p, "Expected one number after "
			    "CHANGEDSINCE");
		r->since_given = true;
		return true;
	}
	if (cur_word(&p->c, STR("PARTIAL ")))
		return slice(p);
	if (!cur_word(&p->c, STR("VANISHED")))
		return fail(p, "No such modifier");
	r->vanished = true;
	return true;
}

static bool
modifiers(struct parse *p, bool uid)
{
	struct fetch_request	*r = p->r;

	if (cur_done(&p->c))
		return true;
	if (!imap_sp(&p->c) || !cur_byte(&p->c, '('))
		return fail(p, "Unexpected arguments");
	do {
		if (!modifier(p))
			return false;
	} while (imap_sp(&p->c));
	if (!cur_byte(&p->c, ')') || !cur_done(&p->c))
		return fail(p, "Unexpected arguments");
	if (!uid && (r->vanished || r->slice))
		return fail(p, "That modifier is for UID FETCH");
	if (r->vanished && !r->since_given)
		return fail(p, "VANISHED goes with CHANGEDSINCE");
	return true;
}

/* At least as many as there are sections, each of which has a bracket, but for RFC822 and its kind. */
static size_t
room_for(struct str s)
{
	const char	*at = s.p, *end = s.p + s.n;
	size_t		 n = nitems(wholes);

	while (n < FETCH_SECTIONS_MAX && at < end &&
	    (at = memchr(at, '[', (size_t)(end - at))) != NULL) {
		at++;
		n++;
	}
	return n;
}

static bool
begin(struct parse *p, struct cur *in, struct arena *memory,
    struct fetch_request *r)
{
	*p = (struct parse){ .c = *in, .memory = memory, .r = r };
	*r = (struct fetch_request){ .uid = false };
	p->room = room_for(cur_rest(in));
	buf_init(&p->label, LABEL_MAX);
	r->sections = arena_get(memory, p->room * sizeof(*r->sections));
	return r->sections != NULL || fail(p, "Too long");
}

static bool
end(struct parse *p, struct cur *in, bool ok, const char **why)
{
	buf_free(&p->label);
	if (ok)
		*in = p->c;
	*why = p->why;
	return ok;
}

bool
fetch_parse(struct cur *in, struct arena *memory, bool uid,
    struct fetch_request *r, const char **why)
{
	struct parse	p;
	bool		ok;

	ok = begin(&p, in, memory, r) && attributes(&p) && modifiers(&p, uid);
	if (ok && r->since_given)
		fetch_want(r, FETCH_MODSEQ);	/* RFC 7162 3.1.4.1 */
	return end(&p, in, ok, why);
}

bool
fetch_parse_list(struct cur *in, struct arena *memory,
    struct fetch_request *r, const char **why)
{
	struct parse	p;
	bool		ok;

	ok = begin(&p, in, memory, r) && (cur_peek(&p.c) == '(' ||
	    fail(&p, "Expected a list of attributes")) && attributes(&p);
	return end(&p, in, ok, why);
}
