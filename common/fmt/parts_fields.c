/*
 * common/fmt/parts_fields.c - what a header says of its part (RFC 2045, 2183, 1864, 3282, 2557); pure. Of a field that is
 * there more than once the first counts, but for its disposition. People's mail has every mistake there can be: what can be understood counts.
 */
#include <string.h>

#include "common/fmt/cur.h"
#include "common/fmt/header.h"
#include "common/fmt/parts_impl.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 2045 5.1, and 8-bit bytes. */
static bool
is_token(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f &&
	    memchr("()<>@,;:\\\"/[]?=", c, 15) == NULL;
}

static bool
token(struct cur *c, struct str *out)
{
	out->p = c->p;
	while (!cur_done(c) && is_token(*c->p))
		c->p++;
	out->n = (size_t)(c->p - out->p);
	return out->n > 0;
}

/* Behind its first quote; to behind its last one, or to the end. The view is what is between, as it stands. */
static struct str
quoted(struct cur *c)
{
	struct str	s = { c->p, 0 };

	while (!cur_done(c) && *c->p != '"')
		c->p += *c->p == '\\' && cur_left(c) > 1 ? 2 : 1;
	s.n = (size_t)(c->p - s.p);
	(void)cur_byte(c, '"');
	return s;
}

/* What is in quotes, without folding and backslashes. */
static int
unquote(struct arena *a, struct str s, struct str *out)
{
	char	*to;
	size_t	 i, n = 0;

	if ((to = arena_get(a, s.n + 1)) == NULL)
		return -1;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\r' || s.p[i] == '\n')
			continue;
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		to[n++] = s.p[i];
	}
	*out = (struct str){ to, n };
	return 0;
}

/*
 * Without quotes many write what would have to be in quotes (boundary=a/b:c): to the next blank or semicolon.
 */
static struct str
unquoted(struct cur *c)
{
	struct str	s = { c->p, 0 };

	while (!cur_done(c) && !is_blank(*c->p) && *c->p != ';' &&
	    *c->p != '(' && *c->p != '"')
		c->p++;
	s.n = (size_t)(c->p - s.p);
	return s;
}

static void
skip_to_semicolon(struct cur *c)
{
	while (!cur_done(c) && *c->p != ';') {
		if (cur_byte(c, '"'))
			quoted(c);
		else if (*c->p == '(')
			header_skip_comment(c);
		else
			c->p++;
	}
}

/* Behind its semicolon. 1: there is one. */
static int
param(struct arena *a, struct cur *c, struct part_param *out)
{
	struct str	name, value;
	int		r;

	header_skip_cfws(c);
	if (!token(c, &name))
		return 0;
	header_skip_cfws(c);
	if (!cur_byte(c, '='))
		return 0;
	header_skip_cfws(c);
	if (cur_byte(c, '"'))
		r = unquote(a, quoted(c), &out->value);
	else if ((value = unquoted(c)).n == 0)
		return 0;
	else
		r = arena_dup(a, value, &out->value);
	return r == -1 || arena_dup(a, name, &out->name) == -1 ? -1 : 1;
}

static int
params(struct arena *a, struct cur *c, struct part_param **out)
{
	struct part_param	 one, *new;
	unsigned		 n = 0;
	int			 r;

	for (skip_to_semicolon(c); n < PARTS_PARAMS_MAX && cur_byte(c, ';');
	    skip_to_semicolon(c)) {
		if ((r = param(a, c, &one)) == -1)
			return -1;
		if (r == 0)
			continue;
		if ((new = arena_get(a, sizeof(*new))) == NULL)
			return -1;
		*new = (struct part_param){ one.name, one.value, NULL };
		*out = new;
		out = &new->next;
		n++;
	}
	return 0;
}

/* One that is not well-formed is as if it were not there (RFC 2045 5.2). */
static int
content_type(struct arena *a, struct str body, struct part_fields *f)
{
	struct cur	c = cur_from(body);
	struct str	type, subtype;

	header_skip_cfws(&c);
	if (!token(&c, &type))
		return 0;
	header_skip_cfws(&c);
	if (!cur_byte(&c, '/'))
		return 0;
	header_skip_cfws(&c);
	if (!token(&c, &subtype))
		return 0;
	if (arena_dup(a, type, &f->type) == -1 ||
	    arena_dup(a, subtype, &f->subtype) == -1)
		return -1;
	return params(a, &c, &f->params);
}

/* Some write it in quotes, and mean the same. */
static bool
token_or_quoted(struct cur *c, struct str *out)
{
	struct cur	in;

	if (!cur_byte(c, '"'))
		return token(c, out);
	in = cur_from(quoted(c));
	return token(&in, out) && cur_done(&in);
}

static int
disposition(struct arena *a, struct str body, struct part_fields *f)
{
	struct cur	c = cur_from(body);
	struct str	word;

	header_skip_cfws(&c);
	if (!token_or_quoted(&c, &word))
		return 0;
	if (arena_dup(a, word, &f->disposition) == -1)
		return -1;
	f->disposition_params = NULL;
	return params(a, &c, &f->disposition_params);
}

