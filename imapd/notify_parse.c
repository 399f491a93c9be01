/* imapd/notify_parse.c - what NOTIFY SET asks for (RFC 5465 8). */
#include "common/base/attr.h"
#include "imapd/commands.h"
#include "imapd/fetch_parse.h"
#include "imapd/notify_impl.h"

static const struct {
	const char	*name;
	unsigned	 bit;	/* 0: not here */
} events[] = {
	{ "MessageNew", NOTIFY_NEW }, { "MessageExpunge", NOTIFY_EXPUNGE },
	{ "FlagChange", NOTIFY_FLAGS }, { "MailboxName", NOTIFY_NAME },
	{ "SubscriptionChange", NOTIFY_SUBSCRIPTION },
	{ "MailboxMetadataChange", NOTIFY_NOTES },
	{ "ServerMetadataChange", NOTIFY_SERVER },
};

static const struct {
	const char		*name;
	enum notify_filter	 filter;
} filters[] = {
	{ "selected", FILTER_SELECTED }, { "selected-delayed", FILTER_DELAYED },
	{ "inboxes", FILTER_PERSONAL }, { "personal", FILTER_PERSONAL },
	{ "subscribed", FILTER_SUBSCRIBED }, { "subtree", FILTER_SUBTREE },
	{ "mailboxes", FILTER_MAILBOXES },
};

/* "(UID BODY.PEEK[HEADER.FIELDS (\"a\" b)])": the list with its parentheses. */
static bool
list(struct cur *in, struct str *out)
{
	struct cur	c = *in;
	unsigned	depth = 0;
	bool		quoted = false;

	for (; !cur_done(&c); c.p++) {
		if (*c.p == '\\' && quoted && cur_left(&c) > 1)
			c.p++;
		else if (*c.p == '"')
			quoted = !quoted;
		else if (!quoted && *c.p == '(')
			depth++;
		else if (!quoted && *c.p == ')' && --depth == 0)
			break;
	}
	if (cur_done(&c))
		return false;
	c.p++;
	*out = (struct str){ in->p, (size_t)(c.p - in->p) };
	*in = c;
	return true;
}

static bool
bad_event(struct command *c)
{
	command_no(c, "BADEVENT (MessageNew MessageExpunge FlagChange "
	    "MailboxName SubscriptionChange MailboxMetadataChange "
	    "ServerMetadataChange)", "there is no such event here");
	return false;
}

/* "MessageNew (UID FLAGS)" of the selected mailbox. */
static bool
attributes(struct session *s, struct command *c, struct notify *n)
{
	struct fetch_request	 r;
	struct cur		 in;
	struct str		 text;
	const char		*why = "wrong attributes";

	if (list(&c->args, &text)) {
		in = cur_from(text);
		if (fetch_parse(&in, &s->memory, false, &r, &why) &&
		    arena_dup(&n->memory, text, &n->atts) == 0)
			return true;
	}
	command_bad(c, "%s", why);
	return false;
}

static bool
event(struct session *s, struct command *c, struct notify *n,
    struct notify_group *g)
{
	struct cur	 next;
	struct str	 name;
	size_t		 i;

	if (!imap_atom(&c->args, &name)) {
		command_bad(c, "an event was expected");
		return false;
	}
	for (i = 0; i < nitems(events); i++)
		if (str_eq_nocase(name, str_from(events[i].name)))
			break;
	if (i == nitems(events))
		return bad_event(c);
	g->events |= events[i].bit;
	next = c->args;
	if (events[i].bit != NOTIFY_NEW || !imap_sp(&next) ||
	    cur_peek(&next) != '(')
		return true;
	if (g->filter != FILTER_SELECTED && g->filter != FILTER_DELAYED) {
		command_bad(c, "attributes are for the selected mailbox");
		return false;
	}
	c->args = next;
	return attributes(s, c, n);
}

/* RFC 5465, 5 and 8: what belongs together. */
static const char *
wrong_events(const struct notify_group *g)
{
	bool	is_new = (g->events & NOTIFY_NEW) != 0;
	bool	expunge = (g->events & NOTIFY_EXPUNGE) != 0;

	if (is_new != expunge)
		return "MessageNew and MessageExpunge belong together";
	if ((g->events & NOTIFY_FLAGS) != 0 && !is_new)
		return "FlagChange needs MessageNew and MessageExpunge";
	if ((g->filter == FILTER_SELECTED || g->filter == FILTER_DELAYED) &&
	    (g->events & ~(unsigned)NOTIFY_MESSAGES) != 0)
		return "events of messages are for the selected mailbox";
	return NULL;
}

