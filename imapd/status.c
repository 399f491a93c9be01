/* imapd/status.c - STATUS (RFC 3501 6.3.10, RFC 9051 6.3.11; RFC 7162, RFC 7889, RFC 8438, RFC 8474, RFC 9208). */
#include <errno.h>
#include <inttypes.h>

#include "imapd/commands.h"
#include "imapd/mailboxes.h"
#include "imapd/status_args.h"
#include "imapd/updates.h"

static unsigned
what_it_takes(unsigned items)
{
	return (items & STATUS_UNSEEN ? VIEW_STATUS_UNSEEN : 0u) |
	    (items & (STATUS_DELETED | STATUS_DELETED_STORAGE) ?
	    VIEW_STATUS_DELETED : 0u) |
	    (items & (STATUS_SIZE | STATUS_DELETED_STORAGE) ?
	    VIEW_STATUS_SIZE : 0u) |
	    (items & STATUS_RECENT ? VIEW_STATUS_RECENT : 0u);
}

static uint64_t
value_of(const struct session *s, const struct view_status *v, unsigned item)
{
	switch (item) {
	case STATUS_MESSAGES:
		return v->messages;
	case STATUS_RECENT:
		return v->recent;
	case STATUS_UIDNEXT:
		return v->uidnext;
	case STATUS_UIDVALIDITY:
		return v->uidvalidity;
	case STATUS_UNSEEN:
		return v->unseen;
	case STATUS_HIGHESTMODSEQ:
		return v->highest_modseq;
	case STATUS_SIZE:
		return v->size;
	case STATUS_DELETED:
		return v->deleted;
	case STATUS_DELETED_STORAGE:
		return v->deleted_size;
	default:
		return (uint64_t)s->set->imap.append_limit;
	}
}

int
status_put(struct session *s, struct buf *out, const struct place *p,
    struct str name, unsigned items)
{
	struct view_status	v;
	struct diag		why;
	unsigned		item;
	const char		*before = "";

	if (view_status(p->store, p->folder, what_it_takes(items), &v,
	    &why) == -1)
		return -1;
	/* Those of this session are nobody else's. */
	if (view_is_of(s->view, p->store, p->folder))
		v.recent = (uint32_t)view_recent(s->view);
	buf_adds(out, "* STATUS ");
	(void)imap_put_astring(out, name, session_utf8(s));
	buf_adds(out, " (");
	for (item = 0; item < nitems(status_names); item++) {
		if ((items & 1u << item) == 0)
			continue;
		buf_addf(out, "%s%s ", before, status_names[item]);
		if (1u << item == STATUS_MAILBOXID)
			buf_addf(out, "(F%s)", v.mailbox_id);
		else
			buf_addf(out, "%" PRIu64, value_of(s, &v, 1u << item));
		before = " ";
	}
	buf_adds(out, ")\r\n");
	return buf_ok(out) ? 0 : -1;
}

enum state
cmd_status(struct session *s, struct command *cmd)
{
	const char	*wrong = "the name of a mailbox is missing";
	struct place	 p;
	struct str	 name;
	struct buf	 out;
	unsigned	 items;

	if (imap_astring(&cmd->args, &s->memory, &name) && imap_sp(&cmd->args))
		wrong = status_items(&cmd->args, &items);
	if (wrong != NULL) {
		command_bad(cmd, "STATUS: %s", wrong);
		return s->state;
	}
	if (!command_end(cmd) || !place_find(s, cmd, name, RIGHT_READ, &p))
		return s->state;
	if (items & STATUS_HIGHESTMODSEQ)
		updates_condstore(s);
	buf_init(&out, 32 * PLACE_NAME_MAX);
	if (status_put(s, &out, &p, name, items) == 0) {
		say_buf(s, &out);
		command_ok(cmd, NULL, "STATUS completed");
	} else
		command_failed(s, cmd, "look at the mailbox");
	buf_free(&out);
	return s->state;
}
