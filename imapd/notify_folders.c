/* imapd/notify_folders.c - all folders and what of them is to be told; what has become different. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/mailboxes.h"
#include "imapd/notify_impl.h"

static int
compare(const struct notify_folder *a, const struct notify_folder *b)
{
	if (a->space != b->space)
		return a->space < b->space ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int
by_name(const void *pa, const void *pb)
{
	return compare(pa, pb);
}

static bool
is_below(const struct session *s, const struct notify_name *top,
    const char *name)
{
	if (top->folder.n == 0) {
		/* the inbox: with a prefix everything is below it */
		if (top->space == SPACE_OWN &&
		    *place_prefix(s, SPACE_OWN) != '\0')
			return true;
		return *name == '\0' || strncmp(name, "INBOX.", 6) == 0;
	}
	return strncmp(name, top->folder.p, top->folder.n) == 0 &&
	    (name[top->folder.n] == '\0' || name[top->folder.n] == '.');
}

static bool
applies(const struct session *s, const struct notify_group *g,
    const struct notify_folder *f)
{
	size_t	i;

	switch (g->filter) {
	case FILTER_SELECTED:
	case FILTER_DELAYED:
		return false;
	case FILTER_PERSONAL:
		return f->space == SPACE_OWN;
	case FILTER_SUBSCRIBED:
		return f->subscribed;
	case FILTER_SUBTREE:
	case FILTER_MAILBOXES:
		break;
	}
	for (i = 0; i < g->n; i++) {
		if (g->names[i].space != f->space)
			continue;
		if (g->filter == FILTER_SUBTREE ?
		    is_below(s, &g->names[i], f->name) :
		    strcmp(g->names[i].folder.p, f->name) == 0)
			return true;
	}
	return false;
}

static unsigned
events_of(const struct session *s, const struct notify *n,
    const struct notify_folder *f)
{
	unsigned	events = 0;
	size_t		i;

	for (i = 0; i < n->n; i++)
		if (applies(s, &n->groups[i], f))
			events |= n->groups[i].events;
	return events;
}

/* Subscriptions of shared folders are among one's own. */
static bool
is_shared_name(const struct session *s, const char *name)
{
	return place_spaces(s) > SPACE_SHARED &&
	    strncmp(name, PLACE_SHARED, strlen(PLACE_SHARED)) == 0;
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
	if (*n + count > NOTIFY_FOLDERS_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
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
		    f[i].subscribed, .exists = f[i].exists };
	}
	return 0;
}

/* What is said of each; those that the user may not look up are not there. */
static void
finish(struct session *s, const struct notify *n, struct notify_folder *all,
    size_t *count)
{
	char			 own[MAILDIR_FOLDER_MAX + 16];
	struct notify_folder	 key = { .space = SPACE_OWN, .name = own }, *sub;
	size_t			 i, kept = 0, total = *count;
	unsigned		 rights;

	qsort(all, total, sizeof(*all), by_name);
	for (i = 0; i < total; i++) {
		if (all[i].space != SPACE_SHARED)
			continue;
		snprintf(own, sizeof(own), "%s%s", PLACE_SHARED, all[i].name);
		sub = bsearch(&key, all, total, sizeof(*all), by_name);
		all[i].subscribed = sub != NULL && sub->subscribed;
		rights = place_rights(s, SPACE_SHARED, all[i].name);
		all[i].no_access = all[i].exists &&
		    (rights & RIGHT_LOOKUP) != 0 && (rights & RIGHT_READ) == 0;
		if ((rights & RIGHT_LOOKUP) == 0 ||
		    (rights & RIGHT_READ) == 0 || *all[i].name == '\0')
			all[i].exists = all[i].subscribed = false;
	}
	for (i = 0; i < total; i++) {
		if ((!all[i].exists && !all[i].subscribed &&
		    !all[i].no_access) ||
		    (all[i].space == SPACE_OWN &&
		    is_shared_name(s, all[i].name)))
			continue;
		all[kept] = all[i];
		all[kept].events = events_of(s, n, &all[i]);
		kept++;
	}
	*count = kept;
}

