/* imapd/notify_create.c - from the client's words to what is compared with each folder. */
#include <stdlib.h>
#include <string.h>

#include "imapd/notify_impl.h"

static int
by_name(const void *pa, const void *pb)
{
	const struct notify_name	*a = pa, *b = pb;

	if (a->space != b->space)
		return a->space < b->space ? -1 : 1;
	return strcmp(a->folder, b->folder);
}

/* A name that nothing can be called is passed over; what is not there, or may not be looked up, may be later (RFC 5465 3.1, 5.9). */
static int
add_name(struct session *s, struct notify *n, struct notify_group *g,
    struct str name)
{
	struct place	p;
	struct str	folder;

	if (!place_look_up(s, name, 0, &p))
		return 0;
	if (arena_dup(&n->memory, str_from(p.folder), &folder) == -1)
		return -1;
	g->names[g->n++] = (struct notify_name){ p.name_space, folder.p };
	return 0;
}

static int
add_group(struct session *s, struct notify *n, const struct notify_asked *a)
{
	struct notify_group	*g = &n->groups[n->n++];
	size_t			 i;

	*g = (struct notify_group){ .filter = a->filter, .events = a->events };
	n->server.events |= a->events & NOTIFY_SERVER;
	if (a->filter == FILTER_SELECTED || a->filter == FILTER_DELAYED) {
		n->selected = a->events;
		n->delayed = a->filter == FILTER_DELAYED;
	} else if (a->events != 0)
		n->others = true;
	g->names = arena_get(&n->memory, (a->n + 1) * sizeof(*g->names));
	if (g->names == NULL)
		return -1;
	for (i = 0; i < a->n; i++)
		if (add_name(s, n, g, a->names[i]) == -1)
			return -1;
	if (g->n > 1)
		qsort(g->names, g->n, sizeof(*g->names), by_name);
	return 0;
}

struct notify *
notify_create(struct session *s, const struct notify_request *r)
{
	struct notify	*n = calloc(1, sizeof(*n));
	size_t		 i;
	int		 ok;

	if (n == NULL)
		return NULL;
	n->fd = -1;
	n->server = (struct notify_folder){ .name = "", .exists = true };
	arena_init(&n->memory, NOTIFY_MEMORY);
	arena_init(&n->names, NOTIFY_MEMORY);
	arena_init(&n->watched, NOTIFY_MEMORY);
	arena_init(&n->noted, NOTIFY_MEMORY);
	n->groups = arena_get(&n->memory, (r->n + 1) * sizeof(*n->groups));
	ok = n->groups == NULL ? -1 : arena_dup(&n->memory, r->atts, &n->atts);
	for (i = 0; i < r->n && ok == 0; i++)
		ok = add_group(s, n, &r->groups[i]);
	if (ok == 0)
		return n;
	arena_free(&n->memory);
	free(n);
	return NULL;
}
