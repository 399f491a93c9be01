/* imapd/notify_compare.c - what has become of the folders since they were listed before (RFC 5465 5.4, 5.5, 5.9). */
#include <stdlib.h>
#include <string.h>

#include "imapd/notify_impl.h"

struct comparison {
	struct session		*s;
	struct notify		*n;	/* with the old list */
	struct notify_folder	*all;	/* the new one */
	size_t			 count;
	struct notify_folder	**lost;	/* those that are gone, by MAILBOXID */
	size_t			 nlost;
};

static struct notify_folder *
now_of(const struct comparison *c, const struct notify_folder *f)
{
	return notify_find(c->all, c->count, f->space, f->name);
}

static struct notify_folder *
before_of(const struct comparison *c, const struct notify_folder *f)
{
	return notify_find(c->n->folders, c->n->nfolders, f->space, f->name);
}

static int
by_id(const void *pa, const void *pb)
{
	const struct notify_folder *const	*a = pa, *const *b = pb;
	int					 order;

	order = strcmp((*a)->id, (*b)->id);
	return order != 0 ? order : (*a)->space < (*b)->space ? -1 :
	    (*a)->space > (*b)->space;
}

static int
find_lost(struct comparison *c, struct arena *a)
{
	struct notify_folder		*f;
	const struct notify_folder	*now;
	size_t				 i;

	c->lost = arena_get(a, (c->n->nfolders + 1) * sizeof(*c->lost));
	if (c->lost == NULL)
		return -1;
	for (i = 0; i < c->n->nfolders; i++) {
		f = &c->n->folders[i];
		now = now_of(c, f);
		f->told = false;
		f->gone = f->exists && (now == NULL || !now->exists);
		if (f->gone && f->id[0] != '\0')
			c->lost[c->nlost++] = f;
	}
	if (c->nlost > 1)
		qsort(c->lost, c->nlost, sizeof(*c->lost), by_id);
	return 0;
}

/* The old folder that has become this one: they have one MAILBOXID. */
static struct notify_folder *
renamed(const struct comparison *c, const struct notify_folder *f)
{
	struct notify_folder	**at = NULL;

	if (f->id[0] != '\0' && c->nlost > 0)
		at = bsearch(&f, c->lost, c->nlost, sizeof(*c->lost), by_id);
	return at == NULL ? NULL : *at;
}

/* "A.B" is above "A.B.c". False: nothing is. */
static bool
name_above(struct session *s, const struct notify_folder *f,
    char above[MAILDIR_FOLDER_MAX + 1])
{
	char	*dot;

	if (str_copy(above, MAILDIR_FOLDER_MAX + 1, str_from(f->name)) == -1 ||
	    *above == '\0')
		return false;
	dot = strrchr(above, '.');
	*(dot == NULL ? above : dot) = '\0';
	if (f->space == SPACE_OWN && strcmp(above, "INBOX") == 0)
		*above = '\0';
	/* above what stands at the top there may be the inbox, by a prefix */
	return *above != '\0' || (f->space == SPACE_OWN && (dot != NULL ||
	    *place_prefix(s, SPACE_OWN) != '\0'));
}

/* Did it come along with what is above it, of which the client is told? */
static bool
came_along(struct comparison *c, const struct notify_folder *f)
{
	char				 above[MAILDIR_FOLDER_MAX + 1];
	const struct notify_folder	*up = f;
	size_t				 a, b;

	while (f->from != NULL && name_above(c->s, up, above) &&
	    (up = notify_find(c->all, c->count, f->space, above)) != NULL &&
	    *up->name != '\0') {
		if (up->from == NULL || !up->told)
			continue;
		a = strlen(up->name);
		b = strlen(up->from->name);
		if (strncmp(f->from->name, up->from->name, b) == 0 &&
		    strcmp(f->from->name + b, f->name + a) == 0)
			return true;
	}
	return false;
}

/*
 * Once for each that was made or removed, and once for all of them (RFC 5465 5.4: "its direct parent, whether it is an existing mailbox or not").
 * if_other: nothing is told if the client knows it as it is.
 */
static void
tell_parent(struct comparison *c, const struct notify_folder *f, bool if_other)
{
	char			 above[MAILDIR_FOLDER_MAX + 1];
	struct notify_folder	 none = { .space = f->space, .name = above };
	struct notify_folder	*up, *was;

	if (!name_above(c->s, f, above))
		return;
	was = before_of(c, &none);
	if ((up = now_of(c, &none)) == NULL) {
		none.events = notify_events(c->s, c->n, &none);
		up = &none;
	}
	if (if_other && (was == NULL || was->has_children == up->has_children))
		return;
	if (up->told || up->made || (was != NULL && (was->told || was->gone)) ||
	    (up->events & NOTIFY_NAME) == 0)
		return;
	up->told = true;
	if (was != NULL)
		was->told = true;
	notify_say_list(c->s, up, NULL);
}

/* Does the client know of a folder that was renamed what there is in it now? */
static bool
knows(const struct notify_folder *f, const struct notify_folder *from)
{
	return from->counted && f->messages == from->messages &&
	    f->uidnext == from->uidnext && f->unseen == from->unseen &&
	    f->uidvalidity == from->uidvalidity && f->modseq == from->modseq;
}

