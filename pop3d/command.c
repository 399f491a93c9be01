/* pop3d/command.c - one command line of POP3; pure, the client is hostile. */
#include "pop3d/command.h"

#include "common/base/attr.h"
#include "common/fmt/cur.h"

#define VERB_MAX	16

enum { ARGS_TEXT = 9, ARGS_TEXT_OR_NONE };

static const struct {
	const char	*name;
	unsigned	 least, most;	/* numbers; or ARGS_ */
} verbs[] = {
	[VERB_CAPA] = { "CAPA", 0, 0 },
	[VERB_USER] = { "USER", ARGS_TEXT, ARGS_TEXT },
	[VERB_PASS] = { "PASS", ARGS_TEXT, ARGS_TEXT },
	[VERB_QUIT] = { "QUIT", 0, 0 },
	[VERB_STAT] = { "STAT", 0, 0 },
	[VERB_LIST] = { "LIST", 0, 1 },
	[VERB_RETR] = { "RETR", 1, 1 },
	[VERB_DELE] = { "DELE", 1, 1 },
	[VERB_NOOP] = { "NOOP", 0, 0 },
	[VERB_RSET] = { "RSET", 0, 0 },
	[VERB_TOP] = { "TOP", 2, 2 },
	[VERB_UIDL] = { "UIDL", 0, 1 },
	[VERB_STLS] = { "STLS", 0, 0 },
	[VERB_AUTH] = { "AUTH", ARGS_TEXT_OR_NONE, ARGS_TEXT_OR_NONE },
	[VERB_UTF8] = { "UTF8", 0, 0 },
	[VERB_LANG] = { "LANG", ARGS_TEXT_OR_NONE, ARGS_TEXT_OR_NONE },
};

static bool
verb_find(struct str name, enum verb *out)
{
	size_t	i;

	for (i = 0; i < nitems(verbs); i++)
		if (str_eq_nocase(name, str_from(verbs[i].name))) {
			*out = (enum verb)i;
			return true;
		}
	return false;
}

static bool
number(struct cur *in, uint64_t *out)
{
	unsigned long long	v;
	struct str		digits;

	if (!cur_span(in, is_digit, cur_left(in) + 1, &digits))
		return false;
	*out = str_number(digits, UINT64_MAX, &v) == 0 ? v : UINT64_MAX;
	return true;
}

static bool
numbers(struct cur *in, unsigned least, unsigned most, struct command *c)
{
	bool	blank;

	for (;;) {
		blank = false;
		while (cur_byte(in, ' '))
			blank = true;
		if (cur_done(in))
			return c->n >= least;
		if (!blank || c->n == most || !number(in, &c->number[c->n]))
			return false;
		c->n++;
	}
}

enum command_status
command_parse(struct str line, struct command *c)
{
	struct cur	in = cur_from(line);
	struct str	name;

	*c = (struct command){ .text = { line.p + line.n, 0 } };
	if (!cur_span(&in, is_alnum, VERB_MAX, &name) ||
	    !verb_find(name, &c->verb) ||
	    (!cur_done(&in) && cur_peek(&in) != ' '))
		return COMMAND_UNKNOWN;
	if (verbs[c->verb].most < ARGS_TEXT)
		return numbers(&in, verbs[c->verb].least, verbs[c->verb].most,
		    c) ? COMMAND_OK : COMMAND_SYNTAX;
	if (verbs[c->verb].most == ARGS_TEXT_OR_NONE &&
	    str_trim(cur_rest(&in)).n == 0)
		return COMMAND_OK;
	/* RFC 1939, 7: a password may hold blanks, also as its first or last */
	if (!cur_byte(&in, ' ') || cur_done(&in))
		return COMMAND_SYNTAX;
	c->text = cur_rest(&in);
	return COMMAND_OK;
}
