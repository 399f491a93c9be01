/*
 * imapd/fetch_send.c - the answer for one message. Fifty thousand of these are one command: no printf, no system call unless
 * the message's text is asked for.
 */
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/fmt/imap.h"
#include "common/fmt/structure.h"
#include "imapd/fetch_impl.h"
#include "imapd/objectid.h"
#include "imapd/place.h"
#include "imapd/updates.h"

static int
put_date(struct buf *b, int64_t when)
{
	char	text[IMAP_DATE_SIZE];

	if (buf_addc(b, '"') == -1 ||
	    buf_adds(b, imap_put_date_time(text, when, 0)) == -1)
		return -1;
	return buf_addc(b, '"');
}

/* Those that come of view_info. */
static int
put_info(struct fetch *f, enum fetch_att att)
{
	struct view_info	info;
	uint64_t		wire;
	struct buf		*b = &f->out;

	if (att == FETCH_SIZE)
		return view_size(f->s->view, f->at, &wire) == -1 ||
		    buf_adds(b, "RFC822.SIZE ") == -1 ? -1 :
		    buf_addu(b, wire);
	if (view_info(f->s->view, f->at, &info) == -1)
		return -1;
	if (att == FETCH_INTERNALDATE)
		return buf_adds(b, "INTERNALDATE ") == -1 ? -1 :
		    put_date(b, info.internal_date);
	if (att == FETCH_SAVEDATE)
		return buf_adds(b, "SAVEDATE ") == -1 ? -1 :
		    put_date(b, info.saved);
	if (buf_adds(b, "EMAILID (") == -1 || objectid_put(b, info.guid) == -1)
		return -1;
	return buf_addc(b, ')');
}

/* What is kept of a message, or was parsed of it just now. */
static int
put_kept(struct fetch *f, enum fetch_att att)
{
	struct cache_head	head;
	struct cache_body	body;

	if (att == FETCH_ENVELOPE)
		return view_head(f->s->view, f->at, &head) == -1 ? -1 :
		    buf_addstr(&f->out, head.envelope);
	if (view_body(f->s->view, f->at, &body) == -1)
		return -1;
	return att == FETCH_STRUCTURE ?
	    buf_addstr(&f->out, body.bodystructure) :
	    structure_reduce(&f->out, body.bodystructure);
}

/*
 * Who shares a folder can write to its cache at any time, also what would be a response of its own. So the copy is looked at,
 * which nobody can change.
 */
static int
put_parsed(struct fetch *f, enum fetch_att att)
{
	struct buf	*b = &f->out;
	size_t		 from;

	if (buf_adds(b, att == FETCH_ENVELOPE ? "ENVELOPE " :
	    att == FETCH_STRUCTURE ? "BODYSTRUCTURE " : "BODY ") == -1)
		return -1;
	from = b->n;
	if (put_kept(f, att) == -1)
		return -1;
	if (place_selected_space(f->s) != SPACE_SHARED ||
	    structure_may_be_sent((struct str){ b->p + from, b->n - from }))
		return 0;
	errno = EBADMSG;
	return -1;
}

static int
put_attribute(struct fetch *f, enum fetch_att att)
{
	const struct view_message	*m = view_message(f->s->view, f->at);
	struct buf			*b = &f->out;

	switch (att) {
	case FETCH_FLAGS:
		return buf_adds(b, "FLAGS ") == -1 ? -1 :
		    flags_put(f->s, b, m);
	case FETCH_MODSEQ:
		return buf_adds(b, "MODSEQ (") == -1 ||
		    buf_addu(b, view_modseq_told(f->s->view,
		    m->modseq)) == -1 ? -1 :
		    buf_addc(b, ')');
	case FETCH_INTERNALDATE:
	case FETCH_SIZE:
	case FETCH_SAVEDATE:
	case FETCH_EMAILID:
		return put_info(f, att);
	case FETCH_ENVELOPE:
	case FETCH_BODY:
	case FETCH_STRUCTURE:
		return put_parsed(f, att);
	case FETCH_THREADID:
		return buf_adds(b, "THREADID NIL");
	case FETCH_PREVIEW:
		return buf_adds(b, "PREVIEW ") == -1 ? -1 :
		    fetch_preview(f, b);
	case FETCH_ATTS:
		break;
	}
	return 0;
}

