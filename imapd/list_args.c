/* imapd/list_args.c - the arguments of LIST, LSUB and STATUS, and of CREATE beyond the name; pure. */
#include "common/fmt/imap.h"
#include "imapd/list_args.h"

static const struct use {
	char		 letter;
	const char	*name;
} uses[] = {
	{ 'a', "\\All" }, { 'A', "\\Archive" }, { 'D', "\\Drafts" },
	{ 'F', "\\Flagged" }, { 'J', "\\Junk" }, { 'S', "\\Sent" },
	{ 'T', "\\Trash" }, { 'I', "\\Important" },
};

const char *const status_names[11] = {
	"MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN",
	"HIGHESTMODSEQ", "SIZE", "DELETED", "DELETED-STORAGE", "APPENDLIMIT",
	"MAILBOXID"
};

struct option {
	const char	*name;
	unsigned	 bit;
};

static bool
option_bit(const struct option *o, size_t n, struct str name, unsigned *bit)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (str_eq_nocase(name, str_from(o[i].name))) {
			*bit = o[i].bit;
			return true;
		}
	return false;
}

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

const char *
metadata_entry_wrong(struct str s)
{
	size_t	i;

	if (!str_eq_nocase(s, STR("/private")) &&
	    !str_eq_nocase(s, STR("/shared")) &&
	    !str_starts_nocase(s, STR("/private/")) &&
	    !str_starts_nocase(s, STR("/shared/")))
		return "an entry begins with /private/ or /shared/";
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '*' || s.p[i] == '%')
			return "an entry has no wildcards";
		if ((unsigned char)s.p[i] < 0x20 ||
		    (unsigned char)s.p[i] >= 0x7f)
			return "an entry is in printable ASCII";
		if (s.p[i] == '/' && (i + 1 == s.n || s.p[i + 1] == '/'))
			return "an entry has no empty parts";
	}
	return NULL;
}

const char *
metadata_entries(struct cur *c, struct arena *a, struct str **list, size_t *n)
{
	const char	*wrong;
	bool		 many = cur_byte(c, '(');

	*n = 0;
	*list = arena_get(a, LIST_ENTRIES_MAX * sizeof(**list));
	if (*list == NULL)
		return "too much";
	do {
		if (*n == LIST_ENTRIES_MAX)
			return "too many entries";
		if (!imap_astring(c, a, &(*list)[*n]))
			return "the name of an entry is missing";
		if ((wrong = metadata_entry_wrong((*list)[*n])) != NULL)
			return wrong;
		++*n;
	} while (many && imap_sp(c));
	return !many || cur_byte(c, ')') ? NULL :
	    "the list of entries has no end";
}

static const char *
take_selection(struct cur *c, struct list_request *r)
{
	static const struct option	options[] = {
		{ "SUBSCRIBED", LIST_SUBSCRIBED }, { "REMOTE", LIST_REMOTE },
		{ "RECURSIVEMATCH", LIST_RECURSIVE },
		{ "SPECIAL-USE", LIST_SPECIAL_USE },
	};
	struct str	name;
	unsigned	bit;

	if (!cur_byte(c, '('))
		return NULL;
	r->extended = true;
	if (!cur_byte(c, ')')) {
		do {
			if (!imap_atom(c, &name) || !option_bit(options,
			    nitems(options), name, &bit))
				return "unknown selection option";
			r->select |= bit;
		} while (imap_sp(c));
		if (!cur_byte(c, ')'))
			return "the selection options have no end";
	}
	if ((r->select & LIST_RECURSIVE) != 0 &&
	    (r->select & (LIST_SUBSCRIBED | LIST_SPECIAL_USE)) == 0)
		return "RECURSIVEMATCH needs something to match";
	return imap_sp(c) ? NULL : "the reference is missing";
}

