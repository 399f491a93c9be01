/* imapd/notify_say.c - what is told of mailboxes that are not selected: LIST and STATUS. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "imapd/mailboxes.h"
#include "imapd/notify_impl.h"
#include "imapd/use.h"

void
notify_place(struct session *s, const struct notify_folder *f, struct place *p)
{
	*p = (struct place){ .store = place_store(s, f->space),
	    .name_space = f->space };
	if (str_copy(p->folder, sizeof(p->folder), str_from(f->name)) == -1)
		p->folder[0] = '\0';	/* store_list gives none so long */
}

/* As LIST would have them (RFC 5465 5.4, 5.5). */
static void
put_flags(struct buf *out, const struct notify_folder *f)
{
	const char	*use = f->exists ? use_name(f->use) : NULL;

	if (f->subscribed)
		buf_adds(out, "\\Subscribed ");
	if (f->no_access)
		buf_adds(out, "\\NoAccess ");
	else if (!f->exists)
		buf_adds(out, "\\NonExistent ");
	buf_adds(out, f->has_children ? "\\HasChildren" : "\\HasNoChildren");
	if (use != NULL)
		buf_addf(out, " %s", use);
}

static void
put_name(struct session *s, struct buf *out, const struct notify_folder *f)
{
	struct place	p;

	notify_place(s, f, &p);
	if (place_put(s, out, &p) == -1)
		out->bad = true;
}

void
notify_say_list(struct session *s, const struct notify_folder *f,
    const struct notify_folder *old)
{
	struct buf	out;

	buf_init(&out, 32 * PLACE_NAME_MAX);
	buf_adds(&out, "* LIST (");
	put_flags(&out, f);
	buf_addf(&out, ") \"%c\" ", place_separator(s));
	put_name(s, &out, f);
	if (old != NULL) {
		buf_adds(&out, " (\"OLDNAME\" (");
		put_name(s, &out, old);
		buf_adds(&out, "))");
	}
	buf_adds(&out, "\r\n");
	if (buf_ok(&out))
		say_buf(s, &out);
	buf_free(&out);
}

bool
notify_is_own(const struct notify *n, const struct notify_folder *f,
    unsigned event)
{
	const char	*name;
	size_t		 i, len;

	for (i = 0; i < n->nown; i++) {
		name = n->own[i].folder;
		len = strlen(name);
		if ((n->own[i].events & event) != 0 &&
		    (event == NOTIFY_SERVER || (n->own[i].space == f->space &&
		    (strcmp(f->name, name) == 0 || (event == NOTIFY_NAME &&
		    strncmp(f->name, name, len) == 0 && f->name[len] == '.')))))
			return true;
	}
	return false;
}

/* Does it matter to the client? Not if all that has come is what he has put there himself. */
static bool
is_news(const struct notify_folder *f, const struct view_status *v)
{
	if (!f->counted)
		return false;
	if (f->own > 0 && v->uidvalidity == f->uidvalidity &&
	    v->uidnext - f->uidnext == f->own &&
	    v->messages - f->messages == f->own)
		return false;
	if ((f->events & NOTIFY_FLAGS) != 0 &&
	    (v->highest_modseq != f->modseq || v->unseen != f->unseen))
		return true;
	return (f->events & NOTIFY_NEW) != 0 && (v->messages != f->messages ||
	    v->uidnext != f->uidnext || v->uidvalidity != f->uidvalidity);
}

void
notify_count(struct session *s, struct notify_folder *f, bool *changed)
{
	struct view_status	v;
	struct diag		why;

	*changed = false;
	if (!f->exists)
		return;
	if (view_status(place_store(s, f->space), f->name, VIEW_STATUS_UNSEEN,
	    &v, &why) == -1) {
		f->dirty |= place_is_failure(errno);
		return;
	}
	/* another session may not have written down yet what it has done */
	f->dirty |= v.unsure != 0;
	*changed = is_news(f, &v);
	f->counted = true;
	f->own = 0;
	f->messages = v.messages;
	f->uidnext = v.uidnext;
	f->uidvalidity = v.uidvalidity;
	f->unseen = v.unseen;
	f->modseq = v.highest_modseq;
	memcpy(f->id, v.mailbox_id, sizeof(f->id));
}

void
notify_say_status(struct session *s, const struct notify_folder *f, bool all)
{
	struct buf	out;

	if (!f->counted)
		return;
	buf_init(&out, 32 * PLACE_NAME_MAX);
	buf_adds(&out, "* STATUS ");
	put_name(s, &out, f);
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
