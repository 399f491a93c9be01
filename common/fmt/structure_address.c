/*
 * common/fmt/structure_address.c - the addresses of a field as ENVELOPE has them (RFC 3501 7.4.2, RFC 5322 3.4 and 4.4);
 * pure. Every byte is looked at once or twice, nothing is allocated. What people write that is no address becomes the
 * nearest one there can be: where there is no mailbox or no domain, words stand that say so, since NIL would mean a group.
 */
#include <string.h>

#include "common/fmt/cur.h"
#include "common/fmt/header.h"
#include "common/fmt/structure_impl.h"

#define TEXT_MAX	2048u	/* of a name, a route ...; what is longer is cut */

struct text {
	size_t	n;
	char	p[TEXT_MAX];
};

/* One address while it is read. */
struct reading {
	struct cur	in;
	bool		blank;		/* was there one, or a comment, before the next byte? */
	bool		in_group;
	bool		some;		/* something was written */
	bool		has_words;	/* perhaps quoted and empty */
	bool		all_quoted;	/* they are a name, then */
	size_t		name_end;	/* of name: in front of what may be the local part */
	struct text	name;		/* all words so far, with a blank where there were some */
	struct text	local;		/* the last of them that stand together */
	struct text	domain, route, comment;
};

static void
text_add(struct text *t, char c)
{
	if (t->n < TEXT_MAX)
		t->p[t->n++] = c;
}

