/*
 * imapd/notify.c - NOTIFY (RFC 5465): the client says what it wants to hear of, at any time: of the selected mailbox
 * through updates.c, of others by STATUS and LIST.
 */
#include "imapd/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "imapd/commands.h"
#include "imapd/notify_impl.h"
#include "imapd/updates.h"

#define LOOK_PART	20	/* without inotify no more of the time is spent on looking */

bool
notify_is_on(const struct session *s)
{
	return s->notify != NULL &&
	    (s->notify->n > 0 || s->notify->selected != 0);
}

bool
notify_wants(const struct session *s, unsigned event)
{
	return s->notify == NULL || (s->notify->selected & event) != 0;
}

struct str
notify_attributes(const struct session *s)
{
	return s->notify == NULL ? STR("") : s->notify->atts;
}

void
notify_selected(struct session *s, bool idle)
{
	struct notify	*n = s->notify;

	if (n == NULL) {
		if (idle)
			updates_send(s, true);
	} else if (n->selected != 0) {
		updates_send(s, idle || !n->delayed);
	}
}

static bool
is_selected(const struct session *s, const struct notify_folder *f)
{
	return view_is_of(s->view, place_store(s, f->space), f->name);
}

static void
overflow(struct session *s)
{
	struct notify	*n = s->notify;

	say(s, "OK [NOTIFICATIONOVERFLOW] no more notifications");
	/* as after NOTIFY NONE */
	n->n = 0;
	n->selected = 0;
	n->others = false;
	n->atts.n = 0;
	n->nfolders = n->nwds = n->nown = 0;
	n->server.events = 0;
	arena_free(&n->names);
	arena_free(&n->watched);
	if (n->fd != -1)
		fdio_close(&n->fd);
}

/* The list of folders anew; what is different is told if tell is set. */
static int
load(struct session *s, struct notify *n, bool tell)
{
	struct notify_folder	*all;
	struct arena		 names;
	size_t			 count;
	bool			 first = n->fd == -1;
	int			 r;

	if (!n->others)
		return 0;
	arena_init(&names, NOTIFY_MEMORY);
	if (notify_load(s, n, &names, &all, &count) == -1 ||
	    (tell && notify_compare(s, n, &names, all, count) == -1)) {
		arena_free(&names);
		return -1;
	}
	arena_free(&n->names);
	n->names = names;
	n->folders = all;
	n->nfolders = count;
	r = notify_watch(s, n);
	/* what has come between the two */
	n->list = first && n->fd != -1;
	return r;
}

static int
send_server_notes(struct session *s, struct notify *n)
{
	struct arena	old = n->noted;
	int		r;

	if (!n->server.notes_dirty || n->server.events == 0)
		return 0;
	n->server.notes_dirty = false;
	arena_init(&n->noted, NOTIFY_MEMORY);
	r = notify_notes(s, &n->noted, &n->server, true,
	    !notify_is_own(n, &n->server, NOTIFY_SERVER));
	if (r == 0 && n->noted.used > 0) {
		arena_free(&old);
	} else {
		/* it could not be read: what is known stays */
		arena_free(&n->noted);
		n->noted = old;
	}
	return r;
}

/* Metadata of folders, and of the server. */
static int
send_notes(struct session *s, struct notify *n)
{
	struct notify_folder	*f;
	size_t			 i;

	for (i = 0; i < n->nfolders; i++) {
		f = &n->folders[i];
		if (!f->notes_dirty || !f->exists ||
		    (f->events & NOTIFY_NOTES) == 0)
			continue;
		f->notes_dirty = false;
		if (notify_notes(s, &n->names, f, false,
		    !notify_is_own(n, f, NOTIFY_NOTES)) == -1)
			return -1;
	}
	/* what was noted before is still there: it goes with the next list */
	if (n->names.used > NOTIFY_MEMORY / 2)
		n->list = true;
	return send_server_notes(s, n);
}

static void
send_counts(struct session *s, struct notify *n)
{
	struct notify_folder	*f;
	size_t			 i;
	bool			 changed;

	n->unsure = false;
	for (i = 0; i < n->nfolders && s->end == NULL; i++) {
		f = &n->folders[i];
		if (!f->dirty || (f->events & NOTIFY_MESSAGES) == 0)
			continue;
		f->dirty = false;
		notify_count(s, f, &changed);
		n->unsure |= f->dirty;
		if (changed && !is_selected(s, f) &&
		    !notify_is_own(n, f, NOTIFY_EXPUNGE))
			notify_say_status(s, f, false);
	}
}

