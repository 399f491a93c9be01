/* imapd/fetch.c - FETCH and UID FETCH (RFC 3501 6.4.5, RFC 9051 6.4.5). */
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "imapd/commands.h"
#include "imapd/fetch_impl.h"
#include "imapd/limit.h"
#include "imapd/numbers.h"
#include "imapd/place.h"
#include "imapd/progress.h"
#include "imapd/updates.h"

#define SEEN_AT_ONCE	64	/* messages whose \Seen is set together, just before they are sent */

/* "$" as UIDs */
static int
saved_set(struct session *s, struct imap_set *set)
{
	const struct search_result	*r = s->result;
	size_t				 i, at, n = r == NULL ? 0 : r->n;

	set->n = 0;
	set->r = arena_get(&s->memory, (n + 1) * sizeof(*set->r));
	if (set->r == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		at = view_find(s->view, r->uids[i]);
		if (at < view_count(s->view) &&
		    view_message(s->view, at)->uid == r->uids[i])
			set->r[set->n++] = (struct imap_range){ r->uids[i],
			    r->uids[i] };
	}
	return 0;
}

/*
 * "* VANISHED (EARLIER) 3:5", before any FETCH (RFC 7162 3.2.6). The set is taken once more, for it is about messages that
 * are not there.
 */
static int
tell_vanished(struct session *s, struct cur args, uint64_t since)
{
	struct imap_set	set;

	if (cur_byte(&args, '$')) {
		if (saved_set(s, &set) == -1)
			return -1;
	} else {
		if (!imap_set(&args, &s->memory, &set)) {
			errno = EINVAL;
			return -1;
		}
		imap_set_end(&set, view_uidnext(s->view) - 1);
	}
	return updates_vanished(s, &set, since);
}

/* PARTIAL */
static void
slice(const struct fetch_request *r, size_t n, size_t *from, size_t *to)
{
	size_t	i;

	*from = 0;
	*to = n;
	if (!r->slice)
		return;
	*from = r->slice_from - 1 < n ? r->slice_from - 1 : n;
	*to = r->slice_to < n ? r->slice_to : n;
	if (r->slice_last) {
		i = n - *to;
		*to = n - *from;
		*from = i;
	}
}

/* PARTIAL first, then CHANGEDSINCE (RFC 9394 3.4). A part that is too large is refused, not made smaller (RFC 9738 3.1). */
static bool
choose(struct fetch *f, struct command *cmd, size_t *at, size_t *n)
{
	const struct fetch_request	*r = &f->r;
	uint64_t			 most = limit_messages(f->s);
	size_t				 from, to, i, kept = 0;

	slice(r, *n, &from, &to);
	if (r->slice && most > 0 && to - from > most) {
		limit_refuse(cmd, most, 0);
		return false;
	}
	for (i = from; i < to; i++)
		if (!r->since_given ||
		    view_message(f->s->view, at[i])->modseq > r->since)
			at[kept++] = at[i];
	f->limited = limit_take(f->s, at, &kept);
	*n = kept;
	return true;
}

static bool
is_seen(const struct session *s, size_t at)
{
	return (view_message(s->view, at)->flags & VIEW_SEEN) != 0;
}

/* Is any data asked for that the encoding may be unknown of? */
static bool
decodes(const struct fetch_request *r)
{
	size_t	i;

	for (i = 0; i < r->nsections; i++)
		if (r->sections[i].kind == SECTION_BINARY)
			return true;
	return false;
}

/* The request fails where a section cannot be decoded (RFC 3516, 4.3): its message is not read then. */
static bool
can_decode(struct fetch *f, size_t at)
{
	size_t	i;
	bool	ok;

	f->at = at;
	ok = fetch_find_sections(f) == 0;
	for (i = 0; ok && i < f->r.nsections; i++)
		ok = f->r.sections[i].kind != SECTION_BINARY ||
		    f->texts[i].how != TEXT_LEFT_OUT;
	fetch_file_close(&f->file);
	return ok;
}

/* \Seen of these; unseen[i]: it was not set before. */
static void
set_seen(struct fetch *f, const size_t *at, size_t n, bool *unseen)
{
	size_t	some[SEEN_AT_ONCE], i, nsome = 0;
	char	safe[LOG_SAFE_MAX], where[LOG_SAFE_MAX];
	bool	sure = !decodes(&f->r);

	for (i = 0; i < n; i++)
		if ((unseen[i] = !is_seen(f->s, at[i]) &&
		    (sure || can_decode(f, at[i]))))
			some[nsome++] = at[i];
	if (nsome > 0 && view_store(f->s->view, some, nsome, VIEW_ADD,
	    VIEW_SEEN, 0, UINT64_MAX) == -1)
		log_warn("fetch-seen user=%s mailbox=%s why=\"%s\"",
		    log_safe(safe, sizeof(safe), str_from(f->s->user)),
		    log_safe(where, sizeof(where),
		    str_from(view_folder(f->s->view))), strerror(errno));
}