static const char *
take_patterns(struct cur *c, struct arena *a, struct list_request *r)
{
	bool	many = cur_byte(c, '(');

	r->patterns = arena_get(a,
	    (many ? LIST_PATTERNS_MAX : 1) * sizeof(*r->patterns));
	if (r->patterns == NULL)
		return "too much";
	r->extended |= many;
	do {
		if (r->npatterns == LIST_PATTERNS_MAX)
			return "too many patterns";
		if (!imap_list_mailbox(c, a, &r->patterns[r->npatterns]))
			return "a pattern is missing";
		r->npatterns++;
	} while (many && imap_sp(c));
	return !many || cur_byte(c, ')') ? NULL : "the patterns have no end";
}

static const char *
take_return_option(struct cur *c, struct arena *a, struct list_request *r)
{
	static const struct option	options[] = {
		{ "SUBSCRIBED", GIVE_SUBSCRIBED },
		{ "CHILDREN", GIVE_CHILDREN },
		{ "SPECIAL-USE", GIVE_SPECIAL_USE },
		{ "STATUS", GIVE_STATUS }, { "MYRIGHTS", GIVE_MYRIGHTS },
		{ "METADATA", GIVE_METADATA },
	};
	struct str	name;
	unsigned	bit;

	if (!imap_atom(c, &name) ||
	    !option_bit(options, nitems(options), name, &bit))
		return "unknown return option";
	r->give |= bit;
	if ((bit & (GIVE_STATUS | GIVE_METADATA)) != 0 && !imap_sp(c))
		return "a list is missing";
	if (bit == GIVE_STATUS)
		return status_items(c, &r->status);
	return bit != GIVE_METADATA ? NULL :
	    metadata_entries(c, a, &r->entries, &r->nentries);
}

static const char *
take_return(struct cur *c, struct arena *a, struct list_request *r)
{
	const char	*wrong;

	if (!imap_sp(c))
		return NULL;
	r->extended = true;
	if (!cur_word(c, STR("RETURN (")))
		return "RETURN and a list are expected";
	if (cur_byte(c, ')'))
		return NULL;
	do {
		if ((wrong = take_return_option(c, a, r)) != NULL)
			return wrong;
	} while (imap_sp(c));
	return cur_byte(c, ')') ? NULL : "the return options have no end";
}

const char *
list_args(struct cur *c, struct arena *a, struct list_request *r)
{
	const char	*wrong;

	*r = (struct list_request){ .select = 0 };
	if ((wrong = take_selection(c, r)) != NULL)
		return wrong;
	if (!imap_astring(c, a, &r->reference) || !imap_sp(c))
		return "the reference is missing";
	if ((wrong = take_patterns(c, a, r)) != NULL ||
	    (wrong = take_return(c, a, r)) != NULL)
		return wrong;
	if (!r->extended)
		r->give = GIVE_CHILDREN | GIVE_SPECIAL_USE;
	if (r->select & LIST_SUBSCRIBED)
		r->give |= GIVE_SUBSCRIBED;
	if (r->select & LIST_SPECIAL_USE)
		r->give |= GIVE_SPECIAL_USE;
	return cur_done(c) ? NULL : "there is more than expected";
}

const char *
lsub_args(struct cur *c, struct arena *a, struct list_request *r)
{
	*r = (struct list_request){ .select = LIST_SUBSCRIBED };
	if (!imap_astring(c, a, &r->reference) || !imap_sp(c))
		return "the reference is missing";
	if ((r->patterns = arena_get(a, sizeof(*r->patterns))) == NULL ||
	    !imap_list_mailbox(c, a, r->patterns))
		return "a pattern is missing";
	r->npatterns = 1;
	return cur_done(c) ? NULL : "there is more than expected";
}

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
create_use(struct cur *c, char *use, bool *unknown)
{
	struct str	name;
	bool		one = false;

	*use = 0;
	*unknown = false;
	if (!cur_word(c, STR("(USE (")))
		return "(USE (...)) is expected";
	if (!cur_byte(c, ')')) {
		do {
			if (!imap_flag(c, &name))
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
