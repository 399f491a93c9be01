/* imapd/use.c - special uses by their names; pure. */
#include "common/base/attr.h"
#include "common/fmt/imap.h"
#include "imapd/use.h"

static const struct use {
	char		 letter;
	const char	*name;
} uses[] = {
	{ 'a', "\\All" }, { 'A', "\\Archive" }, { 'D', "\\Drafts" },
	{ 'F', "\\Flagged" }, { 'J', "\\Junk" }, { 'S', "\\Sent" },
	{ 'T', "\\Trash" }, { 'I', "\\Important" },
};

const char *
use_name(char letter)
{
	size_t	i;

	for (i = 0; i < nitems(uses); i++)
		if (uses[i].letter == letter)
			return uses[i].name;
	return NULL;
}

bool
use_letter(struct str name, char *letter)
{
	size_t	i;

	for (i = 0; i < nitems(uses); i++)
		if (str_eq_nocase(name, str_from(uses[i].name))) {
			*letter = uses[i].letter;
			return true;
		}
	return false;
}

const char *
use_to_create(struct cur *c, char *use, bool *unknown)
{
	struct str	name;
	bool		one = false;

	*use = 0;
	*unknown = false;
	if (!cur_word(c, STR("(USE (")))
		return "(USE (...)) is expected";
	if (!cur_byte(c, ')')) {
		do {
			if (cur_peek(c) != '\\' || !imap_flag(c, &name))
				return "a special use is missing";
			/* A folder can have one. */
			if (one || !use_letter(name, use))
				*unknown = true;
			one = true;
		} while (imap_sp(c));
		if (!cur_byte(c, ')'))
			return "the special uses have no end";
	}
	return cur_byte(c, ')') && cur_done(c) ? NULL :
	    "there is more than expected";
}
