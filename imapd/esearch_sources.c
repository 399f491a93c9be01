/* imapd/esearch_sources.c - the mailboxes that an ESEARCH goes through. Run by the session. */
#include "imapd/esearch_sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"

#define SLOTS	(4 * 8192)	/* more than twice SOURCES_MAX, a power of two */

struct gatherer {
	struct session	*s;
	struct command	*c;
	struct sources	*out;
	struct source	**tail;
	struct source	**slots;	/* those that are there, by a hash of their names; NULL: none is */
	uint64_t	 seed;
	bool		 has_personal, has_subscribed;
};

static bool
bad(struct gatherer *g, const char *why)
{
	command_bad(g->c, "%s", why);
	return false;
}

/* Where it is, or is to be. NULL: no memory. */
static struct source **
slot_of(struct gatherer *g, const struct place *place)
{
	size_t	i;

	if (g->slots == NULL) {
		arc4random_buf(&g->seed, sizeof(g->seed));
		g->slots = arena_get(&g->s->memory, SLOTS * sizeof(*g->slots));
		if (g->slots == NULL)
			return NULL;
		memset(g->slots, 0, SLOTS * sizeof(*g->slots));
	}
	i = (size_t)hash_bytes(g->seed + place->name_space, place->folder,
	    strlen(place->folder)) & (SLOTS - 1);
	while (g->slots[i] != NULL &&
	    (g->slots[i]->place.store != place->store ||
	    strcmp(g->slots[i]->place.folder, place->folder) != 0))
		i = (i + 1) & (SLOTS - 1);
	return &g->slots[i];
}

/* One mailbox more, unless it is there already, or may not be read. */
static bool
add(struct gatherer *g, const struct place *place)
{
	struct source	**slot, *n;

	if ((place->rights & RIGHT_READ) == 0)
		return true;
	if ((slot = slot_of(g, place)) != NULL && *slot != NULL)
		return true;
	if (g->out->n >= SOURCES_MAX) {
		command_no(g->c, "LIMIT", "Too many mailboxes");
		return false;
	}
	if (slot == NULL ||
	    (n = arena_get(&g->s->memory, sizeof(*n))) == NULL) {
		command_failed(g->s, g->c, "list the mailboxes");
		return false;
	}
	*slot = n;
	n->place = *place;
	n->next = NULL;
	*g->tail = n;
	g->tail = &n->next;
	g->out->n++;
	return true;
}

/* These have the same folders each time. */
static bool
is_first(bool *has)
{
	bool	first = !*has;

	*has = true;
	return first;
}

enum below { BELOW_ALL, BELOW_ONE, BELOW_SUBSCRIBED, BELOW_USER };

/* The name behind that of the parent; NULL: it is not below it. With a prefix all is below the inbox. */
static const char *
rest_below(const struct session *s, unsigned space, const char *name,
    const char *parent)
{
	size_t	n = strlen(parent);

	if (n > 0)
		return strncmp(name, parent, n) == 0 && name[n] == '.' ?
		    name + n + 1 : NULL;
	if (space != SPACE_OWN || *name == '\0')
		return NULL;
	if (strncmp(name, "INBOX.", 6) == 0)
		return name + 6;
	return *place_prefix(s, SPACE_OWN) != '\0' ? name : NULL;
}

/* Is it one of those that are meant of the tree of parent? */
static bool
is_meant(const struct session *s, unsigned space, const struct store_folder *f,
    const char *parent, enum below how)
{
	const char	*rest;

	if (!f->exists)
		return false;
	if (how == BELOW_USER)
		return true;
	if (how == BELOW_SUBSCRIBED)
		return f->subscribed;
	rest = rest_below(s, space, f->name, parent);
	return rest != NULL &&
	    (how == BELOW_ALL || strchr(rest, '.') == NULL);
}

