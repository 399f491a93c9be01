/* imapd/incoming.c - the arguments of a command, literal by literal. */
#include "imapd/incoming.h"

#include <string.h>

#include "imapd/reader.h"

static void
set_text(struct incoming *i, struct str text)
{
	i->open = imap_literal_at_end(&text, &i->literal);
	i->in = cur_from(text);
}

void
incoming_begin(struct incoming *i, struct session *s, struct command *c)
{
	struct str	text = cur_rest(&c->args);

	*i = (struct incoming){ .s = s, .c = c, .in = c->args };
	buf_init(&i->line, (size_t)s->set->imap.command_max);
	if (c->literal_open)
		set_text(i, text);
}

static enum reader_status
next_line(struct incoming *i)
{
	enum reader_status	r;

	i->open = false;
	i->in = cur_from(STR(""));
	if ((r = reader_more(i->s, &i->line)) == READER_OK)
		set_text(i, buf_view(&i->line));
	return r;
}

bool
incoming_more(struct incoming *i)
{
	enum reader_status	r = next_line(i);

	if (r == READER_BAD)
		command_bad(i->c, "the line is too long, or has control "
		    "characters");
	return r == READER_OK;
}

static bool
take_literal(struct incoming *i, size_t max, struct str *out)
{
	uint64_t	 left = i->literal.n;
	struct str	 piece;
	char		*p;
	size_t		 n = 0;

	if (left > max) {
		command_bad(i->c, "the literal is too long here");
		return false;
	}
	if ((p = arena_get(&i->s->memory, max + 1)) == NULL) {
		command_failed(i->s, i->c, "read a string");
		return false;
	}
	if (reader_literal_begin(i->s, &i->literal) == -1)
		return false;
	while (left > 0) {
		if (reader_literal_some(i->s, &left, &piece) == -1)
			return false;
		memcpy(p + n, piece.p, piece.n);
		n += piece.n;
	}
	*out = (struct str){ p, n };
	if (!incoming_more(i))
		return false;
	if (memchr(p, '\0', n + 1) == p + n)
		return true;
	command_bad(i->c, "a NUL byte in a string");
	return false;
}

bool
incoming_astring(struct incoming *i, size_t max, struct str *out)
{
	if (cur_done(&i->in) && i->open)
		return take_literal(i, max, out);
	if (!imap_astring(&i->in, &i->s->memory, out) || out->n > max) {
		command_bad(i->c, "a string was expected");
		return false;
	}
	if (arena_dup(&i->s->memory, *out, out) == 0)
		return true;
	command_failed(i->s, i->c, "read a string");
	return false;
}

bool
incoming_done(struct incoming *i)
{
	if (cur_done(&i->in) && !i->open)
		return true;
	command_bad(i->c, "wrong arguments");
	return false;
}

void
incoming_end(struct incoming *i)
{
	/* a literal that waits to be asked for never comes */
	while (i->s->end == NULL && i->open && i->literal.plus)
		if (reader_literal_skip(i->s, i->literal.n) == -1 ||
		    next_line(i) != READER_OK)
			break;
	buf_free(&i->line);
}
