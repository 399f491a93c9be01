/* imapd/updates.c - changes of the selected mailbox, in an order in which every number means what the client thinks. */
#include "imapd/updates.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "imapd/arrivals.h"
#include "imapd/contexts.h"
#include "imapd/mailboxes.h"
#include "imapd/notify.h"
#include "imapd/place.h"
#include "imapd/selected.h"

#define OUT_MAX		((size_t)16 << 20)
#define OUT_FLUSH	32768

static const struct {
	uint16_t	 bit;
	const char	*name;
} system_flags[] = {
	{ VIEW_ANSWERED, "\\Answered" }, { VIEW_FLAGGED, "\\Flagged" },
	{ VIEW_DELETED, "\\Deleted" }, { VIEW_SEEN, "\\Seen" },
	{ VIEW_DRAFT, "\\Draft" }, { VIEW_RECENT, "\\Recent" },
};

int
flags_put(const struct session *s, struct buf *out,
    const struct view_message *m)
{
	uint16_t	flags = m->flags;
	size_t		from = out->n + 1, i;
	unsigned	k;

	if (session_enabled(s, ENABLED_REV2))
		flags &= (uint16_t)~VIEW_RECENT;
	buf_addc(out, '(');
	for (i = 0; i < nitems(system_flags); i++)
		if ((flags & system_flags[i].bit) != 0) {
			if (out->n > from)
				buf_addc(out, ' ');
			buf_adds(out, system_flags[i].name);
		}
	for (k = 0; k < VIEW_KEYWORDS && m->keywords >> k != 0; k++)
		if ((m->keywords >> k & 1) != 0 &&
		    view_keyword(s->view, k) != NULL) {
			if (out->n > from)
				buf_addc(out, ' ');
			buf_adds(out, view_keyword(s->view, k));
		}
	return buf_addc(out, ')');
}

/* RFC 4314, 4: those that this user may change for good. */
static void
say_permanent(struct session *s, struct str names)
{
	unsigned	rights = place_selected_rights(s), may = 0;
	struct buf	out;
	size_t		i;

	if (!view_read_only(s->view))
		may = ((rights & RIGHT_SEEN) != 0 ? VIEW_SEEN : 0u) |
		    ((rights & RIGHT_REMOVE) != 0 ? VIEW_DELETED : 0u) |
		    ((rights & RIGHT_WRITE) != 0 ? VIEW_ANSWERED |
		    VIEW_FLAGGED | VIEW_DRAFT : 0u);
	buf_init(&out, names.n + 128);
	for (i = 0; i < nitems(system_flags); i++)
		if ((may & system_flags[i].bit) != 0)
			buf_addf(&out, "%s%s", out.n > 0 ? " " : "",
			    system_flags[i].name);
	if ((may & VIEW_FLAGGED) != 0)
		buf_addf(&out, "%.*s%s", STR_ARG(names),
		    view_keywords_left(s->view) ? " \\*" : "");
	say(s, "OK [PERMANENTFLAGS (%.*s)] %s", STR_ARG(buf_view(&out)),
	    may != 0 ? "they stay" : "read-only");
	buf_free(&out);
}

void
updates_flags(struct session *s, bool permanent)
{
	struct buf	 names;
	const char	*name;
	unsigned	 k;

	buf_init(&names, VIEW_KEYWORDS * (VIEW_KEYWORD_MAX + 1) + 1);
	for (k = 0; k < VIEW_KEYWORDS; k++)
		if ((name = view_keyword(s->view, k)) != NULL)
			buf_addf(&names, " %s", name);
	say(s, "FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft%.*s)",
	    STR_ARG(buf_view(&names)));
	if (permanent)
		say_permanent(s, buf_view(&names));
	buf_free(&names);
}

static void
say_highest(struct session *s)
{
	say(s, "OK [HIGHESTMODSEQ %" PRIu64 "] highest",
	    view_highest_told(s->view));
}

void
updates_condstore(struct session *s)
{
	if (session_enabled(s, ENABLED_CONDSTORE | ENABLED_QRESYNC))
		return;
	s->enabled |= ENABLED_CONDSTORE;
	if (s->state == S_SELECTED)
		say_highest(s);
}

void
updates_fetch(struct session *s, struct buf *out, size_t at, bool uid,
    bool flags)
{
	const struct view_message *m = view_message(s->view, at);

	if (session_enabled(s, ENABLED_UIDONLY))
		buf_addf(out, "* %" PRIu32 " UIDFETCH (", m->uid);
	else if (uid)
		buf_addf(out, "* %zu FETCH (UID %" PRIu32 " ", at + 1, m->uid);
	else
		buf_addf(out, "* %zu FETCH (", at + 1);
	if (session_enabled(s, ENABLED_CONDSTORE))
		buf_addf(out, "MODSEQ (%" PRIu64 ")%s",
		    view_modseq_told(s->view, m->modseq), flags ? " " : "");
	if (flags) {
		buf_adds(out, "FLAGS ");
		flags_put(s, out, m);
	}
	buf_adds(out, ")\r\n");
	if (out->n > OUT_FLUSH) {
		say_buf(s, out);
		buf_reset(out);
	}
}