static struct str
text_view(const struct text *t)
{
	return (struct str){ t->p, t->n };
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Its text is kept: it may be all the name there is. */
static void
skip_comment(struct reading *r)
{
	struct cur	*c = &r->in;
	size_t		 depth = 1;

	r->comment.n = 0;
	for (c->p++; !cur_done(c); c->p++) {
		if (*c->p == '\\' && cur_left(c) > 1)
			c->p++;
		else if (*c->p == '(')
			depth++;
		else if (*c->p == ')' && --depth == 0) {
			c->p++;
			return;
		}
		text_add(&r->comment, *c->p);
	}
}

static void
skip(struct reading *r)
{
	r->blank = false;
	while (!cur_done(&r->in)) {
		if (*r->in.p == '(')
			skip_comment(r);
		else if (is_blank(*r->in.p))
			r->in.p++;
		else
			return;
		r->blank = true;
	}
}

/* A word, or the dot between two, is about to come. */
static void
begin_word(struct reading *r, bool dot)
{
	bool	joins = !r->blank || dot ||
		    (r->local.n > 0 && r->local.p[r->local.n - 1] == '.');

	if (!joins) {
		r->name_end = r->name.n;
		r->local.n = 0;
	}
	if (r->blank && r->name.n > 0)
		text_add(&r->name, ' ');
	r->has_words = true;
}

static void
quoted_word(struct reading *r)
{
	struct cur	*c = &r->in;

	begin_word(r, false);
	for (c->p++; !cur_done(c); c->p++) {
		if (*c->p == '"') {
			c->p++;
			return;
		}
		if (*c->p == '\r' || *c->p == '\n')
			continue;
		if (*c->p == '\\' && cur_left(c) > 1)
			c->p++;
		text_add(&r->name, *c->p);
		text_add(&r->local, *c->p);
	}
}

static bool
is_special(char c)
{
	return is_blank(c) || memchr("(\"<>@,;:", c, 8) != NULL;
}

static void
word(struct reading *r)
{
	begin_word(r, *r->in.p == '.');
	r->all_quoted = false;
	do {
		text_add(&r->name, *r->in.p);
		text_add(&r->local, *r->in.p);
		r->in.p++;
	} while (!cur_done(&r->in) && !is_special(*r->in.p));
}

/* Blanks and comments may be around its dots; a literal may hold colons. What stands behind a blank is no part of it. */
static void
domain(struct reading *r, const char *stop)
{
	struct cur	*c = &r->in;
	bool		 literal = false;

	r->domain.n = 0;
	for (skip(r); !cur_done(c); ) {
		if (!literal && (is_blank(*c->p) || *c->p == '(')) {
			skip(r);
			if (cur_done(c) || r->domain.n == 0 ||
			    (*c->p != '.' &&
			    r->domain.p[r->domain.n - 1] != '.'))
				return;
			continue;
		}
		if (strchr(literal ? ">" : stop, *c->p) != NULL &&
		    *c->p != '\0')
			return;
		if (*c->p == '[')
			literal = true;
		else if (*c->p == ']')
			literal = false;
		if (!is_blank(*c->p))
			text_add(&r->domain, *c->p);
		c->p++;
	}
}

/* "@a,@b:" in front of the address (RFC 5322 4.4); false: there is none, or none of a sensible length. */
static bool
route(struct reading *r)
{
	const char	*from = r->in.p, *at, *end = r->in.end;

	if ((size_t)(end - from) > TEXT_MAX)
		end = from + TEXT_MAX;
	for (at = from; at < end && strchr(">\";:", *at) == NULL; at++)
		;
	if (at == end || *at != ':')
		return false;
	for (; from < at; from++)
		if (!is_blank(*from))
			text_add(&r->route, *from);
	r->in.p = at + 1;
	return true;
}

/* Between < and >, whose end is taken if it is there. Some write two of each. */
static void
angle(struct reading *r)
{
	struct cur	*c = &r->in;
	size_t		 name = r->name.n;

	while (cur_byte(c, '<'))
		continue;
	r->local.n = 0;
	skip(r);
	if (!cur_done(c) && *c->p == '@' && route(r))
		skip(r);
	while (!cur_done(c) && *c->p != '>' && *c->p != '@' && *c->p != ',' &&
	    *c->p != ';') {
		/* two words here are one mailbox, of which no mail comes */
		if (r->blank && r->local.n > 0 && *c->p != '.' &&
		    r->local.p[r->local.n - 1] != '.')
			text_add(&r->local, ' ');
		r->blank = false;
		if (*c->p == '"')
			quoted_word(r);
		else
			word(r);
		skip(r);
	}
	r->name.n = name;
	if (cur_byte(c, '@'))
		domain(r, ">,;");
	skip(r);
	(void)cur_byte(c, '>');
}

static int
put(struct buf *out, struct reading *r, struct str name, struct str mailbox,
    struct str host)
{
	buf_adds(out, r->some ? "(" : "((");
	r->some = true;
	if (name.n == 0)
		buf_adds(out, "NIL");
	else
		structure_put_text(out, name);
	buf_addc(out, ' ');
	if (r->route.n == 0)
		buf_adds(out, "NIL");
	else
		structure_put_string(out, text_view(&r->route));
	buf_addc(out, ' ');
	structure_put_nstring(out, mailbox);
	buf_addc(out, ' ');
	structure_put_nstring(out, host);
	return buf_addc(out, ')');
}

static void
forget(struct reading *r)
{
	r->blank = r->has_words = false;
	r->all_quoted = true;
	r->name_end = 0;
	r->name.n = r->local.n = r->domain.n = r->route.n = r->comment.n = 0;
}

/* An address is complete but for a comment behind it. */
static int
put_address(struct buf *out, struct reading *r)
{
	struct str	name = text_view(&r->name);
	struct str	mailbox = text_view(&r->local);
	struct str	host = text_view(&r->domain);

	skip(r);
	if (name.n == 0)
		name = text_view(&r->comment);
	/* nothing but < > is nothing */
	if (name.n > 0 || mailbox.n > 0 || host.n > 0)
		put(out, r, name,
		    mailbox.n > 0 ? mailbox : STR("MISSING_MAILBOX"),
		    host.n > 0 ? host : STR("MISSING_DOMAIN"));
	forget(r);
	return buf_ok(out) ? 0 : -1;
}

/* Words, and then no @ and no <: one is a mailbox, more are a name, and so is what is in quotes. */
static int
put_words(struct buf *out, struct reading *r)
{
	if (!r->has_words) {
		forget(r);
		return 0;
	}
	if (r->name_end > 0 || r->all_quoted)
		r->local.n = 0;
	else
		r->name.n = 0;
	return put_address(out, r);
}

static int
begin_group(struct buf *out, struct reading *r)
{
	const struct str	nil = { NULL, 0 };
	struct str		name = text_view(&r->name);

	r->in.p++;
	if (r->in_group || name.n == 0) {
		forget(r);
		return 0;
	}
	r->in_group = true;
	put(out, r, nil, name, nil);
	forget(r);
	return buf_ok(out) ? 0 : -1;
}

static int
end_group(struct buf *out, struct reading *r)
{
	const struct str	nil = { NULL, 0 };

	forget(r);
	if (r->in_group)
		put(out, r, nil, nil, nil);
	r->in_group = false;
	return buf_ok(out) ? 0 : -1;
}

/*
 * An @ behind words: what stands in front of it without a blank is the mailbox. In front of < it is only a name that looks
 * like an address.
 */
static int
at_sign(struct buf *out, struct reading *r)
{
	size_t	i;

	r->in.p++;
	domain(r, ",;<>@:\"");
	skip(r);
	if (!cur_done(&r->in) && *r->in.p == '<') {
		text_add(&r->name, '@');
		for (i = 0; i < r->domain.n; i++)
			text_add(&r->name, r->domain.p[i]);
		r->domain.n = 0;
		return 0;
	}
	r->name.n = r->name_end;
	return put_address(out, r);
}

static int
step(struct buf *out, struct reading *r)
{
	switch (*r->in.p) {
	case ',':
		r->in.p++;
		return put_words(out, r);
	case ';':
		r->in.p++;
		return put_words(out, r) == -1 ? -1 : end_group(out, r);
	case ':':
		return begin_group(out, r);
	case '<':
		angle(r);
		return put_address(out, r);
	case '@':
		return at_sign(out, r);
	case '>':
		r->in.p++;
		return 0;
	case '"':
		quoted_word(r);
		return 0;
	default:
		word(r);
		return 0;
	}
}

/* A group ends with its field. */
static int
put_field(struct buf *out, struct reading *r, struct str body)
{
	r->in = cur_from(body);
	forget(r);
	for (skip(r); !cur_done(&r->in); skip(r))
		if (step(out, r) == -1)
			return -1;
	return put_words(out, r) == -1 ? -1 : end_group(out, r);
}

int
structure_put_addresses(struct buf *out, const struct structure_field *f)
{
	struct header_field	field;
	struct cur		c = f->rest;
	struct reading		r;

	if (f->body.p == NULL)
		return buf_adds(out, "NIL");
	r.in_group = r.some = false;
	if (put_field(out, &r, f->body) == -1)
		return -1;
	while (f->again && header_next_any(&c, &field))
		if (str_eq_nocase(field.name, f->name) &&
		    put_field(out, &r, header_trim(field.body)) == -1)
			return -1;
	return r.some ? buf_addc(out, ')') : buf_adds(out, "NIL");
}