/* "* 3 FETCH (UID 5", or as RFC 9586 has it */
static int
put_begin(struct fetch *f, bool uid)
{
	uint32_t	 n = view_message(f->s->view, f->at)->uid;
	bool		 only = session_enabled(f->s, ENABLED_UIDONLY);
	struct buf	*b = &f->out;

	if (buf_adds(b, "* ") == -1 ||
	    buf_addu(b, only ? n : f->at + 1) == -1 ||
	    buf_adds(b, only ? " UIDFETCH (" : " FETCH (") == -1)
		return -1;
	f->first = !uid;
	if (!uid)
		return 0;
	return buf_adds(b, "UID ") == -1 ? -1 : buf_addu(b, n);
}

/* A blank, unless it is the first. */
static int
put_blank(struct fetch *f)
{
	bool	first = f->first;

	f->first = false;
	return first ? 0 : buf_addc(&f->out, ' ');
}

static int
put_attributes(struct fetch *f, unsigned extra)
{
	unsigned	i;

	for (i = 0; i < f->r.natts; i++)
		if (put_blank(f) == -1 ||
		    put_attribute(f, f->r.atts[i]) == -1)
			return -1;
	for (i = 0; i < FETCH_ATTS; i++)
		if ((extra & ~f->r.wants & 1u << i) != 0 &&
		    (put_blank(f) == -1 ||
		    put_attribute(f, (enum fetch_att)i) == -1))
			return -1;
	return 0;
}

static int
put_sections(struct fetch *f)
{
	size_t	i;

	for (i = 0; i < f->r.nsections && f->s->end == NULL; i++) {
		if (f->texts[i].how == TEXT_LEFT_OUT)
			continue;
		if (put_blank(f) == -1 || fetch_put_section(f,
		    &f->r.sections[i], &f->texts[i]) == -1)
			return -1;
	}
	return buf_adds(&f->out, ")\r\n");
}

/* The first of those that cannot be read is for the reply. */
void
fetch_failed(struct fetch *f, int error)
{
	char	safe[LOG_SAFE_MAX], where[LOG_SAFE_MAX];

	if (error == ENOENT) {
		f->gone++;
		return;
	}
	if (f->error != 0)
		return;
	log_error("fetch-failed user=%s mailbox=%s uid=%lu why=\"%s\"",
	    log_safe(safe, sizeof(safe), str_from(f->s->user)),
	    log_safe(where, sizeof(where), str_from(view_folder(f->s->view))),
	    (unsigned long)view_message(f->s->view, f->at)->uid,
	    strerror(error));
	f->error = error;
}

static bool
has_partial(const struct fetch_request *r)
{
	size_t	i;

	for (i = 0; i < r->nsections; i++)
		if (r->sections[i].partial)
			return true;
	return false;
}

/* A response that has been begun cannot be ended, nor BYE be said within it. */
static void
cut_off(struct fetch *f, size_t mark, bool begun)
{
	struct session	*s = f->s;

	if (!begun) {
		f->out.n = mark;
		f->out.bad = false;
		say_buf(s, &f->out);
		say_no_memory(s);
	}
	if (s->end == NULL)
		s->end = "out of memory";
}

void
fetch_message(struct fetch *f, size_t at, unsigned extra, bool uid)
{
	size_t		mark = f->out.n;
	uint64_t	sent = f->s->bytes_out;

	f->at = at;
	if ((f->r.nsections > 0 && fetch_find_sections(f) == -1) ||
	    put_begin(f, uid) == -1 || put_attributes(f, extra) == -1) {
		fetch_failed(f, errno);
		f->out.n = mark;
		f->out.bad = false;
	} else if (put_sections(f) == -1)
		cut_off(f, mark, f->s->bytes_out != sent);
	else if (f->first)
		f->out.n = mark;	/* nothing of it could be told */
	if (has_partial(&f->r))
		fetch_file_keep(&f->file, &f->s->kept,
		    view_message(f->s->view, at)->uid);
	fetch_file_close(&f->file);
	if (f->out.n >= FETCH_OUT_FULL) {
		say_buf(f->s, &f->out);
		buf_reset(&f->out);
	}
}
