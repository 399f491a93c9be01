/* imapd/notify_parse.c - what NOTIFY asks for; the client is not trusted. */
#include "imapd/notify_parse.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/imap.h"
#include "imapd/fetch_parse.h"

struct parse {
	struct cur		 c;
	struct arena		*memory;
	struct notify_request	*r;
	const char		*why;
	bool			 selected;	/* there was a group for it */
};

static const struct {
	const char	*name;
	unsigned	 bit;
} events[] = {
	{ "MessageNew", NOTIFY_NEW }, { "MessageExpunge", NOTIFY_EXPUNGE },
	{ "FlagChange", NOTIFY_FLAGS }, { "MailboxName", NOTIFY_NAME },
	{ "SubscriptionChange", NOTIFY_SUBSCRIPTION },
	{ "MailboxMetadataChange", NOTIFY_NOTES },
	{ "ServerMetadataChange", NOTIFY_SERVER },
};

/* What a delivery may go into is not known: all of one's own (RFC 5465 6.3). */
static const struct {
	const char		*name;
	enum notify_filter	 filter;
} filters[] = {
	{ "selected", FILTER_SELECTED }, { "selected-delayed", FILTER_DELAYED },
	{ "inboxes", FILTER_PERSONAL }, { "personal", FILTER_PERSONAL },
	{ "subscribed", FILTER_SUBSCRIBED }, { "subtree", FILTER_SUBTREE },
	{ "subtree-one", FILTER_SUBTREE_ONE },
	{ "mailboxes", FILTER_MAILBOXES },
};

static bool
fail(struct parse *p, const char *why)
{
	if (p->why == NULL)
		p->why = why;
	return false;
}

static bool
is_selected(const struct notify_asked *g)
{
	return g->filter == FILTER_SELECTED || g->filter == FILTER_DELAYED;
}

static bool
word(struct parse *p, const char *name)
{
	struct cur	c = p->c;
	struct str	atom;

	if (!imap_atom(&c, &atom) || !str_eq_nocase(atom, str_from(name)))
		return false;
	p->c = c;
	return true;
}

/* "MessageNew (UID FLAGS)" of the selected mailbox. */
static bool
attributes(struct parse *p, const struct notify_asked *g)
{
	struct fetch_request	 atts;
	struct cur		 c = p->c;
	const char		*from;

	if (!imap_sp(&c) || cur_peek(&c) != '(')
		return true;
	if (!is_selected(g))
		return fail(p, "attributes are for the selected mailbox");
	from = c.p;
	if (!fetch_parse_list(&c, p->memory, &atts, &p->why))
		return false;
	p->r->atts = (struct str){ from, (size_t)(c.p - from) };
	p->c = c;
	return true;
}

static bool
event(struct parse *p, struct notify_asked *g)
{
	struct str	name;
	size_t		i;

	if (!imap_atom(&p->c, &name))
		return fail(p, "an event was expected");
	for (i = 0; i < nitems(events); i++)
		if (str_eq_nocase(name, str_from(events[i].name))) {
			g->events |= events[i].bit;
			return events[i].bit != NOTIFY_NEW || attributes(p, g);
		}
	p->r->unknown = true;
	return true;
}

/* RFC 5465, 5 and 8: what belongs together. */
static bool
events_ok(struct parse *p, const struct notify_asked *g)
{
	bool	is_new = (g->events & NOTIFY_NEW) != 0;
	bool	expunge = (g->events & NOTIFY_EXPUNGE) != 0;

	if (is_new != expunge)
		return fail(p, "MessageNew and MessageExpunge belong together");
	if ((g->events & NOTIFY_FLAGS) != 0 && !is_new)
		return fail(p, "FlagChange needs MessageNew and "
		    "MessageExpunge");
	if (is_selected(g) && (g->events & ~(unsigned)NOTIFY_MESSAGES) != 0)
		return fail(p, "only events of messages are for the selected "
		    "mailbox");
	return true;
}

