/* common/fmt/header.c - fields of a message header (RFC 5322 2.2); pure. */
#include "common/fmt/header.h"

#include <string.h>

/* ftext: any visible ASCII character but the colon (3.6.8). */
static bool
is_ftext(unsigned char c)
{
	return is_vchar(c) && c != ':';
}

/* To the end of the line, LF included; false if there is none (all taken). */
static bool
skip_line(struct cur *c)
{
	const char	*lf;

	lf = cur_done(c) ? NULL : memchr(c->p, '\n', cur_left(c));
	c->p = lf == NULL ? c->end : lf + 1;
	return lf != NULL;
}

static struct str
without_eol(const char *from, const char *to)
{
	if (to > from && to[-1] == '\n')
		to--;
	if (to > from && to[-1] == '\r')
		to--;
	return (struct str){ from, (size_t)(to - from) };
}

bool
header_next(struct cur *in, struct header_field *out)
{
	struct cur		c = *in;
	struct header_field	f;
	const char		*body;

	if (cur_byte(&c, '\n') || cur_word(&c, STR("\r\n"))) {
		*in = c;
		return false;
	}
	if (!cur_span(&c, is_ftext, cur_left(&c), &f.name))
		return false;
	cur_skip_wsp(&c);		/* obs-optional, 4.5 */
	if (!cur_byte(&c, ':'))
		return false;
	body = c.p;
	while (skip_line(&c) && !cur_done(&c) && is_wsp((unsigned char)*c.p))
		;
	f.body = without_eol(body, c.p);
	f.raw.p = in->p;
	f.raw.n = (size_t)(c.p - in->p);
	*in = c;
	*out = f;
	return true;
}

/* Blanks in a name are in no field that means anything; those around it are not its own. */
static bool
split_field(struct str raw, struct header_field *f)
{
	const char	*colon = memchr(raw.p, ':', raw.n);
	const char	*lf = memchr(raw.p, '\n', raw.n);

	if (colon == NULL || colon == raw.p || (lf != NULL && lf < colon) ||
	    is_wsp((unsigned char)*raw.p))
		return false;
	f->raw = raw;
	f->name = str_trim((struct str){ raw.p, (size_t)(colon - raw.p) });
	f->body = without_eol(colon + 1, raw.p + raw.n);
	return true;
}

bool
header_next_any(struct cur *c, struct header_field *out)
{
	const char	*from;

	while (!cur_done(c)) {
		from = c->p;
		if (cur_byte(c, '\n'))
			return false;
		if (*c->p == '\r' && cur_word(c, STR("\r\n")))
			return false;
		while (skip_line(c) && !cur_done(c) &&
		    (*c->p == ' ' || *c->p == '\t'))
			;
		if (split_field((struct str){ from, (size_t)(c->p - from) },
		    out))
			return true;
	}
	return false;
}

bool
header_find(struct str head, const char *name, struct header_field *out)
{
	struct cur		c = cur_from(head);
	struct header_field	f;

	while (header_next(&c, &f))
		if (str_eq_nocase(f.name, str_from(name))) {
			*out = f;
			return true;
		}
	return false;
}

size_t
header_count(struct str head, const char *name)
{
	struct cur		c = cur_from(head);
	struct header_field	f;
	size_t			n = 0;

	while (header_next(&c, &f))
		n += str_eq_nocase(f.name, str_from(name));
	return n;
}

static bool
is_outer(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
header_trim(struct str body)
{
	while (body.n > 0 && is_outer(body.p[0])) {
		body.p++;
		body.n--;
	}
	while (body.n > 0 && is_outer(body.p[body.n - 1]))
		body.n--;
	return body;
}

int
header_unfold(struct str body, struct buf *b)
{
	size_t	i;

	body = header_trim(body);
	for (i = 0; i < body.n; i++)
		if (body.p[i] != '\r' && body.p[i] != '\n' &&
		    buf_addc(b, body.p[i]) == -1)
			return -1;
	return 0;
}

size_t
header_length(struct str msg)
{
	struct cur	c = cur_from(msg);

	while (!cur_done(&c)) {
		if (cur_byte(&c, '\n') || cur_word(&c, STR("\r\n")))
			return (size_t)(c.p - msg.p);
		if (!skip_line(&c))
			break;
	}
	return msg.n;
}

void
header_skip_comment(struct cur *c)
{
	size_t	depth = 0;

	while (!cur_done(c)) {
		if (*c->p == '\\' && cur_left(c) > 1)
			c->p++;
		else if (*c->p == '(')
			depth++;
		else if (*c->p == ')')
			depth--;
		c->p++;
		if (depth == 0)
			return;
	}
}

void
header_skip_cfws(struct cur *c)
{
	while (!cur_done(c)) {
		if (*c->p == '(')
			header_skip_comment(c);
		else if (is_wsp((unsigned char)*c->p) || *c->p == '\r' ||
		    *c->p == '\n')
			c->p++;
		else
			return;
	}
}
