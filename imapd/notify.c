/*
 * imapd/notify.c - NOTIFY (RFC 5465): the client says what it wants to hear of, at any time: of the selected mailbox
 * through updates.c, of others by STATUS and LIST.
 */
#include "imapd/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "imapd/commands.h"
#include "imapd/fetch.h"
#include "imapd/notify_impl.h"
#include "imapd/updates.h"

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

static void
log_unread(const struct session *s)
{
	int	error = errno;
	char	user[LOG_SAFE_MAX];

	log_warn("notify user=%s why=\"%s\"", log_safe(user, sizeof(user),
	    str_from(s->user)), strerror(error));
}

void
notify_arrived(struct session *s, uint32_t uid)
{
	struct arena	command = s->memory;
	size_t		at;

	if (s->notify == NULL || s->notify->atts.n == 0)
		return;
	/* memory of its own, for a session may wait for days */
	arena_init(&s->memory, command.max);
	for (at = view_find(s->view, uid); at < view_count(s->view) &&
	    s->end == NULL; at++)
		if (fetch_attributes(s, s->notify->atts, at) == -1)
			log_unread(s);
	arena_free(&s->memory);
	s->memory = command;
}

static bool
is_selected(const struct session *s, const struct notify_folder *f)
{
	return s->view != NULL &&
	    view_store_of(s->view) == place_store(s, f->space) &&
	    strcmp(view_folder(s->view), f->name) == 0;
}

static void
overflow(struct session *s)
{
	struct notify	*n = s->notify;

	say(s, "OK [NOTIFICATIONOVERFLOW] no more notifications");
	/* as after NOTIFY NONE */
	n->n = 0;
	n->selected = 0;
	n->atts.n = 0;
	n->nfolders = 0;
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

	arena_init(&names, NOTIFY_MEMORY);
	if (notify_load(s, n, &names, &all, &count) == -1) {
		arena_free(&names);
		return -1;
	}
	if (tell && notify_compare(s, n, &names, all, count) == -1) {
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

/* Metadata of folders, and of the server. */
static int
send_notes(struct session *s, struct notify *n)
{
	struct notify_folder	*f;
	size_t			 i;

	for (i = 0; i < n->nfolders; i++) {
		f = &n->folders[i];
		if (!f->notes_dirty || (f->events & NOTIFY_NOTES) == 0)
			continue;
		f->notes_dirty = false;
		if (notify_notes(s, &n->names, f, false) == -1)
			return -1;
	}
	if (!n->server.notes_dirty || n->server.events == 0)
		return 0;
	n->server.notes_dirty = false;
	return notify_notes(s, &n->memory, &n->server, true);
}

void
notify_send(struct session *s)
{
	struct notify		*n = s->notify;
	struct notify_folder	*f;
	size_t			 i;
	bool			 changed;

	if (!notify_is_on(s))
		return;
	notify_read(n);
	if (n->list && load(s, n, true) == -1) {
		overflow(s);
		return;
	}
	for (i = 0; i < n->nfolders && s->end == NULL; i++) {
		f = &n->folders[i];
		if (!f->dirty || (f->events & NOTIFY_MESSAGES) == 0)
			continue;
		f->dirty = false;
		notify_count(s, f, &changed);
		if (changed && !is_selected(s, f))
			notify_put_status(s, f, false);
	}
	if (s->end == NULL && send_notes(s, n) == -1)
		overflow(s);
}

int
notify_wait_fd(struct session *s)
{
	return notify_is_on(s) ? s->notify->fd : -1;
}

void
notify_clear(struct session *s)
{
	if (notify_is_on(s))
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

	for (i = 0; i < n->nfolders; i++) {
		f = &n->folders[i];
		if (f->no_access && f->events != 0)
			notify_say_list(s, f, "\\NoAccess", NULL);
		if ((f->events & (NOTIFY_MESSAGES | NOTIFY_NAME)) == 0)
			continue;
		notify_count(s, f, &ignored);
		if (status && (f->events & NOTIFY_MESSAGES) != 0 &&
		    !is_selected(s, f))
			notify_put_status(s, f, true);
	}
}

static struct notify *
create(void)
{
	struct notify	*n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->fd = -1;
	n->server = (struct notify_folder){ .name = "", .exists = true };
	arena_init(&n->memory, NOTIFY_MEMORY);
	arena_init(&n->names, NOTIFY_MEMORY);
	arena_init(&n->watched, NOTIFY_MEMORY);
	return n;
}

static bool
set(struct session *s, struct command *c, struct notify *n)
{
	bool	status;

	if (!notify_parse(s, c, n, &status))
		return false;
	if (load(s, n, false) == -1) {
		command_no(c, "NOTIFICATIONOVERFLOW", "that is too much: %s",
		    strerror(errno));
		return false;
	}
	/* whatever has happened so far is told before (RFC 5465 3.1) */
	if (s->state == S_SELECTED)
		updates_send(s, true);
	count_all(s, n, status);
	if (send_notes(s, n) == -1) {
		command_failed(s, c, "look at what is noted");
		return false;
	}
	command_ok(c, NULL, "you will hear of it");
	return true;
}

enum state
cmd_notify(struct session *s, struct command *c)
{
	struct notify	*n = create();

	if (n == NULL) {
		command_failed(s, c, "remember that");
		return s->state;
	}
	if (cur_word(&c->args, STR("NONE"))) {
		if (!command_end(c)) {
			destroy(n);
			return s->state;
		}
		command_ok(c, NULL, "you will hear nothing");
	} else if (!cur_word(&c->args, STR("SET"))) {
		command_bad(c, "SET or NONE was expected");
		destroy(n);
		return s->state;
	} else if (!set(s, c, n)) {
		destroy(n);
		return s->state;
	}
	notify_end(s);
	s->notify = n;
	return s->state;
}