/* "(event ...)" or NONE; the RFC's examples have them without parentheses, too. */
static bool
take_events(struct parse *p, struct notify_asked *g)
{
	bool	in_list;

	if (!imap_sp(&p->c))
		return fail(p, "events were expected");
	if (word(p, "NONE"))
		return true;
	in_list = cur_byte(&p->c, '(');
	do
		if (!event(p, g))
			return false;
	while (imap_sp(&p->c));
	if (in_list && !cur_byte(&p->c, ')'))
		return fail(p, "the list of events has no end");
	return events_ok(p, g);
}

static bool
take_names(struct parse *p, struct notify_asked *g)
{
	struct str	names[NOTIFY_NAMES_MAX], *kept;
	bool		in_list;

	if (g->filter != FILTER_SUBTREE && g->filter != FILTER_SUBTREE_ONE &&
	    g->filter != FILTER_MAILBOXES)
		return true;
	if (!imap_sp(&p->c))
		return fail(p, "names of mailboxes were expected");
	in_list = cur_byte(&p->c, '(');
	do
		if (g->n == NOTIFY_NAMES_MAX)
			return fail(p, "too many names of mailboxes");
		else if (!imap_astring(&p->c, p->memory, &names[g->n++]))
			return fail(p, "names of mailboxes were expected");
	while (in_list && imap_sp(&p->c));
	if (in_list && !cur_byte(&p->c, ')'))
		return fail(p, "the list of names has no end");
	if ((kept = arena_get(p->memory, g->n * sizeof(*kept))) == NULL)
		return fail(p, "too long");
	memcpy(kept, names, g->n * sizeof(*kept));
	g->names = kept;
	return true;
}

static bool
take_filter(struct parse *p, struct notify_asked *g)
{
	size_t	i;

	if (!cur_byte(&p->c, '('))
		return fail(p, "groups of events were expected");
	for (i = 0; i < nitems(filters); i++)
		if (word(p, filters[i].name)) {
			g->filter = filters[i].filter;
			return true;
		}
	return fail(p, "which mailboxes?");
}

static bool
group(struct parse *p)
{
	struct notify_request	*r = p->r;
	struct notify_asked	*g = &r->groups[r->n];

	if (r->n == NOTIFY_GROUPS_MAX)
		return fail(p, "too many groups");
	if (!take_filter(p, g) || !take_names(p, g) || !take_events(p, g))
		return false;
	if (!cur_byte(&p->c, ')'))
		return fail(p, "a group has no end");
	if (is_selected(g) && p->selected)
		return fail(p, "one group is for the selected mailbox");
	p->selected |= is_selected(g);
	r->n++;
	return true;
}

static bool
set(struct parse *p)
{
	struct notify_request	*r = p->r;
	struct cur		 c;

	r->groups = arena_get(p->memory,
	    (NOTIFY_GROUPS_MAX + 1) * sizeof(*r->groups));
	if (r->groups == NULL)
		return fail(p, "too long");
	c = p->c;
	if (imap_sp(&p->c) && word(p, "STATUS"))
		r->status = true;
	else
		p->c = c;
	do {
		if (!imap_sp(&p->c))
			return fail(p, "groups of events were expected");
		if (!group(p))
			return false;
	} while (!cur_done(&p->c));
	return true;
}

bool
notify_parse(struct cur *in, struct arena *memory, struct notify_request *r,
    const char **why)
{
	struct parse	p = { .c = *in, .memory = memory, .r = r };
	bool		ok;

	*r = (struct notify_request){ .none = false };
	if (word(&p, "NONE")) {
		r->none = true;
		ok = cur_done(&p.c) || fail(&p, "wrong arguments");
	} else {
		ok = (word(&p, "SET") || fail(&p, "SET or NONE was expected")) &&
		    set(&p);
	}
	*why = p.why;
	if (ok)
		*in = p.c;
	return ok;
}