/* In order; from the highest UID down if these are not all (RFC 9738 3.1). */
static void
send_all(struct fetch *f, struct str tag, const size_t *at, size_t n)
{
	struct session	*s = f->s;
	struct progress	 progress;
	bool		 unseen[SEEN_AT_ONCE] = { false }, set;
	bool		 marks = f->r.seen && !view_read_only(s->view) &&
			    (place_selected_rights(s) & RIGHT_SEEN) != 0;
	const size_t	*part;
	size_t		 i, j, k, m;
	unsigned	 extra = 1u << FETCH_FLAGS;
	bool		 uid = session_enabled(s, ENABLED_QRESYNC);

	if (session_enabled(s, ENABLED_CONDSTORE | ENABLED_QRESYNC))
		extra |= 1u << FETCH_MODSEQ;
	progress_begin(&progress, s, tag, n);
	progress.ahead = &f->out;
	for (i = 0; i < n && s->end == NULL; i += m) {
		m = n - i < SEEN_AT_ONCE ? n - i : SEEN_AT_ONCE;
		part = f->limited != 0 ? at + (n - i - m) : at + i;
		if (marks)
			set_seen(f, part, m, unseen);
		for (j = 0; j < m && s->end == NULL; j++) {
			if (progress_step(&progress, i + j) == -1)
				break;	/* s->end says why */
			k = f->limited != 0 ? m - 1 - j : j;
			set = marks && unseen[k] && is_seen(s, part[k]);
			fetch_message(f, part[k], set ? extra : 0,
			    f->r.uid || (set && uid));
		}
	}
	if (s->end == NULL && f->out.n > 0)
		say_buf(s, &f->out);
}

static void
reply(struct fetch *f, struct command *cmd)
{
	if (f->error != 0) {
		limit_say(f->s, f->limited);
		errno = f->error;
		command_failed(f->s, cmd, "read a message");
	} else if (f->unknown_cte) {
		limit_say(f->s, f->limited);
		command_no(cmd, "UNKNOWN-CTE", "Cannot decode all of that");
	} else if (f->gone > 0)
		limit_ok(f->s, cmd, f->limited, "EXPUNGEISSUED",
		    "Some messages are there no more");
	else
		limit_ok(f->s, cmd, f->limited, NULL, "Fetch completed");
}

static bool
parse(struct fetch *f, struct command *cmd)
{
	const char	*why = NULL;

	if (!imap_sp(&cmd->args) || !fetch_parse(&cmd->args, &f->s->memory,
	    cmd->uid, &f->r, &why))
		command_bad(cmd, "%s", why == NULL ? "Expected a list of "
		    "attributes" : why);
	else if (f->r.vanished && !session_enabled(f->s, ENABLED_QRESYNC))
		command_bad(cmd, "VANISHED is for those who enabled QRESYNC");
	else {
		/* in UIDONLY it stands in front already (RFC 9586) */
		f->r.uid |= cmd->uid &&
		    !session_enabled(f->s, ENABLED_UIDONLY);
		return true;
	}
	return false;
}

void
fetch_begin(struct fetch *f)
{
	buf_init(&f->out, FETCH_OUT_MAX);
	buf_init(&f->kept, FETCH_KEEP_MAX);
	buf_init(&f->piece, 5 * FETCH_PIECE);
	buf_init(&f->decoded, 3 * FETCH_PIECE);
	fetch_file_init(&f->file);
}

void
fetch_end(struct fetch *f)
{
	fetch_file_free(&f->file);
	buf_free(&f->out);
	buf_free(&f->kept);
	buf_free(&f->piece);
	buf_free(&f->decoded);
}

static void
run(struct fetch *f, struct command *cmd, struct cur set, size_t *at, size_t n)
{
	struct session	*s = f->s;

	if (fetch_wants(&f->r, FETCH_MODSEQ))
		updates_condstore(s);	/* CHANGEDSINCE as well */
	if (f->r.vanished && tell_vanished(s, set, f->r.since) == -1) {
		command_failed(s, cmd, "tell what has vanished");
		return;
	}
	f->texts = arena_get(&s->memory, f->r.nsections * sizeof(*f->texts));
	if (f->texts == NULL) {
		command_failed(s, cmd, "fetch");
		return;
	}
	fetch_begin(f);
	send_all(f, cmd->tag, at, n);
	reply(f, cmd);
	fetch_end(f);
}

enum state
cmd_fetch(struct session *s, struct command *cmd)
{
	struct fetch	 f = { .s = s };
	struct cur	 set = cmd->args;
	size_t		*at, n;

	if (numbers_take(s, cmd, cmd->uid, &at, &n) && parse(&f, cmd) &&
	    choose(&f, cmd, at, &n))
		run(&f, cmd, set, at, n);
	return s->state;
}
