/* imapd/select.c - SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 6.3.1, 6.3.2, 6.4.2; RFC 3691; RFC 7162). */
#include <inttypes.h>
#include <string.h>

#include "common/base/now.h"
#include "imapd/arrivals.h"
#include "imapd/commands.h"
#include "imapd/contexts.h"
#include "imapd/mailboxes.h"
#include "imapd/notify.h"
#include "imapd/numbers.h"
#include "imapd/selected.h"
#include "imapd/updates.h"

#define RESPONSES_MAX	(1u << 20)	/* that wait to be said together */

/* What the client knows of the mailbox (RFC 7162, 3.2.5). */
struct known {
	bool		 is_given;
	uint32_t	 validity;
	uint64_t	 modseq;
	struct imap_set	 uids;
	bool		 has_uids, has_numbers;
	bool		 condstore;	/* it knows of that */
};

/* "(validity modseq [known-uids] [(numbers uids)])"; the pairs at the end would only make VANISHED shorter. */
static bool
qresync(struct session *s, struct cur *in, struct known *k)
{
	struct imap_set	numbers, uids;
	uint64_t	modseq;

	if (!imap_sp(in) || !cur_byte(in, '(') ||
	    !imap_nz_number(in, &k->validity) || !imap_sp(in) ||
	    !imap_number64(in, &modseq))
		return false;
	k->modseq = modseq;
	k->is_given = true;
	if (cur_byte(in, ')'))
		return true;
	if (!imap_sp(in))
		return false;
	if (imap_set(in, &s->memory, &k->uids)) {
		k->has_uids = true;
		if (cur_byte(in, ')'))
			return true;
		if (!imap_sp(in))
			return false;
	}
	k->has_numbers = true;
	return cur_byte(in, '(') && imap_set(in, &s->memory, &numbers) &&
	    imap_sp(in) && imap_set(in, &s->memory, &uids) &&
	    cur_byte(in, ')') && cur_byte(in, ')');
}

static bool
parameters(struct session *s, struct command *c, struct known *k)
{
	struct cur	*in = &c->args;
	struct str	 name;

	if (!imap_sp(in) || !cur_byte(in, '('))
		return false;
	do {
		if (!imap_atom(in, &name))
			return false;
		if (str_eq_nocase(name, STR("CONDSTORE")))
			k->condstore = true;
		else if (!str_eq_nocase(name, STR("QRESYNC")) ||
		    !session_enabled(s, ENABLED_QRESYNC) ||
		    !qresync(s, in, k))
			return false;
	} while (imap_sp(in));
	return cur_byte(in, ')');
}

void
select_leave(struct session *s)
{
	arrivals_forget(s);
	contexts_clear(s);
	result_clear(s);
	fetch_kept_drop(&s->kept);
	selected_forget(s);
	view_close(&s->view);
	memset(&s->batched, 0, sizeof(s->batched));
	s->state = S_AUTH;
}

static void
say_unseen(struct session *s)
{
	size_t	i;

	if (session_enabled(s, ENABLED_REV2 | ENABLED_UIDONLY))
		return;
	if ((i = view_first_unseen(s->view)) < view_count(s->view))
		say(s, "OK [UNSEEN %zu] first one", i + 1);
}

static void
say_mailbox(struct session *s, const struct place *p, struct str name)
{
	struct view	*v = s->view;

	updates_flags(s, true);
	say(s, "%zu EXISTS", view_count(v));
	s->recent = view_recent(v);
	if (!session_enabled(s, ENABLED_REV2))
		say(s, "%zu RECENT", s->recent);
	say_unseen(s);
	say(s, "OK [UIDVALIDITY %" PRIu32 "] UIDs valid", view_uidvalidity(v));
	say(s, "OK [UIDNEXT %" PRIu32 "] next one", view_uidnext(v));
	say(s, "OK [HIGHESTMODSEQ %" PRIu64 "] highest",
	    view_highest_told(v));
	say(s, "OK [MAILBOXID (F%s)] its name for ever", view_mailbox_id(v));
	if (session_enabled(s, ENABLED_REV2))	/* RFC 9051 6.3.2 */
		list_say(s, p, "", place_is_called(s, p, name) ? STR("") :
		    name);
}