/* "(event ...)" or NONE; a single event is taken without parentheses, too. */
static bool
take_events(struct session *s, struct command *c, struct notify *n,
    struct notify_group *g)
{
	const char	*wrong;
	bool		 in_list;

	if (cur_word(&c->args, STR("NONE")))
		return true;
	in_list = cur_byte(&c->args, '(');
	do
		if (!event(s, c, n, g))
			return false;
	while (imap_sp(&c->args));
	if (in_list && !cur_byte(&c->args, ')')) {
		command_bad(c, "the list of events has no end");
		return false;
	}
	if ((wrong = wrong_events(g)) == NULL)
		return true;
	command_bad(c, "%s", wrong);
	return false;
}

/* One name; one that nothing can be called is passed over (RFC 5465 3.1). */
static bool
take_name(struct session *s, struct command *c, struct notify *n,
    struct notify_group *g)
{
	struct place	 p;
	struct str	 name, folder;

	if (!imap_astring(&c->args, &s->memory, &name) ||
	    g->n == NOTIFY_NAMES_MAX) {
		command_bad(c, "names of mailboxes were expected, at most %d",
		    NOTIFY_NAMES_MAX);
		return false;
	}
	if (!place_find(s, c, name, RIGHT_LOOKUP, &p))
		return true;
	if (arena_dup(&n->memory, str_from(p.folder), &folder) == -1) {
		command_failed(s, c, "remember that");
		return false;
	}
	g->names[g->n++] = (struct notify_name){ p.name_space, folder };
	return true;
}

static bool
take_names(struct session *s, struct command *c, struct notify *n,
    struct notify_group *g)
{
	bool	in_list;

	if (g->filter != FILTER_SUBTREE && g->filter != FILTER_MAILBOXES)
		return true;
	g->names = arena_get(&n->memory, NOTIFY_NAMES_MAX * sizeof(*g->names));
	if (g->names == NULL || !imap_sp(&c->args)) {
		command_bad(c, "names of mailboxes were expected");
		return false;
	}
	in_list = cur_byte(&c->args, '(');
	do
		if (!take_name(s, c, n, g))
			return false;
	while (in_list && imap_sp(&c->args));
	if (!in_list || cur_byte(&c->args, ')'))
		return true;
	command_bad(c, "the list of names has no end");
	return false;
}

static bool
take_filter(struct cur *in, struct notify_group *g)
{
	struct str	name;
	size_t		i;

	if (!cur_byte(in, '(') || !imap_atom(in, &name))
		return false;
	for (i = 0; i < nitems(filters); i++)
		if (str_eq_nocase(name, str_from(filters[i].name))) {
			g->filter = filters[i].filter;
			return true;
		}
	return false;
}

static bool
group(struct session *s, struct command *c, struct notify *n, bool *selected)
{
	struct notify_group	*g = &n->groups[n->n];

	if (n->n == NOTIFY_GROUPS_MAX || !take_filter(&c->args, g)) {
		command_bad(c, "which mailboxes?");
		return false;
	}
	if (!take_names(s, c, n, g))
		return false;
	if (!imap_sp(&c->args)) {
		command_bad(c, "events were expected");
		return false;
	}
	if (!take_events(s, c, n, g))
		return false;
	if (!cur_byte(&c->args, ')')) {
		command_bad(c, "a group has no end");
		return false;
	}
	n->n++;
	n->server.events |= g->events & NOTIFY_SERVER;
	if (g->filter != FILTER_SELECTED && g->filter != FILTER_DELAYED)
		return true;
	if (*selected) {
		command_bad(c, "one group for the selected mailbox");
		return false;
	}
	*selected = true;
	n->selected = g->events;
	n->delayed = g->filter == FILTER_DELAYED;
	return true;
}

bool
notify_parse(struct session *s, struct command *c, struct notify *n,
    bool *status)
{
	bool	selected = false;

	*status = cur_word(&c->args, STR(" STATUS"));
	n->groups = arena_get(&n->memory,
	    NOTIFY_GROUPS_MAX * sizeof(*n->groups));
	if (n->groups == NULL) {
		command_failed(s, c, "remember that");
		return false;
	}
	do {
		if (!imap_sp(&c->args)) {
			command_bad(c, "groups of events were expected");
			return false;
		}
		if (!group(s, c, n, &selected))
			return false;
	} while (!cur_done(&c->args));
	return command_end(c);
}
