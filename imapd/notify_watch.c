/* imapd/notify_watch.c - inotify(7) on the folders that are not selected. */
#include <sys/inotify.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "imapd/notify_impl.h"

#define IN_FOLDER	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | \
	IN_DELETE | IN_ONLYDIR)
#define IN_ROOT		(IN_FOLDER | IN_CLOSE_WRITE)
#define IN_NOTES	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR)

static int
add(struct session *s, struct notify *n, unsigned space, const char *name,
    const char *sub)
{
	char	path[PATH_MAX];
	int	len, wd;

	len = snprintf(path, sizeof(path), "%s%s%s%s",
	    store_path(place_store(s, space)),
	    name != NULL && *name != '\0' ? "/." : "",
	    name != NULL ? name : "", sub);
	if (len < 0 || (size_t)len >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	wd = inotify_add_watch(n->fd, path, name == NULL ? IN_ROOT :
	    *sub == '\0' ? IN_NOTES : IN_FOLDER);
	if (wd == -1)
		return errno == ENOENT ? 0 : -1;
	n->wds[n->nwds++] = (struct notify_wd){ wd, space, name,
	    name != NULL && *sub == '\0' };
	return 0;
}

static int
add_all(struct session *s, struct notify *n)
{
	const struct notify_folder	*f;
	unsigned			 space;
	size_t				 i;

	for (space = 0; space < place_spaces(s); space++)
		if (add(s, n, space, NULL, "") == -1)
			return -1;
	for (i = 0; i < n->nfolders; i++) {
		f = &n->folders[i];
		/* the inbox's directory is the root */
		if (f->exists && (f->events & NOTIFY_NOTES) != 0 &&
		    *f->name != '\0' && add(s, n, f->space, f->name, "") == -1)
			return -1;
		if (!f->exists || (f->events & NOTIFY_MESSAGES) == 0)
			continue;
		if (add(s, n, f->space, f->name, "/new") == -1 ||
		    add(s, n, f->space, f->name, "/cur") == -1)
			return -1;
	}
	return 0;
}

static int
by_wd(const void *pa, const void *pb)
{
	const struct notify_wd	*a = pa, *b = pb;

	return a->wd < b->wd ? -1 : a->wd > b->wd;
}

/*
 * The descriptor stays the same, so that nothing is missed: what is watched already is only found again. What is new is looked at
 * once more.
 */
int
notify_watch(struct session *s, struct notify *n)
{
	size_t	i;
	int	r;

	arena_free(&n->watched);
	n->nwds = 0;
	n->wds = arena_get(&n->watched,
	    (3 * n->nfolders + 2) * sizeof(*n->wds));
	if (n->wds == NULL)
		return -1;
	if (n->fd == -1)
		n->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (n->fd == -1)
		return 0;	/* it is looked from time to time */
	r = add_all(s, n);
	qsort(n->wds, n->nwds, sizeof(*n->wds), by_wd);
	for (i = 0; i < n->nfolders; i++)
		n->folders[i].dirty = n->folders[i].notes_dirty = true;
	n->server.notes_dirty = true;
	return r;
}

static void
everything(struct notify *n)
{
	size_t	i;

	n->list = n->server.notes_dirty = true;
	for (i = 0; i < n->nfolders; i++)
		n->folders[i].dirty = n->folders[i].notes_dirty = true;
}

static bool
is_notes(const struct inotify_event *e)
{
	return e->len > 0 && strncmp(e->name, "posthouse-metadata", 18) == 0;
}

static void
in_root(struct notify *n, const struct notify_wd *at,
    const struct inotify_event *e)
{
	size_t	i;

	/* folders and what is kept of them, not what the inbox has there */
	if (e->len > 0 && (e->name[0] == '.' ||
	    strncmp(e->name, "subscriptions", 13) == 0))
		n->list = true;
	if (!is_notes(e))
		return;
	n->server.notes_dirty = true;
	for (i = 0; i < n->nfolders; i++)
		if (n->folders[i].space == at->space &&
		    *n->folders[i].name == '\0')
			n->folders[i].notes_dirty = true;
}

static void
one(struct notify *n, const struct inotify_event *e)
{
	struct notify_wd	 key = { .wd = e->wd }, *at;
	size_t			 i;

	if ((e->mask & IN_Q_OVERFLOW) != 0) {
		everything(n);
		return;
	}
	at = bsearch(&key, n->wds, n->nwds, sizeof(*at), by_wd);
	if (at == NULL)
		return;
	if (at->name == NULL) {
		in_root(n, at, e);
		return;
	}
	for (i = 0; i < n->nfolders; i++) {
		if (n->folders[i].name != at->name)
			continue;
		if (!at->notes)
			n->folders[i].dirty = true;
		else if (is_notes(e))
			n->folders[i].notes_dirty = true;
	}
}

void
notify_read(struct notify *n)
{
	_Alignas(struct inotify_event) char	events[4096];
	const struct inotify_event		*e;
	ssize_t					 got, at;

	if (n->fd == -1) {
		everything(n);
		return;
	}
	while ((got = read(n->fd, events, sizeof(events))) > 0)
		for (at = 0; at < got;
		    at += (ssize_t)(sizeof(*e) + e->len)) {
			e = (const void *)(events + at);
			one(n, e);
		}
}