/* The first in the list that is not in front of the parent, right behind which is what is below it. */
static size_t
find_parent(const struct store_folder *list, size_t n, const char *parent)
{
	size_t	low = 0, high = n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (store_name_cmp(list[mid].name, parent) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Can there be no more behind this one? */
static bool
is_over(const char *name, const char *parent)
{
	size_t	n = strlen(parent);

	return n > 0 && (strncmp(name, parent, n) != 0 ||
	    (name[n] != '\0' && name[n] != '.'));
}

static bool
add_folders(struct gatherer *g, unsigned space, const char *parent,
    enum below how)
{
	const struct store_folder *list;
	struct place		 place = { .name_space = space };
	size_t			 i, n;

	place.store = place_store(g->s, space);
	if (store_list(place.store, &list, &n) == -1) {
		command_failed(g->s, g->c, "list the mailboxes");
		return false;
	}
	for (i = find_parent(list, n, parent); i < n &&
	    !is_over(list[i].name, parent); i++) {
		if (!is_meant(g->s, space, &list[i], parent, how) ||
		    strlcpy(place.folder, list[i].name,
		    sizeof(place.folder)) >= sizeof(place.folder))
			continue;
		if (place_rights(g->s, space, place.folder,
		    &place.rights) == -1) {
			command_failed(g->s, g->c, "look at the rights");
			return false;
		}
		if ((place.rights & RIGHT_LOOKUP) != 0 && !add(g, &place))
			return false;
	}
	return true;
}

/* A mailbox by its name: one that is not there, or not for this user, is passed over. */
static bool
add_named(struct gatherer *g, struct str name, const enum below *below)
{
	struct place	place;

	if (!place_look_up(g->s, name, RIGHT_READ, &place) ||
	    !store_exists(place.store, place.folder))
		return true;
	return add(g, &place) && (below == NULL ||
	    add_folders(g, place.name_space, place.folder, *below));
}

/* one-or-more-mailbox: "a" or ("a" "b") */
static bool
names_take(struct gatherer *g, const enum below *below)
{
	struct cur	*c = &g->c->args;
	bool		 many;
	struct str	 name;

	if (!imap_sp(c))
		return bad(g, "Mailbox expected");
	many = cur_byte(c, '(');
	do {
		if (!imap_astring(c, &g->s->memory, &name))
			return bad(g, "Mailbox expected");
		if (!add_named(g, name, below))
			return false;
	} while (many && imap_sp(c));
	return !many || cur_byte(c, ')') || bad(g, "Parenthesis expected");
}

static bool
subscribed_take(struct gatherer *g)
{
	unsigned	space;

	for (space = 0; space < place_spaces(g->s); space++)
		if (place_store(g->s, space) != NULL &&
		    !add_folders(g, space, "", BELOW_SUBSCRIBED))
			return false;
	return true;
}

static bool
source_take(struct gatherer *g)
{
	static const enum below	all = BELOW_ALL, one = BELOW_ONE;
	struct str		name;

	if (!imap_atom(&g->c->args, &name))
		return bad(g, "Source of messages expected");
	if (str_eq_nocase(name, STR("selected"))) {
		g->out->selected = true;
		return g->s->state == S_SELECTED ||
		    bad(g, "No mailbox is selected");
	}
	if (str_eq_nocase(name, STR("inboxes")))
		return add_named(g, STR("INBOX"), NULL);
	if (str_eq_nocase(name, STR("personal")))
		return !is_first(&g->has_personal) ||
		    add_folders(g, SPACE_OWN, "", BELOW_USER);
	if (str_eq_nocase(name, STR("subscribed")))
		return !is_first(&g->has_subscribed) || subscribed_take(g);
	if (str_eq_nocase(name, STR("subtree")))
		return names_take(g, &all);
	if (str_eq_nocase(name, STR("subtree-one")))
		return names_take(g, &one);
	if (str_eq_nocase(name, STR("mailboxes")))
		return names_take(g, NULL);
	return bad(g, "Source of messages not known");
}

bool
sources_parse(struct session *s, struct command *c, struct sources *out)
{
	struct gatherer	g = { .s = s, .c = c, .out = out,
	    .tail = &out->list };

	memset(out, 0, sizeof(*out));
	if (!cur_word(&c->args, STR("IN "))) {
		out->selected = true;
		return s->state == S_SELECTED ||
		    bad(&g, "No mailbox is selected");
	}
	if (!cur_byte(&c->args, '('))
		return bad(&g, "Sources of messages expected");
	do
		if (!source_take(&g))
			return false;
	while (imap_sp(&c->args));
	/* There are no options of scope yet (RFC 7377 4). */
	return (cur_byte(&c->args, ')') && imap_sp(&c->args)) ||
	    bad(&g, "Sources of messages not understood");
}