/* What is being told. */
struct telling {
	struct session	*s;
	struct buf	 out;
	struct buf	 gone;		/* uint32_t: UIDs not told yet */
	bool		 arrived;	/* more than the client has been told of */
	uint32_t	 first;		/* UID of the first of all that came; 0: none */
};

static void
tell_recent(struct telling *t)
{
	struct session	*s = t->s;

	s->recent = view_recent(s->view);
	if (!session_enabled(s, ENABLED_REV2))
		buf_addf(&t->out, "* %zu RECENT\r\n", s->recent);
}

static void
tell_arrived(struct telling *t)
{
	if (!t->arrived)
		return;
	t->arrived = false;
	buf_addf(&t->out, "* %zu EXISTS\r\n", view_count(t->s->view));
	tell_recent(t);
}

static int
by_number(const void *pa, const void *pb)
{
	uint32_t	a, b;

	memcpy(&a, pa, sizeof(a));
	memcpy(&b, pb, sizeof(b));
	return a < b ? -1 : a > b;
}

static void
put_uids(struct buf *out, struct buf *uids)
{
	struct imap_run	 run;
	uint32_t	 uid;
	size_t		 i, n = uids->n / sizeof(uid);

	if (n > 1)
		qsort(uids->p, n, sizeof(uid), by_number);
	imap_run_begin(&run, out);
	for (i = 0; i < n; i++) {
		memcpy(&uid, uids->p + i * sizeof(uid), sizeof(uid));
		imap_run_add(&run, uid);
	}
	imap_run_end(&run);
}

static void
tell_gone(struct telling *t)
{
	if (!buf_ok(&t->gone))	/* who is not told of one is lost */
		t->out.bad = true;
	if (t->gone.n == 0)
		return;
	buf_adds(&t->out, "* VANISHED ");
	put_uids(&t->out, &t->gone);
	buf_adds(&t->out, "\r\n");
	buf_reset(&t->gone);
}

static void
tell_expunged(struct telling *t, const struct view_change *change)
{
	struct session	*s = t->s;

	/* it may be one of those that the client has not heard of */
	tell_arrived(t);
	if (s->kept.uid == change->uid)
		fetch_kept_drop(&s->kept);
	if (s->contexts != NULL) {
		/* what they say of its number has to come between those before and this one */
		tell_gone(t);
		say_buf(s, &t->out);
		buf_reset(&t->out);
		contexts_expunged(s, change);
	}
	if (session_enabled(s, ENABLED_QRESYNC | ENABLED_UIDONLY))
		buf_add(&t->gone, &change->uid, sizeof(change->uid));
	else
		buf_addf(&t->out, "* %zu EXPUNGE\r\n", change->at + 1);
}

static void
tell(struct telling *t, const struct view_change *change)
{
	struct session	*s = t->s;

	if (change->kind != VIEW_EXPUNGED)
		tell_gone(t);
	switch (change->kind) {
	case VIEW_EXPUNGED:
		tell_expunged(t, change);
		break;
	case VIEW_CHANGED:
		if (!notify_wants(s, NOTIFY_FLAGS))
			break;
		tell_arrived(t);
		/* RFC 7162 3.2.4, RFC 5465 5.1, RFC 9051 6.4.9 and 7.5.2: with its UID */
		updates_fetch(s, &t->out, change->at, s->by_uid ||
		    s->notify != NULL || session_enabled(s,
		    ENABLED_QRESYNC | ENABLED_CONDSTORE | ENABLED_REV2), true);
		break;
	case VIEW_ARRIVED:
		t->arrived = true;
		if (t->first == 0)
			t->first = view_message(s->view, change->at)->uid;
		break;
	case VIEW_NEW_KEYWORDS:
		say_buf(s, &t->out);
		buf_reset(&t->out);
		updates_flags(s, true);
		break;
	}
	if (t->out.n > OUT_FLUSH) {
		say_buf(s, &t->out);
		buf_reset(&t->out);
	}
}

static void
cannot_go_on(struct session *s)
{
	char	user[LOG_SAFE_MAX];

	log_warn("mailbox user=%s why=\"%s\"", log_safe(user, sizeof(user),
	    str_from(s->user)), strerror(errno));
	if (view_is_renumbered(s->view)) {
		say(s, "BYE [UNAVAILABLE] the messages have other UIDs now");
		s->end = "another UIDVALIDITY";
	} else if (errno == ESTALE || errno == ENOENT) {
		say(s, "BYE [UNAVAILABLE] the mailbox is no longer there");
		s->end = "the mailbox is no longer there";
	} else if (errno == ENOMEM)
		say_no_memory(s);
}