int
notify_load(struct session *s, const struct notify *n, struct arena *a,
    struct notify_folder **all, size_t *count)
{
	unsigned	space;

	*all = NULL;
	*count = 0;
	for (space = 0; space < place_spaces(s); space++)
		if (add(s, a, space, all, count) == -1)
			return -1;
	finish(s, n, *all, count);
	return 0;
}

void
notify_place(struct session *s, const struct notify_folder *f, struct place *p)
{
	*p = (struct place){ .store = place_store(s, f->space),
	    .name_space = f->space };
	if (str_copy(p->folder, sizeof(p->folder), str_from(f->name)) == -1)
		p->folder[0] = '\0';	/* store_list gives none so long */
}

void
notify_say_list(struct session *s, const struct notify_folder *f, const char *flag,
    const struct notify_folder *old)
{
	struct place	p;
	struct buf	out;

	buf_init(&out, 32 * PLACE_NAME_MAX);
	buf_addf(&out, "* LIST (%s) \"%c\" ", flag, place_separator(s));
	notify_place(s, f, &p);
	if (place_put(s, &out, &p) == -1)
		out.bad = true;
	if (old != NULL) {
		notify_place(s, old, &p);
		buf_adds(&out, " (\"OLDNAME\" (");
		if (place_put(s, &out, &p) == -1)
			out.bad = true;
		buf_adds(&out, "))");
	}
	buf_adds(&out, "\r\n");
	if (buf_ok(&out))
		say_buf(s, &out);
	buf_free(&out);
}

static const char *
subscribed(const struct notify_folder *f)
{
	return f->subscribed ? "\\Subscribed" : "";
}

/* The old folder that has become this one; they have one MAILBOXID. */
static const struct notify_folder *
renamed(const struct notify *n, const struct notify_folder *f)
{
	size_t	i;

	for (i = 0; f->id[0] != '\0' && i < n->nfolders; i++)
		if (n->folders[i].dirty && n->folders[i].space == f->space &&
		    strcmp(n->folders[i].id, f->id) == 0)
			return &n->folders[i];
	return NULL;
}

/* Was it moved along with its parent, which has been told? */
static bool
with_parent(const struct notify_folder *from, const struct notify_folder *to,
    const struct notify_folder *f, const struct notify_folder *old)
{
	size_t	a, b;

	if (from == NULL || old == NULL)
		return false;
	a = strlen(from->name);
	b = strlen(to->name);
	return strncmp(old->name, from->name, a) == 0 &&
	    strncmp(f->name, to->name, b) == 0 && f->name[b] == '.' &&
	    strcmp(old->name + a, f->name + b) == 0;
}

/* dirty in the old list marks those that are gone. */
static void
mark_gone(struct notify *n, const struct notify_folder *all, size_t count)
{
	const struct notify_folder	*now;
	size_t				 i;

	for (i = 0; i < n->nfolders; i++) {
		now = bsearch(&n->folders[i], all, count, sizeof(*all),
		    by_name);
		n->folders[i].dirty = n->folders[i].exists &&
		    (now == NULL || !now->exists);
	}
}

static void
tell_new(struct session *s, struct notify *n, struct notify_folder *all,
    size_t count)
{
	const struct notify_folder	*from = NULL, *to = NULL, *old;
	struct notify_folder		*was;
	size_t				 i;
	bool				 ignored;

	for (i = 0; i < count; i++) {
		was = n->nfolders == 0 ? NULL : bsearch(&all[i], n->folders,
		    n->nfolders, sizeof(*all), by_name);
		if (was != NULL && was->exists == all[i].exists)
			continue;
		if (!all[i].exists)
			continue;
		if ((all[i].events & (NOTIFY_NAME | NOTIFY_MESSAGES)) != 0)
			notify_count(s, &all[i], &ignored);
		old = renamed(n, &all[i]);
		if ((all[i].events & NOTIFY_NAME) != 0 &&
		    !with_parent(from, to, &all[i], old))
			notify_say_list(s, &all[i], subscribed(&all[i]), old);
		if (old != NULL && !with_parent(from, to, &all[i], old)) {
			from = old;
			to = &all[i];
		}
		if (old != NULL)
			n->folders[old - n->folders].events = 0; /* told */
	}
}

