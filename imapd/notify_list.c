/* imapd/notify_list.c - all folders, and what of each the client wants to hear. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/notify_impl.h"

static int
by_name(const void *pa, const void *pb)
{
	const struct notify_folder	*a = pa, *b = pb;

	if (a->space != b->space)
		return a->space < b->space ? -1 : 1;
	return strcmp(a->name, b->name);
}

struct notify_folder *
notify_find(struct notify_folder *all, size_t n, unsigned space,
    const char *name)
{
	const struct notify_folder	key = { .space = space, .name = name };

	return n == 0 ? NULL : bsearch(&key, all, n, sizeof(*all), by_name);
}

static bool
has_name(const struct notify_group *g, unsigned space, struct str folder)
{
	const struct notify_name	*name;
	size_t				 low = 0, high = g->n, mid;
	int				 order;

	while (low < high) {
		mid = low + (high - low) / 2;
		name = &g->names[mid];
		order = name->space != space ? (name->space < space ? -1 : 1) :
		    str_cmp(str_from(name->folder), folder);
		if (order == 0)
			return true;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* With a prefix everything is below the inbox. */
static bool
below_inbox(const struct session *s, const struct notify_folder *f, bool one)
{
	bool		 named = strncmp(f->name, "INBOX.", 6) == 0;
	const char	*rest = named ? f->name + 6 : f->name;

	return f->space == SPACE_OWN && *rest != '\0' &&
	    (named || *place_prefix(s, SPACE_OWN) != '\0') &&
	    (!one || strchr(rest, '.') == NULL);
}

/* one: no more than one level below. */
static bool
in_subtree(const struct session *s, const struct notify_group *g,
    const struct notify_folder *f, bool one)
{
	struct str	name = str_from(f->name);
	unsigned	level;

	if (below_inbox(s, f, one) && has_name(g, f->space, STR("")))
		return true;
	for (level = 0; !one || level < 2; level++) {
		if (has_name(g, f->space, name))
			return true;
		while (name.n > 0 && name.p[name.n - 1] != '.')
			name.n--;
		if (name.n == 0)
			break;
		name.n--;
	}
	return false;
}

static bool
applies(const struct session *s, const struct notify_group *g,
    const struct notify_folder *f)
{
	switch (g->filter) {
	case FILTER_SELECTED:
	case FILTER_DELAYED:
		break;
	case FILTER_PERSONAL:
		return f->space == SPACE_OWN;
	case FILTER_SUBSCRIBED:
		return f->subscribed;
	case FILTER_SUBTREE:
		return in_subtree(s, g, f, false);
	case FILTER_SUBTREE_ONE:
		return in_subtree(s, g, f, true);
	case FILTER_MAILBOXES:
		return has_name(g, f->space, str_from(f->name));
	}
	return false;
}

unsigned
notify_events(const struct session *s, const struct notify *n,
    const struct notify_folder *f)
{
	unsigned	events = 0;
	size_t		i;

	for (i = 0; i < n->n; i++)
		if ((n->groups[i].events & ~events) != 0 &&
		    applies(s, &n->groups[i], f))
			events |= n->groups[i].events;
	return events;
}

/* Subscriptions of shared folders are among one's own. */
static bool
is_shared_name(const struct session *s, const struct notify_folder *f)
{
	return f->space == SPACE_OWN && place_spaces(s) > SPACE_SHARED &&
	    strncmp(f->name, PLACE_SHARED, strlen(PLACE_SHARED)) == 0;
}

static int
add(struct session *s, struct arena *a, unsigned space,
    struct notify_folder **all, size_t *n)
{
	const struct store_folder *f;
	struct notify_folder	*to;
	struct str		 name;
	size_t			 i, count;

