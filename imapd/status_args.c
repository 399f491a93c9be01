/* imapd/status_args.c - the items of STATUS; pure. */
#include "common/base/attr.h"
#include "common/fmt/imap.h"
#include "imapd/status_args.h"

const char *const status_names[11] = {
	"MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN",
	"HIGHESTMODSEQ", "SIZE", "DELETED", "DELETED-STORAGE", "APPENDLIMIT",
	"MAILBOXID"
};

const char *
status_items(struct cur *c, unsigned *items)
{
	struct str	name;
	size_t		i;

	*items = 0;
	if (!cur_byte(c, '('))
		return "a list of items is missing";
	do {
		if (!imap_atom(c, &name))
			return "an item is missing";
		for (i = 0; i < nitems(status_names); i++)
			if (str_eq_nocase(name, str_from(status_names[i])))
				break;
		if (i == nitems(status_names))
			return "unknown item";
		*items |= 1u << i;
	} while (imap_sp(c));
	return cur_byte(c, ')') ? NULL : "the list of items has no end";
}