/* RFC 7162, 3.2.5.1: what it missed. */
static int
resynchronise(struct session *s, struct known *k)
{
	struct buf	out;
	size_t		i;

	if (!k->is_given || k->validity != view_uidvalidity(s->view) ||
	    k->modseq >= view_highest_modseq(s->view))
		return 0;
	if (view_complete(s->view) == -1)
		return -1;
	if (k->has_uids)
		imap_set_end(&k->uids, view_uidnext(s->view) - 1);
	if (updates_vanished(s, k->has_uids ? &k->uids : NULL,
	    k->modseq) == -1)
		return -1;
	buf_init(&out, RESPONSES_MAX);
	for (i = 0; i < view_count(s->view); i++)
		if (view_message(s->view, i)->modseq > k->modseq &&
		    (!k->has_uids || imap_set_has(&k->uids,
		    view_message(s->view, i)->uid)))
			updates_fetch(s, &out, i, true, true);
	say_buf(s, &out);
	buf_free(&out);
	return 0;
}

static enum state
open_mailbox(struct session *s, struct command *c, bool examine)
{
	struct known	 k = { .is_given = false };
	struct place	 p;
	struct str	 name;
	struct diag	 why = { "" };
	bool		 read_only;

	if (!imap_astring(&c->args, &s->memory, &name)) {
		command_bad(c, "the name of a mailbox was expected");
		return s->state;
	}
	if (!cur_done(&c->args) && !parameters(s, c, &k)) {
		command_bad(c, "wrong parameters");
		return s->state;
	}
	if (k.has_numbers && session_enabled(s, ENABLED_UIDONLY)) {
		command_bad(c, "[UIDREQUIRED] only UIDs are in use");
		return s->state;
	}
	if (!command_end(c))
		return s->state;
	if (k.condstore)	/* HIGHESTMODSEQ is said anyway */
		s->enabled |= ENABLED_CONDSTORE;
	/* whatever happens now, no mailbox is selected (RFC 3501 6.3.1) */
	if (s->state == S_SELECTED) {
		select_leave(s);
		say(s, "OK [CLOSED] the other mailbox is closed");
	}
	if (!place_find(s, c, name, RIGHT_READ, &p))
		return S_AUTH;
	read_only = examine || (p.rights & (RIGHT_SEEN | RIGHT_WRITE |
	    RIGHT_REMOVE | RIGHT_EXPUNGE | RIGHT_INSERT)) == 0;
	if (view_open_quick(&s->view, p.store, p.folder, read_only, &why) ==
	    -1) {
		command_failed(s, c, "open the mailbox");
		return S_AUTH;
	}
	say_mailbox(s, &p, name);
	if (resynchronise(s, &k) == -1) {
		command_failed(s, c, "read the index");
		select_leave(s);
		return S_AUTH;
	}
	command_ok(c, view_read_only(s->view) ? "READ-ONLY" : "READ-WRITE",
	    "opened");
	return S_SELECTED;
}

enum state
cmd_select(struct session *s, struct command *c)
{
	return open_mailbox(s, c, false);
}

enum state
cmd_examine(struct session *s, struct command *c)
{
	return open_mailbox(s, c, true);
}

enum state
cmd_close(struct session *s, struct command *c)
{
	struct place	p;

	if (!command_end(c))
		return s->state;
	/* without the right to expunge nothing is (RFC 4314, 4); what the disk does not let go is another thing */
	if (!view_read_only(s->view) &&
	    (place_selected_rights(s) & RIGHT_EXPUNGE) != 0 &&
	    store_expunge_all(s) == -1) {
		command_failed(s, c, "remove what is deleted");
		return s->state;
	}
	selected_place(s, &p);
	notify_own(s, &p, NOTIFY_EXPUNGE, 0);
	command_ok(c, NULL, "closed");
	select_leave(s);
	return S_AUTH;
}

enum state
cmd_unselect(struct session *s, struct command *c)
{
	if (!command_end(c))
		return s->state;
	select_leave(s);
	command_ok(c, NULL, "closed, nothing removed");
	return S_AUTH;
}
