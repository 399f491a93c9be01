/*
 * imapd/metadata_each.c - the mailboxes of a GETMETADATA that has a pattern of LIST for a name. RFC 5464 knows one mailbox;
 * clients for Kolab ask for "*", as Dovecot understands it.
 */
#include <string.h>

#include "imapd/list_match.h"
#include "imapd/metadata_impl.h"

#define FOLDERS_MAX	(64u << 20)

struct each {
	struct session		*s;
	struct list_pattern	 pattern;
	struct buf		 name;
	metadata_found		*found;
	void			*to;
};

/* Also a mailbox that is there can be called so. */
bool
metadata_is_pattern(struct session *s, struct str name)
{
	struct place	p;

	if (memchr(name.p, '*', name.n) == NULL &&
	    memchr(name.p, '%', name.n) == NULL)
		return false;
	return !place_look_up(s, name, RIGHT_LOOKUP, &p) ||
	    !store_exists(p.store, p.folder);
}

static bool
matches(struct each *e, unsigned space)
{
	struct str	name = buf_view(&e->name);
	bool		inbox;

	inbox = space == SPACE_OWN && name.n >= 5 &&
	    memcmp(name.p, "INBOX", 5) == 0 && (name.n == 5 ||
	    name.p[5] == place_separator(e->s));
	return list_pattern_match(&e->pattern, name, inbox ? 5 : 0);
}

/* Some folders cannot be reached by their names: another one has it. */
static bool
is_found(struct each *e, unsigned space, const char *folder, struct place *p)
{
	return place_of_name(e->s, buf_view(&e->name), p) &&
	    p->name_space == space && strcmp(p->folder, folder) == 0;
}

/* Its list is the store's, and gone when others ask the store: those that match are kept in the arena. */
static int
take_folders(struct each *e, struct arena *a, unsigned space,
    struct store_folder **out, size_t *n)
{
	const struct store_folder	*list;
	struct str			 kept;
	size_t				 i, all;

	*n = 0;
	if (store_list(place_store(e->s, space), &list, &all) == -1 ||
	    (*out = arena_get(a, (all + 1) * sizeof(**out))) == NULL)
		return -1;
	for (i = 0; i < all; i++) {
		buf_reset(&e->name);
		if (!list[i].exists ||
		    place_name(e->s, space, list[i].name, &e->name) == -1 ||
		    !matches(e, space))
			continue;
		if (arena_dup(a, str_from(list[i].name), &kept) == -1)
			return -1;
		(*out)[*n] = list[i];
		(*out)[(*n)++].name = kept.p;
	}
	return 0;
}

/* What cannot be read does not keep the others back. */
static int
go_through(struct each *e, struct arena *a, unsigned space)
{
	struct store_folder	*list;
	struct place		 p;
	size_t			 i, n;
	int			 r = 0;

	if (take_folders(e, a, space, &list, &n) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		buf_reset(&e->name);
		if (place_name(e->s, space, list[i].name, &e->name) == -1 ||
		    !is_found(e, space, list[i].name, &p))
			continue;
		if (place_rights(e->s, space, p.folder, &p.rights) == -1 ||
		    ((p.rights & RIGHT_LOOKUP) != 0 && e->found(e->to, &p,
		    buf_view(&e->name), list[i].use) == -1))
			r = -1;
	}
	return r;
}

int
metadata_each(struct session *s, struct str pattern, metadata_found *found,
    void *to)
{
	struct each	e = { .s = s, .found = found, .to = to };
	struct arena	a;
	unsigned	space;
	int		r;

	arena_init(&a, FOLDERS_MAX);
	buf_init(&e.name, 16 * PLACE_NAME_MAX);
	r = list_pattern_make(&e.pattern, &a, STR(""), pattern,
	    place_separator(s));
	if (r == 0)
		for (space = 0; space < place_spaces(s); space++)
			if (go_through(&e, &a, space) == -1)
				r = -1;
	buf_free(&e.name);
	arena_free(&a);
	return r;
}