int
notify_compare(struct session *s, struct notify *n, struct arena *a,
    struct notify_folder *all, size_t count)
{
	struct notify_folder	*now, *old;
	size_t			 i;

	mark_gone(n, all, count);
	tell_new(s, n, all, count);
	for (i = 0; i < n->nfolders; i++) {
		old = &n->folders[i];
		now = count == 0 ? NULL : bsearch(old, all, count,
		    sizeof(*all), by_name);
		if (old->dirty && (old->events & NOTIFY_NAME) != 0)
			notify_say_list(s, old, "\\NonExistent", NULL);
		if (old->subscribed != (now != NULL && now->subscribed) &&
		    ((old->events | (now != NULL ? now->events : 0)) &
		    NOTIFY_SUBSCRIPTION) != 0)
			notify_say_list(s, now != NULL ? now : old, now == NULL ?
			    "\\NonExistent" : subscribed(now), NULL);
		if (now == NULL || !old->exists || !now->exists)
			continue;
		/* what is known of it */
		now->counted = old->counted;
		now->messages = old->messages;
		now->uidnext = old->uidnext;
		now->uidvalidity = old->uidvalidity;
		now->unseen = old->unseen;
		now->modseq = old->modseq;
		memcpy(now->id, old->id, sizeof(now->id));
		if (notify_notes_move(a, now, old) == -1)
			return -1;
	}
	return 0;
}

void
notify_count(struct session *s, struct notify_folder *f, bool *changed)
{
	struct view_status	v;
	struct diag		why;

	*changed = false;
	if (!f->exists || view_status(place_store(s, f->space), f->name,
	    VIEW_STATUS_UNSEEN, &v, &why) == -1)
		return;
	*changed = f->counted && ((f->events & NOTIFY_FLAGS) != 0 ?
	    v.highest_modseq != f->modseq || v.unseen != f->unseen ||
	    v.uidvalidity != f->uidvalidity : false);
	if (f->counted && (f->events & NOTIFY_NEW) != 0)
		*changed |= v.messages != f->messages ||
		    v.uidnext != f->uidnext;
	f->counted = true;
	f->messages = v.messages;
	f->uidnext = v.uidnext;
	f->uidvalidity = v.uidvalidity;
	f->unseen = v.unseen;
	f->modseq = v.highest_modseq;
	memcpy(f->id, v.mailbox_id, sizeof(f->id));
}

void
notify_put_status(struct session *s, struct notify_folder *f, bool all)
{
	struct place	p;
	struct buf	out;

	if (!f->counted)
		return;
	notify_place(s, f, &p);
	buf_init(&out, 32 * PLACE_NAME_MAX);
	buf_adds(&out, "* STATUS ");
	if (place_put(s, &out, &p) == -1)
		out.bad = true;
	buf_addf(&out, " (MESSAGES %" PRIu32 " UIDNEXT %" PRIu32
	    " UIDVALIDITY %" PRIu32, f->messages, f->uidnext, f->uidvalidity);
	if ((f->events & NOTIFY_FLAGS) != 0)
		buf_addf(&out, " UNSEEN %" PRIu32, f->unseen);
	if (session_enabled(s, ENABLED_CONDSTORE | ENABLED_QRESYNC) ||
	    (all && (f->events & NOTIFY_FLAGS) != 0))
		buf_addf(&out, " HIGHESTMODSEQ %" PRIu64, f->modseq);
	buf_adds(&out, ")\r\n");
	if (buf_ok(&out))
		say_buf(s, &out);
	buf_free(&out);
}