/* What has come where a client wants to hear of messages has some, perhaps; in what was renamed some may have come at the same time. */
static void
tell_messages(struct comparison *c, const struct notify_folder *f)
{
	if ((f->events & NOTIFY_MESSAGES) != 0 && f->counted &&
	    (f->from != NULL ? !knows(f, f->from) : f->messages > 0 &&
	    !notify_is_own(c->n, f, NOTIFY_NAME)))
		notify_say_status(c->s, f, false);
}

static void
tell_created(struct comparison *c, struct notify_folder *f, bool had_no_access)
{
	unsigned	events = f->events;

	if (f->from != NULL)
		events |= f->from->events;
	if (!notify_is_own(c->n, f, NOTIFY_NAME) &&
	    ((events & NOTIFY_NAME) != 0 || (had_no_access && events != 0)) &&
	    !came_along(c, f)) {
		notify_say_list(c->s, f, f->from);
		f->told = true;
		/* what was renamed may have been looked at before this was */
		if (!had_no_access)
			tell_parent(c, f, f->from != NULL);
	}
	tell_messages(c, f);
}

static void
find_created(struct comparison *c)
{
	struct notify_folder	*f, *was, *from;
	size_t			 i;
	bool			 ignored;

	for (i = 0; i < c->count; i++) {
		f = &c->all[i];
		was = before_of(c, f);
		if (!f->exists || (was != NULL && was->exists))
			continue;
		if (f->events != 0 || c->nlost > 0)
			notify_count(c->s, f, &ignored);
		if ((from = renamed(c, f)) != NULL) {
			f->from = from;
			from->gone = false;
		} else
			f->noted = true;	/* there was nothing */
		f->made = true;
	}
}

/* It is gone, or the user has lost a right. */
static void
tell_gone(struct comparison *c, struct notify_folder *f)
{
	struct notify_folder	 none = *f, *now = now_of(c, f);
	bool			 named = (f->events & NOTIFY_NAME) != 0;

	if (now == NULL) {
		none.exists = none.subscribed = none.has_children = false;
		none.on_disk = false;
		now = &none;
	}
	if (now->no_access ? f->events != 0 : named &&
	    !notify_is_own(c->n, f, NOTIFY_NAME)) {
		notify_say_list(c->s, now, NULL);
		now->told = true;
		if (!now->no_access)
			tell_parent(c, f, false);
	} else if (now->on_disk && f->events != 0 && !named) {
		/* 'l' is lost, and there is no other event for it (5.9) */
		now->no_access = true;
		notify_say_list(c->s, now, NULL);
		now->no_access = false;
	}
}

static void
tell_subscription(struct comparison *c, struct notify_folder *old,
    struct notify_folder *now)
{
	struct notify_folder	 none;
	bool			 before = old != NULL && old->subscribed;
	unsigned		 events = (old != NULL ? old->events : 0) |
				    (now != NULL ? now->events : 0);

	if (before == (now != NULL && now->subscribed) ||
	    (events & NOTIFY_SUBSCRIPTION) == 0 || (now != NULL && now->told) ||
	    notify_is_own(c->n, now != NULL ? now : old, NOTIFY_SUBSCRIPTION))
		return;
	if (now == NULL) {
		none = *old;
		none.exists = none.subscribed = none.has_children = false;
		now = &none;
	}
	notify_say_list(c->s, now, NULL);
}

static int
carry_over(struct arena *a, struct notify_folder *to,
    const struct notify_folder *from)
{
	to->counted = from->counted;
	to->dirty = from->dirty;
	to->messages = from->messages;
	to->uidnext = from->uidnext;
	to->uidvalidity = from->uidvalidity;
	to->unseen = from->unseen;
	to->modseq = from->modseq;
	to->own = from->own;
	to->notes_dirty = from->notes_dirty;
	memcpy(to->id, from->id, sizeof(to->id));
	memcpy(to->wd, from->wd, sizeof(to->wd));
	return notify_notes_move(a, to, from);
}

int
notify_compare(struct session *s, struct notify *n, struct arena *a,
    struct notify_folder *all, size_t count)
{
	struct comparison	 c = { .s = s, .n = n, .all = all,
				    .count = count };
	struct notify_folder	*old, *now;
	size_t			 i;

	if (find_lost(&c, a) == -1)
		return -1;
	find_created(&c);
	/* what is gone first: it has not come along with what is above it */
	for (i = 0; i < n->nfolders; i++)
		if (n->folders[i].gone)
			tell_gone(&c, &n->folders[i]);
	for (i = 0; i < count; i++) {
		old = before_of(&c, &all[i]);
		if (all[i].made)
			tell_created(&c, &all[i], old != NULL &&
			    old->no_access);
	}
	for (i = 0; i < n->nfolders; i++) {
		old = &n->folders[i];
		now = now_of(&c, old);
		tell_subscription(&c, old, now);
		if (now != NULL && old->exists && now->exists &&
		    carry_over(a, now, old) == -1)
			return -1;
	}
	for (i = 0; i < count; i++)
		if (before_of(&c, &all[i]) == NULL)
			tell_subscription(&c, NULL, &all[i]);
	return 0;
}
