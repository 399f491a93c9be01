/* common/fmt/aliases.c - the syntax of aliases(5) files; pure. */
#include "common/fmt/aliases.h"

#include <string.h>

#define TARGET_MAX	2048

/* One physical line without its end; false at the end of the text. */
static bool
take_line(struct cur *c, struct str *out)
{
	if (cur_done(c))
		return false;
	if (!cur_until(c, '\n', out)) {
		*out = cur_rest(c);
		c->p = c->end;
	}
	if (out->n > 0 && out->p[out->n - 1] == '\r')
		out->n--;
	return true;
}

/* Only blanks, or a comment from its first character on. */
static bool
is_blank(struct str line)
{
	struct str	t = str_trim(line);

	return t.n == 0 || t.p[0] == '#';
}

static bool
is_continuation(const struct cur *c)
{
	return !cur_done(c) && is_wsp((unsigned char)*c->p);
}

/* "quoted \" text" into scratch; the cursor stands at the first quote. */
static bool
unquote(struct cur *c, struct buf *scratch, size_t *from)
{
	*from = scratch->n;
	if (!cur_byte(c, '"'))
		return false;
	while (!cur_done(c) && *c->p != '"') {
		if (*c->p == '\\' && cur_left(c) > 1)
			c->p++;
		if (buf_addc(scratch, *c->p++) == -1)
			return false;
	}
	return cur_byte(c, '"');
}

static bool
is_name(unsigned char c)
{
	return c > ' ' && c != ':' && c != ',' && c != '"' && c != 127;
}

/* Name and colon; the targets follow. */
static bool
parse_name(struct cur *c, struct buf *scratch, struct str *name,
    const char **what)
{
	size_t	from;

	*what = "expected a name and a colon";
	if (cur_peek(c) == '"') {
		if (!unquote(c, scratch, &from)) {
			*what = "the quoted name has no end";
			return false;
		}
		name->p = scratch->p == NULL ? "" : scratch->p + from;
		name->n = scratch->n - from;
		if (name->n == 0) {
			*what = "the name is empty";
			return false;
		}
	} else if (!cur_span(c, is_name, TARGET_MAX, name))
		return false;
	cur_skip_wsp(c);
	return cur_byte(c, ':');
}

/* All lines that belong to the entry, joined by view: they are one piece. */
static void
take_continuations(struct cur *c, unsigned *line, struct str *targets)
{
	struct str	more;

	while (is_continuation(c) && take_line(c, &more)) {
		++*line;
		targets->n = (size_t)(more.p + more.n - targets->p);
	}
}

enum alias_result
alias_next(struct cur *in, unsigned *line, struct alias_entry *out,
    struct buf *scratch, const char **what, unsigned *col)
{
	struct str	text;
	struct cur	c;

	do {
		if (!take_line(in, &text))
			return ALIAS_END;
		++*line;
	} while (is_blank(text));
	*out = (struct alias_entry){ { "", 0 }, { "", 0 }, *line - 1 };
	*col = 1;
	if (is_wsp((unsigned char)text.p[0])) {
		*what = "a continuation line without an entry before it";
		return ALIAS_BAD;
	}
	c = cur_from(text);
	if (!parse_name(&c, scratch, &out->name, what)) {
		*col = (unsigned)(c.p - text.p) + 1;
		take_continuations(in, line, &text);
		return ALIAS_BAD;
	}
	out->targets = cur_rest(&c);
	take_continuations(in, line, &out->targets);
	return ALIAS_ENTRY;
}

static bool
is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Blanks, commas and line ends between targets, comment lines too. */
static void
skip_between(struct cur *c, const char *begin)
{
	struct str	comment;

	while (!cur_done(c)) {
		if (*c->p == '#' && (c->p == begin || c->p[-1] == '\n' ||
		    is_wsp((unsigned char)c->p[-1])))
			(void)take_line(c, &comment);
		else if (is_space(*c->p) || *c->p == ',')
			c->p++;
		else
			break;
	}
}

/*
 * Up to the next comma or line end, with quotes taken off where they are. A
 * |command and a :include: path may hold blanks only inside quotes.
 */
static bool
take_target(struct cur *c, struct buf *scratch, struct str *out)
{
	size_t	from = scratch->n, part;

	while (!cur_done(c) && *c->p != ',' && *c->p != '\n') {
		if (*c->p == '"') {
			if (!unquote(c, scratch, &part))
				return false;
		} else if (buf_addc(scratch, *c->p++) == -1)
			return false;
		if (scratch->n - from > TARGET_MAX)
			return false;
	}
	out->p = scratch->p == NULL ? "" : scratch->p + from;
	out->n = scratch->n - from;
	while (out->n > 0 && is_space(out->p[out->n - 1]))
		out->n--;
	return true;
}

static struct str
without(struct str s, size_t n)
{
	s.p += n;
	s.n -= n;
	return str_trim(s);
}

bool
alias_target_next(struct cur *in, struct buf *scratch, struct alias_target *out)
{
	struct str	t;

	skip_between(in, in->p);
	if (cur_done(in))
		return false;
	out->kind = ALIAS_ERROR;
	out->text = cur_rest(in);
	if (!take_target(in, scratch, &t)) {
		in->p = in->end;
		return true;
	}
	out->text = t;
	if (t.n == 0 || memchr(t.p, '\0', t.n) != NULL)
		return true;
	if (t.p[0] == '|') {
		out->text = without(t, 1);
		out->kind = out->text.n > 0 ? ALIAS_PIPE : ALIAS_ERROR;
	} else if (str_starts_nocase(t, STR(":include:"))) {
		out->text = without(t, sizeof(":include:") - 1);
		out->kind = out->text.n > 0 && out->text.p[0] == '/' ?
		    ALIAS_INCLUDE : ALIAS_ERROR;
	} else if (t.p[0] == '/') {
		out->kind = ALIAS_FILE;
	} else {
		out->kind = t.p[0] == ':' ? ALIAS_ERROR : ALIAS_ADDRESS;
	}
	return true;
}
