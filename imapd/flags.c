/* imapd/flags.c - flag lists in (RFC 3501 9: flag-list). */
#include "imapd/flags.h"

#include "common/base/attr.h"

#define FLAGS_MAX	1000

static const struct {
	struct str	name;
	uint16_t	bit;
} system_flags[] = {
	{ { "\\Answered", 9 }, VIEW_ANSWERED },
	{ { "\\Flagged", 8 }, VIEW_FLAGGED },
	{ { "\\Deleted", 8 }, VIEW_DELETED },
	{ { "\\Seen", 5 }, VIEW_SEEN },
	{ { "\\Draft", 6 }, VIEW_DRAFT },
};

static bool
system_flag(struct str name, struct flag_list *out)
{
	size_t	i;

	for (i = 0; i < nitems(system_flags); i++)
		if (str_eq_nocase(name, system_flags[i].name)) {
			out->flags |= system_flags[i].bit;
			return true;
		}
	return false;
}

static bool
take(struct command *c, struct cur *in, struct flag_list *out)
{
	struct str	name;

	if (!imap_flag(in, &name)) {
		command_bad(c, "a flag was expected");
		return false;
	}
	if (name.p[0] == '\\') {
		if (system_flag(name, out))
			return true;
		command_bad(c, "that flag cannot be set");
		return false;
	}
	if (name.n > VIEW_KEYWORD_MAX || out->n == FLAGS_MAX) {
		command_no(c, "LIMIT", "a keyword that is too long, or one "
		    "too many");
		return false;
	}
	out->keywords[out->n++] = name;
	return true;
}

bool
flag_list(struct session *s, struct command *c, struct cur *in, bool bare,
    struct flag_list *out)
{
	bool	in_list = cur_byte(in, '(');

	*out = (struct flag_list){ .flags = 0 };
	if (!in_list && !bare) {
		command_bad(c, "a list of flags was expected");
		return false;
	}
	out->keywords = arena_get(&s->memory,
	    FLAGS_MAX * sizeof(*out->keywords));
	if (out->keywords == NULL) {
		command_failed(s, c, "read the flags");
		return false;
	}
	if (in_list && cur_byte(in, ')'))
		return true;
	do
		if (!take(c, in, out))
			return false;
	while (imap_sp(in));
	if (!in_list || cur_byte(in, ')'))
		return true;
	command_bad(c, "the list of flags has no end");
	return false;
}