/* "quoted printable", "text/html": what cannot be an encoding is as if it were not there. */
static int
encoding(struct arena *a, struct str body, struct part_fields *f)
{
	struct cur	c = cur_from(body);
	struct str	word;

	header_skip_cfws(&c);
	if (!token(&c, &word))
		return 0;
	header_skip_cfws(&c);
	if (!cur_done(&c) && *c.p != ';' && mime_encoding(word) == MIME_UNKNOWN)
		return 0;
	return arena_dup(a, word, &f->encoding);
}

static int
languages(struct arena *a, struct str body, struct part_fields *f)
{
	struct cur	c = cur_from(body);
	struct str	word;

	for (; !cur_done(&c) && f->nlanguages < nitems(f->languages);
	    c.p += !cur_done(&c)) {
		header_skip_cfws(&c);
		if (token(&c, &word) && arena_dup(a, word,
		    &f->languages[f->nlanguages++]) == -1)
			return -1;
		while (!cur_done(&c) && *c.p != ',')
			c.p++;
	}
	return 0;
}

/* Without folding and outer blanks. */
static int
text(struct arena *a, struct str body, struct str *out)
{
	char	*to;
	size_t	 i, n = 0;

	body = header_trim(body);
	if ((to = arena_get(a, body.n + 1)) == NULL)
		return -1;
	for (i = 0; i < body.n; i++)
		if (body.p[i] != '\r' && body.p[i] != '\n')
			to[n++] = body.p[i];
	*out = (struct str){ to, n };
	return 0;
}

static int
field(struct arena *a, struct str name, struct str body, struct part_fields *f,
    unsigned *seen)
{
	static const struct {
		const char	*name;
		int		(*read)(struct arena *, struct str,
				    struct part_fields *);
		size_t		 at;	/* of a text */
	} fields[] = {
		{ "type", content_type, 0 },
		{ "disposition", disposition, 0 },
		{ "transfer-encoding", encoding, 0 },
		{ "language", languages, 0 },
		{ "id", NULL, offsetof(struct part_fields, id) },
		{ "description", NULL,
		    offsetof(struct part_fields, description) },
		{ "md5", NULL, offsetof(struct part_fields, md5) },
		{ "location", NULL, offsetof(struct part_fields, location) },
	};
	size_t	i;

	for (i = 0; i < nitems(fields); i++)
		if (str_eq_nocase(name, str_from(fields[i].name)))
			break;
	/* of a disposition the last, as with Dovecot */
	if (i == nitems(fields) || ((*seen & 1u << i) != 0 &&
	    fields[i].read != disposition))
		return 0;
	*seen |= 1u << i;
	if (fields[i].read != NULL)
		return fields[i].read(a, body, f);
	return text(a, body, (struct str *)(void *)((char *)f + fields[i].at));
}

int
parts_fields_read(struct arena *a, struct str header, struct part_fields *f)
{
	const struct str	content = STR("Content-");
	struct header_field	h;
	struct cur		c = cur_from(header);
	unsigned		seen = 0;

	while (header_next_any(&c, &h))
		if (str_starts_nocase(h.name, content) && field(a,
		    (struct str){ h.name.p + content.n, h.name.n - content.n },
		    h.body, f, &seen) == -1)
			return -1;
	return 0;
}

/* "name*3" or "name*3*" (RFC 2231 3): is it that piece of that name? */
static bool
is_piece(struct str s, struct str name, unsigned number)
{
	struct str		rest;
	unsigned long long	v;

	if (!str_starts_nocase(s, name) || s.n <= name.n + 1 ||
	    s.p[name.n] != '*')
		return false;
	rest = (struct str){ s.p + name.n + 1, s.n - name.n - 1 };
	if (rest.n > 1 && rest.p[rest.n - 1] == '*')
		rest.n--;
	return str_number(rest, PARTS_PARAMS_MAX, &v) == 0 && v == number;
}

static const struct part_param *
find(const struct part_param *p, struct str name, int piece)
{
	for (; p != NULL; p = p->next)
		if (piece < 0 ? str_eq_nocase(p->name, name) :
		    is_piece(p->name, name, (unsigned)piece))
			return p;
	return NULL;
}

int
parts_fields_param(struct arena *a, const struct part_param *list,
    struct str name, size_t max, struct str *out)
{
	const struct part_param	*p;
	size_t			 n;
	char			*to;
	int			 piece;

	*out = (struct str){ "", 0 };
	if ((p = find(list, name, -1)) != NULL) {
		*out = p->value;
		if (out->n > max)
			out->n = max;
		return 0;
	}
	if ((p = find(list, name, 0)) == NULL)
		return 0;
	if ((to = arena_get(a, max)) == NULL)
		return -1;
	for (piece = 0; p != NULL; p = find(list, name, ++piece)) {
		n = p->value.n < max - out->n ? p->value.n : max - out->n;
		memcpy(to + out->n, p->value.p, n);
		out->n += n;
	}
	out->p = to;
	return 0;
}
