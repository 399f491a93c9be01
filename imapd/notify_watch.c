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

#define IN_MESSAGES	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | \
	IN_DELETE | IN_ONLYDIR)
#define IN_ROOT		(IN_MESSAGES | IN_CLOSE_WRITE)
/* its notes, and of shared ones rights: files that are replaced, and modes */
#define IN_NOTES	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR)
#define IN_RIGHTS	(IN_NOTES | IN_ATTRIB)

/* wd: what it was before; another one now: what came meanwhile has to be looked for. */
static int
add(struct session *s, struct notify *n, unsigned space, const char *path,
    uint32_t mask, int *wd)
{
	char	whole[PATH_MAX];
	int	len, got;

	len = snprintf(whole, sizeof(whole), "%s%s",
	    store_path(place_store(s, space)), path);
	if (len < 0 || (size_t)len >= sizeof(whole)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	got = inotify_add_watch(n->fd, whole, mask);
	if (got == -1) {
		*wd = 0;
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR ?
		    0 : -1;
	}
	*wd = got;
	n->wds[n->nwds++] = (struct notify_wd){ .wd = got, .space = space };
	return 0;
}

static int
add_inside(struct session *s, struct notify *n, size_t at, unsigned which)
{
	static const char *const	subs[] = {
		[WATCH_NEW] = "/new", [WATCH_CUR] = "/cur", [WATCH_FOLDER] = ""
	};
	struct notify_folder		*f = &n->folders[at];
	char				 path[MAILDIR_FOLDER_MAX + 8];
	int				 before = f->wd[which];
	size_t				 nwds = n->nwds;

	snprintf(path, sizeof(path), "%s%s%s", *f->name != '\0' ? "/." : "",
	    f->name, subs[which]);
	if (add(s, n, f->space, path, which != WATCH_FOLDER ? IN_MESSAGES :
	    f->space == SPACE_SHARED ? IN_RIGHTS : IN_NOTES,
	    &f->wd[which]) == -1)
		return -1;
	if (n->nwds > nwds) {
		n->wds[nwds].folder = at;
		n->wds[nwds].which = which;
	}
	if (f->wd[which] != before && which != WATCH_FOLDER)
		f->dirty = true;
	else if (f->wd[which] != before)
		f->notes_dirty = true;
	return 0;
}

/* Does what the client wants depend on rights? Then also on those of folders above. */
static bool
watches_rights(const struct notify *n)
{
	size_t	i;

	for (i = 0; i < n->nfolders; i++)
		if (n->folders[i].space == SPACE_SHARED &&
		    n->folders[i].events != 0)
			return true;
	return false;
}

static int
add_folder(struct session *s, struct notify *n, size_t at, bool rights)
{
	const struct notify_folder	*f = &n->folders[at];
	bool				 shared = f->space == SPACE_SHARED;

	/* the inbox's directory is the root */
	if (*f->name != '\0' && ((shared && rights && f->on_disk) ||
	    (f->exists && (f->events & NOTIFY_NOTES) != 0)) &&
	    add_inside(s, n, at, WATCH_FOLDER) == -1)
		return -1;
	if (!f->exists || (f->events & NOTIFY_MESSAGES) == 0)
		return 0;
	return add_inside(s, n, at, WATCH_NEW) == -1 ||
	    add_inside(s, n, at, WATCH_CUR) == -1 ? -1 : 0;
}

static int
add_all(struct session *s, struct notify *n)
{
	const unsigned	most = (unsigned)s->set->imap.notify_mailboxes;
	bool		rights = watches_rights(n);
	unsigned	space, count = 0;
	size_t		i, before;
	int		wd;

	for (space = 0; space < place_spaces(s); space++) {
		before = n->nwds;
		if (add(s, n, space, "", IN_ROOT, &wd) == -1)
			return -1;
		if (n->nwds > before)
			n->wds[before].folder = NOTIFY_ROOT;
	}
	for (i = 0; i < n->nfolders; i++) {
		before = n->nwds;
		if (add_folder(s, n, i, rights) == -1)
			return -1;
		if (n->nwds > before && ++count > most) {
			errno = EMSGSIZE;
			return -1;
		}
	}
	return 0;
}

static int
by_wd(const void *pa, const void *pb)
{
	const struct notify_wd	*a = pa, *b = pb;

	return a->wd < b->wd ? -1 : a->wd > b->wd;
}

static void
everything(struct notify *n)
{
	size_t	i;

	n->list = n->server.notes_dirty = true;
	for (i = 0; i < n->nfolders; i++)
		n->folders[i].dirty = n->folders[i].notes_dirty = true;
}

/* The descriptor stays the same, so that nothing is missed: what is watched already is only found again. */
int
notify_watch(struct session *s, struct notify *n)
{
	int	r;

	arena_free(&n->watched);
	n->nwds = 0;
	n->wds = arena_get(&n->watched,
	    (WATCHES * n->nfolders + 2) * sizeof(*n->wds));
	if (n->wds == NULL)
		return -1;
	if (n->fd == -1)
		n->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (n->fd == -1)
		return 0;	/* it is looked from time to time */
	r = add_all(s, n);
	qsort(n->wds, n->nwds, sizeof(*n->wds), by_wd);
	return r;
}

static bool
is_file(const struct inotify_event *e, const char *name)
{
	return e->len > 0 && strcmp(e->name, name) == 0;
}

static bool
is_notes(const struct inotify_event *e)
{
	return is_file(e, "posthouse-metadata") ||
	    is_file(e, "posthouse-metadata-server");
}

/* Folders and what is kept of them, not what the inbox has there. */
static void
in_root(struct notify *n, const struct notify_wd *at,
    const struct inotify_event *e)
{
	struct notify_folder	*inbox;

	if ((e->len > 0 && e->name[0] == '.' &&
	    (e->mask & IN_CLOSE_WRITE) == 0) || is_file(e, "subscriptions") ||
	    is_file(e, "courierimapsubscribed") ||
	    (at->space == SPACE_SHARED && is_file(e, "dovecot-acl")))
		n->list = true;
	if (!is_notes(e))
		return;
	n->server.notes_dirty = true;
	inbox = notify_find(n->folders, n->nfolders, at->space, "");
	if (inbox != NULL)
		inbox->notes_dirty = true;
}

static void
one(struct notify *n, const struct inotify_event *e)
{
	const struct notify_wd	 key = { .wd = e->wd }, *at;
	struct notify_folder	*f;

	if ((e->mask & IN_Q_OVERFLOW) != 0) {
		everything(n);
		return;
	}
	at = n->nwds == 0 ? NULL : bsearch(&key, n->wds, n->nwds, sizeof(*at),
	    by_wd);
	if (at == NULL)
		return;
	if (at->folder == NOTIFY_ROOT) {
		in_root(n, at, e);
		return;
	}
	f = &n->folders[at->folder];
	if (at->which != WATCH_FOLDER)
		f->dirty = true;
	else if (is_notes(e))
		f->notes_dirty = true;
	else if (at->space == SPACE_SHARED &&
	    (is_file(e, "dovecot-acl") || (e->mask & IN_ATTRIB) != 0))
		n->list = true;
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