bool
updates_ready(struct session *s)
{
	if (s->state != S_SELECTED || view_complete(s->view) == 0)
		return true;
	cannot_go_on(s);
	if (s->end == NULL) {
		say(s, "BYE [SERVERBUG] the mailbox cannot be read");
		s->end = "the mailbox cannot be read";
	}
	return false;
}

/* It goes on under another name (RFC 9051, 6.3.6); who has asked for such news by NOTIFY hears of it there. */
static void
tell_name(struct session *s, const char *before)
{
	struct place	now = { .store = view_store_of(s->view),
	    .name_space = place_selected_space(s) };
	struct buf	old;

	if (strcmp(before, view_folder(s->view)) == 0 ||
	    !session_enabled(s, ENABLED_REV2) || notify_is_on(s))
		return;
	buf_init(&old, 8 * PLACE_NAME_MAX);
	if (str_copy(now.folder, sizeof(now.folder),
	    str_from(view_folder(s->view))) == 0 &&
	    place_name(s, now.name_space, before, &old) == 0)
		list_say(s, &now, "", buf_view(&old));
	buf_free(&old);
}

/*
 * EXISTS has no modification sequence: a client that has saved the message itself, and does not ask for it, would be told of it again when
 * it resynchronises. Only where nothing was kept back, for all up to that one counts as known then.
 */
static void
tell_highest(struct session *s, bool expunges)
{
	if (expunges && notify_wants(s, NOTIFY_FLAGS) &&
	    session_enabled(s, ENABLED_CONDSTORE | ENABLED_QRESYNC))
		say_highest(s);
}

void
updates_send(struct session *s, bool expunges)
{
	struct telling		t = { .s = s };
	struct view_change	change;
	char			name[MAILDIR_FOLDER_MAX + 1];
	int			r;

	if (str_copy(name, sizeof(name), str_from(view_folder(s->view))) == -1)
		name[0] = '\0';
	if ((r = view_refresh(s->view)) == -1) {
		cannot_go_on(s);
		return;
	}
	tell_name(s, name);
	if (!selected_readable(s))
		return;
	if (r == 0) {
		contexts_changed(s);	/* by this session itself */
		return;
	}
	buf_init(&t.out, OUT_MAX);
	buf_init(&t.gone, SIZE_MAX / 2);
	while (s->end == NULL && view_next(s->view, expunges, &change))
		tell(&t, &change);
	tell_gone(&t);
	tell_arrived(&t);
	if (view_recent(s->view) != s->recent)	/* some of them have gone */
		tell_recent(&t);
	say_buf(s, &t.out);
	buf_free(&t.out);
	buf_free(&t.gone);
	/* in the order of RFC 5465 7, with which 5.2 is at odds (erratum 4833) */
	if (t.first != 0 && s->end == NULL) {
		arrivals_tell(s, t.first);
		tell_highest(s, expunges);
	}
	contexts_changed(s);
}

/* What is not in the view of a range of UIDs. */
static void
put_gaps(struct session *s, struct imap_run *run, uint32_t from, uint32_t to)
{
	size_t		at = view_find(s->view, from);
	uint32_t	uid, next;

	for (uid = from; uid <= to; uid = next + 1, at++) {
		next = at < view_count(s->view) ?
		    view_message(s->view, at)->uid : UINT32_MAX;
		if (next > to) {
			imap_run_add_range(run, uid, to);
			break;
		}
		if (uid < next)
			imap_run_add_range(run, uid, next - 1);
	}
}

/* All UIDs of the set that are not in the view: the index does not know any more when they went. */
static void
put_missing(struct session *s, struct imap_run *run,
    const struct imap_set *known)
{
	uint32_t		last = view_uidnext(s->view) - 1;
	struct imap_range	all = { 1, last };
	struct imap_set		any = { &all, last > 0 };
	size_t			i;

	if (known == NULL)
		known = &any;
	for (i = 0; i < known->n && known->r[i].from <= last; i++)
		put_gaps(s, run, known->r[i].from, known->r[i].to < last ?
		    known->r[i].to : last);
}

int
updates_vanished(struct session *s, const struct imap_set *known,
    uint64_t since)
{
	const uint32_t	*uids;
	struct imap_run	 run;
	struct buf	 out;
	size_t		 i, n, before;
	bool		 all;

	if (view_vanished(s->view, since, &uids, &n, &all) == -1)
		return -1;
	buf_init(&out, OUT_MAX);
	buf_adds(&out, "* VANISHED (EARLIER) ");
	before = out.n;
	imap_run_begin(&run, &out);
	if (!all)
		put_missing(s, &run, known);
	for (i = 0; all && i < n; i++)
		if (known == NULL || imap_set_has(known, uids[i]))
			imap_run_add(&run, uids[i]);
	imap_run_end(&run);
	if (out.n > before) {
		buf_adds(&out, "\r\n");
		say_buf(s, &out);
	}
	buf_free(&out);
	return 0;
}
