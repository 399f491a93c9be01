/* imapd/list_args.c - the arguments of LIST and LSUB; pure. */
#include "common/fmt/imap.h"
#include "imapd/list_args.h"
#include "imapd/metadata_args.h"
#include "imapd/status_args.h"

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
