/*
 * imapd/mailbox.c - CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 6.3.3 to 6.3.7; RFC 6154 3; RFC 8474 4.1).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "imapd/commands.h"
#include "imapd/mailboxes.h"
#include "imapd/notify.h"
#include "imapd/use.h"

static bool
take_name(struct session *s, struct command *cmd, struct str *name)
{
	if (imap_astring(&cmd->args, &s->memory, name))
		return true;
	command_bad(cmd, "the name of a mailbox is missing");
	return false;
}

/* "a/" says that there will be something below "a" (RFC 3501 6.3.3); there may be anyway. */
static void
drop_separator(const struct session *s, struct str *name)
{
	if (name->n > 1 && name->p[name->n - 1] == place_separator(s))
		name->n--;
}

/* A folder is made where the one above it lets one. */
static bool
may_create(struct session *s, struct command *cmd, const struct place *p)
{
	char		above[MAILDIR_FOLDER_MAX + 1], *dot;
	unsigned	rights;

	if (str_copy(above, sizeof(above), str_from(p->folder)) == -1)
		return false;
	dot = strrchr(above, '.');
	*(dot == NULL ? above : dot) = '\0';
	if (place_rights(s, p->name_space, above, &rights) == -1) {
		command_failed(s, cmd, "look at the rights");
		return false;
	}
	if (rights & RIGHT_CREATE)
		return true;
	command_no(cmd, "NOPERM", "You may not make mailboxes there");
	return false;
}

/* The reply has the new mailbox's name for ever, if that can be told. */
static void
answer_created(struct command *cmd, const struct place *p)
{
	struct view_status	v;
	struct diag		why;
	char			code[80];

	if (view_status(p->store, p->folder, 0, &v, &why) == -1) {
		command_ok(cmd, NULL, "CREATE completed");
		return;
	}
	snprintf(code, sizeof(code), "MAILBOXID (F%s)", v.mailbox_id);
	command_ok(cmd, code, "CREATE completed");
}

enum state
cmd_create(struct session *s, struct command *cmd)
{
	const char	*wrong;
	struct place	 p;
	struct str	 name;
	bool		 unknown = false;
	char		 use = '\0';

	if (!take_name(s, cmd, &name))
		return s->state;
	if (imap_sp(&cmd->args) &&
	    (wrong = use_to_create(&cmd->args, &use, &unknown)) != NULL) {
		command_bad(cmd, "CREATE: %s", wrong);
		return s->state;
	}
	drop_separator(s, &name);
	if (!command_end(cmd) || !place_find(s, cmd, name, 0, &p))
		return s->state;
	if (unknown) {
		command_no(cmd, "USEATTR", "a mailbox cannot have that use");
		return s->state;
	}
	if (!may_create(s, cmd, &p))
		return s->state;
	if (store_create(p.store, p.folder, use) == -1) {
		command_failed(s, cmd, "make the mailbox");
		return s->state;
	}
	notify_own(s, &p, NOTIFY_NAME, 0);
	list_say_other(s, &p, "", name);	/* RFC 9051 6.3.4 */
	answer_created(cmd, &p);
	return s->state;
}

/* If that is what is selected it no longer is. */
static void
close_selected(struct session *s, const struct place *p)
{
	if (!view_is_of(s->view, p->store, p->folder))
		return;
	select_leave(s);
	say(s, "OK [CLOSED] the mailbox is no longer there");
}

/* The mailbox is gone, or has its new name, and the client is told so; what it was used for stands under the old one. */
static void
log_left(const struct session *s, const struct command *cmd, int error)
{
	char	user[LOG_SAFE_MAX];

	if (error != 0)
		log_warn("command user=%s name=\"%.*s\" what=\"carry the "
		    "special use along\" why=\"%s\"", log_safe(user,
		    sizeof(user), str_from(s->user)), STR_ARG(cmd->name),
		    strerror(error));
}

