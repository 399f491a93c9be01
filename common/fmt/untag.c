/*
 * common/fmt/untag.c - HTML without its tags, for a preview; pure. No parser of HTML: what a reader would see of sensible
 * HTML, and something of any other.
 */
#include <string.h>

#include "common/fmt/decode.h"
#include "common/fmt/untag_entities.h"
#include "common/fmt/utf8.h"

enum untag_state {
	TEXT,
	OPEN,		/* "<" has come */
	NAME,		/* of a tag */
	INSIDE,		/* behind its name */
	SINGLE, DOUBLE,	/* in quotes there */
	DECLARATION,	/* "<!..." or "<?..." */
	COMMENT,	/* "<!--" */
	ENTITY		/* "&" has come */
};

/* Elements whose content is not read: u->skip is 1 + the number. */
static const char *const unread[] = {
	"script", "style", "head", "title", "template", "noframes"
};

/* Elements that do not end a word. */
static const char *const inline_tags[] = {
	"a", "abbr", "acronym", "b", "big", "bdi", "bdo", "cite", "code",
	"del", "dfn", "em", "font", "i", "ins", "kbd", "label", "mark", "o:p",
	"q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
	"tt", "u", "var", "wbr"
};

void
untag_begin(struct untag *u)
{
	*u = (struct untag){ .state = TEXT };
}

static bool
name_is(const struct untag *u, const char *name)
{
	size_t	n = strlen(name);
	bool	end = u->nname > 0 && u->name[0] == '/';

	return u->nname == n + end && memcmp(u->name + end, name, n) == 0;
}

static void
name_add(struct untag *u, char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (char)(c + 0x20);
	if (u->nname < sizeof(u->name))
		u->name[u->nname] = c;
	if (u->nname <= sizeof(u->name))
		u->nname++;	/* one too many: a name that is none of ours */
}

static bool
is_inline(const struct untag *u)
{
	size_t	i;

	for (i = 0; i < nitems(inline_tags); i++)
		if (name_is(u, inline_tags[i]))
			return true;
	return false;
}

/* A tag is over. */
static int
tag(struct untag *u, struct buf *out)
{
	bool	end = u->nname > 0 && u->name[0] == '/';
	size_t	i;

	u->state = TEXT;
	for (i = 0; i < nitems(unread); i++) {
		if (!name_is(u, unread[i]))
			continue;
		if (u->skip == 0 && !end)
			u->skip = (unsigned)i + 1;
		else if (u->skip == i + 1 && end)
			u->skip = 0;
		break;
	}
	/* a head that is not ended ends where the body begins */
	if (!end && name_is(u, "body"))
		u->skip = 0;
	if (u->skip != 0 || is_inline(u))
		return 0;
	return buf_addc(out, ' ');
}