void
notify_send(struct session *s)
{
	struct notify	*n = s->notify;
	int64_t		 begun = now_ms();

	if (!notify_is_on(s) || !n->others ||
	    (n->fd == -1 && begun < n->look))
		return;
	notify_read(n);
	if (n->list && load(s, n, true) == -1) {
		overflow(s);
		return;
	}
	send_counts(s, n);
	if (s->end == NULL && send_notes(s, n) == -1)
		overflow(s);
	n->nown = 0;
	n->look = now_ms() + LOOK_PART * (now_ms() - begun);
}

bool
notify_unsure(const struct session *s)
{
	return notify_is_on(s) && s->notify->others && s->notify->unsure;
}

void
notify_own(struct session *s, const struct place *p, unsigned event,
    size_t messages)
{
	struct notify		*n = s->notify;
	struct notify_folder	*f;

	if (!notify_is_on(s))
		return;
	if (event == NOTIFY_NEW) {
		f = notify_find(n->folders, n->nfolders, p->name_space,
		    p->folder);
		if (f != NULL)
			f->own += messages;
		return;
	}
	if (n->nown == NOTIFY_OWN_MAX)
		return;
	n->own[n->nown].events = event;
	n->own[n->nown].space = p->name_space;
	if (str_copy(n->own[n->nown].folder, sizeof(n->own[0].folder),
	    str_from(p->folder)) == 0)
		n->nown++;
}

int
notify_wait_fd(struct session *s)
{
	return notify_is_on(s) && s->notify->others ? s->notify->fd : -2;
}

void
notify_clear(struct session *s)
{
	if (notify_is_on(s) && s->notify->others)
		notify_read(s->notify);
}

static void
destroy(struct notify *n)
{
	if (n == NULL)
		return;
	if (n->fd != -1)
		fdio_close(&n->fd);
	arena_free(&n->memory);
	arena_free(&n->names);
	arena_free(&n->watched);
	arena_free(&n->noted);
	free(n);
}

void
notify_end(struct session *s)
{
	destroy(s->notify);
	s->notify = NULL;
}

/* What the client knows from now on. */
static void
count_all(struct session *s, struct notify *n, bool status)
{
	struct notify_folder	*f;
	size_t			 i;
	bool			 ignored;

	for (i = 0; i < n->nfolders && s->end == NULL; i++) {
		f = &n->folders[i];
		if (f->no_access && f->events != 0)
			notify_say_list(s, f, NULL);
		if ((f->events & (NOTIFY_MESSAGES | NOTIFY_NAME)) == 0)
			continue;
		notify_count(s, f, &ignored);
		if (status && (f->events & NOTIFY_MESSAGES) != 0 &&
		    !is_selected(s, f))
			notify_say_status(s, f, true);
	}
}

static int
begin(struct session *s, struct command *c, const struct notify_request *r,
    struct notify *n)
{
	struct notify	*old = s->notify;
	size_t		 i;

	if (load(s, n, false) == -1) {
		command_no(c, "NOTIFICATIONOVERFLOW", "that is too much: %s",
		    errno == EMSGSIZE ? "so many mailboxes are not watched" :
		    strerror(errno));
		return -1;
	}
	/* whatever has happened so far is told before, as by NOOP (RFC 5465 3.1) */
	s->notify = NULL;
	if (s->state == S_SELECTED)
		updates_send(s, true);
	s->notify = old;
	count_all(s, n, r->status);
	for (i = 0; i < n->nfolders; i++)
		n->folders[i].notes_dirty = true;
	n->server.notes_dirty = true;
	if (send_notes(s, n) == -1) {
		command_failed(s, c, "look at what is noted");
		return -1;
	}
	return 0;
}

static void
set(struct session *s, struct command *c, const struct notify_request *r)
{
	struct notify	*n;

	if (r->unknown) {
		command_no(c, "BADEVENT (" NOTIFY_EVENTS ")",
		    "there is no such event here");
		return;
	}
	if ((n = notify_create(s, r)) == NULL) {
		command_failed(s, c, "remember that");
		return;
	}
	if (!r->none && begin(s, c, r, n) == -1) {
		destroy(n);
		return;
	}
	notify_end(s);
	s->notify = n;
	command_ok(c, NULL, r->none ? "you will hear nothing" :
	    "you will hear of it");
}

enum state
cmd_notify(struct session *s, struct command *c)
{
	struct notify_request	 r;
	const char		*why = NULL;

	if (!notify_parse(&c->args, &s->memory, &r, &why))
		command_bad(c, "%s", why);
	else if (command_end(c))
		set(s, c, &r);
	return s->state;
}