	if (store_list(place_store(s, space), &f, &count) == -1)
		return -1;
	to = arena_get(a, (*n + count + 1) * sizeof(*to));
	if (to == NULL)
		return -1;
	if (*n > 0)
		memcpy(to, *all, *n * sizeof(*to));
	*all = to;
	for (i = 0; i < count; i++) {
		if (arena_dup(a, str_from(f[i].name), &name) == -1)
			return -1;
		to[(*n)++] = (struct notify_folder){ .space = space,
		    .name = name.p, .subscribed = space == SPACE_OWN &&
		    f[i].subscribed, .exists = f[i].exists, .use = f[i].use,
		    .on_disk = f[i].exists,
		    .has_children = space == SPACE_OWN && f[i].has_children };
	}
	return 0;
}

/* Where they belong: a subscription may be all that there is of a shared folder. */
static void
move_subscriptions(struct session *s, struct notify_folder *all, size_t *n)
{
	struct notify_folder	*shared;
	size_t			 i, kept = 0, total = *n;
	const size_t		 skip = strlen(PLACE_SHARED);

	for (i = 0; i < total; i++) {
		if (!is_shared_name(s, &all[i]))
			continue;
		shared = notify_find(all, total, SPACE_SHARED,
		    all[i].name + skip);
		if (shared != NULL)
			shared->subscribed |= all[i].subscribed;
		all[i].told = shared != NULL || !all[i].subscribed;
	}
	for (i = 0; i < total; i++) {
		if (all[i].told)
			continue;
		if (is_shared_name(s, &all[i])) {
			all[i].space = SPACE_SHARED;
			all[i].name += skip;
			all[i].exists = all[i].has_children = false;
		}
		all[kept++] = all[i];
	}
	*n = kept;
	if (kept > 1)
		qsort(all, kept, sizeof(*all), by_name);
}

/* To those above it it is there. */
static void
mark_parents(struct notify_folder *all, size_t n, const struct notify_folder *f)
{
	char			 above[MAILDIR_FOLDER_MAX + 1], *dot;
	struct notify_folder	*parent;

	if (str_copy(above, sizeof(above), str_from(f->name)) == -1)
		return;
	while ((dot = strrchr(above, '.')) != NULL) {
		*dot = '\0';
		parent = notify_find(all, n, f->space, above);
		if (parent != NULL)
			parent->has_children = true;
	}
}

/* What the user may not look up is not there for him, but may be one day (RFC 5465 5.9). */
static int
use_rights(struct session *s, struct notify_folder *all, size_t n)
{
	unsigned	rights;
	size_t		i;

	for (i = 0; i < n; i++) {
		if (all[i].space != SPACE_SHARED || !all[i].exists)
			continue;
		if (place_rights(s, SPACE_SHARED, all[i].name, &rights) == -1)
			return -1;
		if (*all[i].name == '\0' || (rights & RIGHT_LOOKUP) == 0)
			rights = 0;
		all[i].no_access = rights != 0 && (rights & RIGHT_READ) == 0;
		all[i].exists = (rights & RIGHT_READ) != 0;
		if (rights != 0)
			mark_parents(all, n, &all[i]);
	}
	return 0;
}

/* With a prefix all of one's own folders are below the inbox. */
static void
use_prefix(const struct session *s, struct notify_folder *all, size_t n)
{
	struct notify_folder	*inbox = notify_find(all, n, SPACE_OWN, "");
	size_t			 i;

	if (inbox == NULL || *place_prefix(s, SPACE_OWN) == '\0')
		return;
	for (i = 0; i < n; i++)
		if (all[i].space == SPACE_OWN && all[i].exists &&
		    &all[i] != inbox)
			inbox->has_children = true;
}

int
notify_load(struct session *s, const struct notify *n, struct arena *a,
    struct notify_folder **all, size_t *count)
{
	unsigned	space;
	size_t		i;

	*all = NULL;
	*count = 0;
	for (space = 0; space < place_spaces(s); space++)
		if (add(s, a, space, all, count) == -1)
			return -1;
	qsort(*all, *count, sizeof(**all), by_name);
	move_subscriptions(s, *all, count);
	if (use_rights(s, *all, *count) == -1)
		return -1;
	use_prefix(s, *all, *count);
	for (i = 0; i < *count; i++)
		(*all)[i].events = notify_events(s, n, &(*all)[i]);
	return 0;
}