/* In a script nothing but its end is a tag. */
static bool
is_tag(const struct untag *u, char c)
{
	if (u->skip == 1 || u->skip == 2)
		return c == '/';
	return c == '/' || c == '!' || c == '?' || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

static int
open_tag(struct untag *u, char c, struct buf *out)
{
	if (!is_tag(u, c)) {
		u->state = TEXT;
		if (u->skip != 0)
			return 0;
		buf_addc(out, '<');
		return buf_addc(out, c);
	}
	u->nname = 0;
	u->state = c == '!' || c == '?' ? DECLARATION : NAME;
	if (u->state == NAME)
		name_add(u, c);
	return 0;
}

static int
inside(struct untag *u, char c, struct buf *out)
{
	if (c == '>')
		return tag(u, out);
	u->state = c == '"' ? DOUBLE : c == '\'' ? SINGLE : INSIDE;
	return 0;
}

static int
in_name(struct untag *u, char c, struct buf *out)
{
	if (c == '>' || c == ' ' || c == '\t' || c == '\r' || c == '\n' ||
	    (c == '/' && u->nname > 0))
		return inside(u, c, out);
	name_add(u, c);
	return 0;
}

/* Up to ">", or as a comment up to "-->". u->name has what came last. */
static void
declaration(struct untag *u, char c)
{
	if (u->state == DECLARATION) {
		name_add(u, c);
		if (u->nname == 2 && u->name[0] == '-' && u->name[1] == '-') {
			u->state = COMMENT;
			u->nname = 0;
		} else if (c == '>') {
			u->state = TEXT;
		}
		return;
	}
	if (c == '>' && u->nname >= 2)
		u->state = TEXT;
	u->nname = c == '-' ? u->nname + (u->nname < 2) : 0;
}

/* "amp", "#228" or "#xe4"; 0: there is no such character. */
static uint32_t
entity(const char *p, size_t n)
{
	uint32_t	c = 0;
	size_t		i;
	bool		is_hex = n > 1 && (p[1] | 0x20) == 'x';
	char		digit;

	if (n == 0 || p[0] != '#') {
		for (i = 0; i < nitems(untag_entities); i++)
			if (strlen(untag_entities[i].name) == n &&
			    memcmp(untag_entities[i].name, p, n) == 0)
				return untag_entities[i].point;
		return 0;
	}
	if (n < (is_hex ? 3 : 2))
		return 0;
	for (i = is_hex ? 2 : 1; i < n; i++) {
		digit = (char)(p[i] | 0x20);
		if (p[i] >= '0' && p[i] <= '9')
			c = c * (is_hex ? 16 : 10) + (uint32_t)(p[i] - '0');
		else if (is_hex && digit >= 'a' && digit <= 'f')
			c = c * 16 + (uint32_t)(digit - 'a') + 10;
		else
			return 0;
		if (c > 0x10ffff)
			return 0;
	}
	return c < 0x20 ? ' ' : c;
}

/* What came behind "&" is over. */
static int
entity_end(struct untag *u, bool semicolon, struct buf *out)
{
	uint32_t	c = u->nname <= sizeof(u->name) ?
			    entity(u->name, u->nname) : 0;
	size_t		n = u->nname < sizeof(u->name) ? u->nname :
			    sizeof(u->name);

	u->state = TEXT;
	if (u->skip != 0)
		return 0;
	if (c != 0 && utf8_put(out, c))
		return buf_ok(out) ? 0 : -1;
	buf_addc(out, '&');
	buf_add(out, u->name, n);
	if (semicolon)
		buf_addc(out, ';');
	return buf_ok(out) ? 0 : -1;
}

static bool
is_entity(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '#';
}

/* A byte that is not text, or ends it. */
static int
mark(struct untag *u, char c, struct buf *out)
{
	switch ((enum untag_state)u->state) {
	case TEXT:
		u->state = c == '<' ? OPEN : ENTITY;
		u->nname = 0;
		return 0;
	case OPEN:
		return open_tag(u, c, out);
	case NAME:
		return in_name(u, c, out);
	case INSIDE:
		return inside(u, c, out);
	case SINGLE:
	case DOUBLE:
		if (c == (u->state == DOUBLE ? '"' : '\''))
			u->state = INSIDE;
		return 0;
	case DECLARATION:
	case COMMENT:
		declaration(u, c);
		return 0;
	case ENTITY:
		if (is_entity(c) && u->nname < sizeof(u->name)) {
			u->name[u->nname++] = c;
			return 0;
		}
		if (entity_end(u, c == ';', out) == -1)
			return -1;
		if (c == '<' || c == '&')
			return mark(u, c, out);
		if (c == ';' || u->skip != 0)
			return 0;
		return buf_addc(out, c);
	}
	return 0;
}

int
untag_feed(struct untag *u, struct str s, struct buf *out)
{
	size_t	n;

	while (s.n > 0) {
		n = 0;
		while (u->state == TEXT && n < s.n && s.p[n] != '<' &&
		    s.p[n] != '&')
			n++;
		if (n > 0 && u->skip == 0 && buf_add(out, s.p, n) == -1)
			return -1;
		if (n == 0) {
			if (mark(u, s.p[0], out) == -1)
				return -1;
			n = 1;
		}
		s.p += n;
		s.n -= n;
	}
	return 0;
}