enum state
cmd_delete(struct session *s, struct command *cmd)
{
	struct place	p;
	struct str	name;
	int		left;

	if (!take_name(s, cmd, &name) || !command_end(cmd) ||
	    !place_find(s, cmd, name, RIGHT_DELETE, &p))
		return s->state;
	if (*p.folder == '\0') {
		command_no(cmd, "CANNOT", "INBOX cannot be deleted");
		return s->state;
	}
	if ((store_exists(p.store, p.folder) && acl_leave(s, &p) == -1) ||
	    store_delete(p.store, p.folder, &left) == -1) {
		command_failed(s, cmd, "delete the mailbox");
		return s->state;
	}
	log_left(s, cmd, left);
	notify_own(s, &p, NOTIFY_NAME, 0);
	close_selected(s, &p);
	list_say_other(s, &p, "\\NonExistent", name);	/* RFC 9051 6.3.5 */
	command_ok(cmd, NULL, "DELETE completed");
	return s->state;
}

/* Of INBOX, which keeps them (RFC 5464, 4.1). Its messages have the new name already, with their notes or without. */
static void
copy_notes(const struct session *s, const struct place *from,
    const struct place *to)
{
	char	user[LOG_SAFE_MAX];

	if (metadata_copy(from, to) == -1)
		log_warn("command user=%s name=RENAME what=\"copy what is "
		    "noted\" why=\"%s\"", log_safe(user, sizeof(user),
		    str_from(s->user)), strerror(errno));
}

/* Both names are known, and the rights are there. */
static void
rename_place(struct session *s, struct command *cmd, const struct place *from,
    const struct place *to)
{
	int	left;

	if (from->name_space != to->name_space) {
		command_no(cmd, "CANNOT", "A mailbox stays in its namespace");
		return;
	}
	if (store_is_below(to->folder, from->folder)) {
		command_no(cmd, "CANNOT", "It cannot be below itself");
		return;
	}
	if (strcmp(to->folder, from->folder) == 0 || *to->folder == '\0') {
		command_no(cmd, "ALREADYEXISTS", "there is one of that name");
		return;
	}
	if (acl_keep(s, from, to) == -1 || store_rename(from->store,
	    from->folder, to->folder, &left) == -1) {
		command_failed(s, cmd, "rename the mailbox");
		return;
	}
	log_left(s, cmd, left);
	notify_own(s, from, NOTIFY_NAME, 0);
	notify_own(s, to, NOTIFY_NAME, 0);
	if (*from->folder == '\0')
		copy_notes(s, from, to);
	command_ok(cmd, NULL, "RENAME completed");
}

enum state
cmd_rename(struct session *s, struct command *cmd)
{
	struct place	from, to;
	struct str	old, name;

	if (!take_name(s, cmd, &old))
		return s->state;
	if (!imap_sp(&cmd->args)) {
		command_bad(cmd, "the new name is missing");
		return s->state;
	}
	if (!take_name(s, cmd, &name) || !command_end(cmd))
		return s->state;
	drop_separator(s, &name);
	if (!place_find(s, cmd, old, RIGHT_DELETE, &from) ||
	    !place_find(s, cmd, name, 0, &to) || !may_create(s, cmd, &to))
		return s->state;
	rename_place(s, cmd, &from, &to);
	if (cmd->reply == REPLY_OK && *from.folder != '\0' &&
	    session_enabled(s, ENABLED_REV2))
		list_say(s, &to, "", old);
	return s->state;
}

/*
 * Subscriptions of all namespaces are in the user's own store. A mailbox need not be there to be subscribed to (RFC 3501
 * 6.3.6), so that it stays when it goes and comes back.
 */
static enum state
subscribe(struct session *s, struct command *cmd, bool on)
{
	char		folder[MAILDIR_FOLDER_MAX + 32];
	struct place	p;
	struct str	name;

	if (!take_name(s, cmd, &name) || !command_end(cmd))
		return s->state;
	drop_separator(s, &name);
	if (!place_find(s, cmd, name, 0, &p))
		return s->state;
	snprintf(folder, sizeof(folder), "%s%s",
	    p.name_space == SPACE_SHARED ? PLACE_SHARED : "", p.folder);
	if (store_subscribe(place_store(s, SPACE_OWN), folder, on) == -1)
		command_failed(s, cmd, "change the subscriptions");
	else {
		notify_own(s, &p, NOTIFY_SUBSCRIPTION, 0);
		command_ok(cmd, NULL, "%.*s completed", STR_ARG(cmd->name));
	}
	return s->state;
}

enum state
cmd_subscribe(struct session *s, struct command *cmd)
{
	return subscribe(s, cmd, true);
}

enum state
cmd_unsubscribe(struct session *s, struct command *cmd)
{
	return subscribe(s, cmd, false);
}
