/*
 * imapd/append_message.c - one message of APPEND (RFC 3501 6.3.11, RFC 9051 6.3.12) goes from the connection to the disk, piece by
 * piece. What cannot be taken is refused before the client is asked for it, where it waits for that.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/store/quota.h"
#include "imapd/append.h"
#include "imapd/flags.h"
#include "imapd/reader.h"

static uint64_t
without(uint64_t all, uint64_t some)
{
	return all > some ? all - some : 0;
}

bool
append_room(struct append *a, uint64_t octets)
{
	uint64_t	limit = (uint64_t)a->s->set->imap.append_limit;

	if (octets > limit || a->octets > limit - octets) {
		command_no(a->c, "TOOBIG", "a message may have %" PRIu64
		    " octets", limit);
		return false;
	}
	if (quota_room(a->place.store, without(save_bytes(a->save) +
	    a->octets + octets, a->freed), without(save_count(a->save),
	    a->nfreed)) == 0) {
		a->octets += octets;
		return true;
	}
	command_failed(a->s, a->c, "look at the quota");
	return false;
}

/* An 8-bit octet in the header, which ends with an empty line. */
static void
watch_header(struct append *a, struct str piece)
{
	size_t	i;

	for (i = 0; a->in_header && i < piece.n; i++) {
		if (piece.p[i] == '\n') {
			a->in_header = a->line > 0;
			a->line = 0;
		} else if (piece.p[i] != '\r')
			a->line++;
		if ((unsigned char)piece.p[i] >= 0x80)
			a->eight_bit = true;
	}
}

bool
append_bytes(struct append *a, struct str piece)
{
	if (a->in_header)
		watch_header(a, piece);
	return save_write(a->save, piece) == 0;
}

/* All of it is read, also when it is known already that it cannot be kept. */
static bool
stream(struct append *a, const struct imap_literal *l, int *error,
    bool *nul)
{
	uint64_t	left = l->n;
	struct str	piece;

	a->in.open = false;
	if (reader_literal_begin(a->s, l) == -1)
		return false;
	while (left > 0) {
		if (reader_literal_some(a->s, &left, &piece) == -1)
			return false;
		if (!l->binary && memchr(piece.p, '\0', piece.n) != NULL)
			*nul = true;
		if (!*nul && *error == 0 && !append_bytes(a, piece))
			*error = errno;
	}
	return incoming_more(&a->in);
}

bool
append_literal(struct append *a)
{
	const struct imap_literal	l = a->in.literal;
	bool				nul = false;
	int				error = 0;

	if (!append_room(a, l.n) || !stream(a, &l, &error, &nul))
		return false;
	if (nul)
		command_bad(a->c, "a NUL byte in a literal that is not binary");
	else if (error != 0) {
		errno = error;
		command_failed(a->s, a->c, "save the message");
	}
	return !nul && error == 0;
}

static bool
at_literal(const struct append *a)
{
	return cur_done(&a->in.in) && a->in.open;
}

bool
append_utf8(struct append *a)
{
	if (!at_literal(a) || !a->in.literal.binary) {
		command_bad(a->c, "UTF8 (~{octets} was expected");
		return false;
	}
	a->utf8 = true;
	if (!append_literal(a))
		return false;
	if (cur_byte(&a->in.in, ')'))
		return true;
	command_bad(a->c, "the end of UTF8 (...) is missing");
	return false;
}

static bool
data(struct append *a)
{
	if (cur_word(&a->in.in, STR("CATENATE (")))
		return append_catenate(a);
	if (cur_word(&a->in.in, STR("UTF8 (")))
		return append_utf8(a);
	if (!at_literal(a)) {
		command_bad(a->c, "a literal was expected");
		return false;
	}
	if (a->in.literal.n > 0)
		return append_literal(a);
	/* so a client takes back what it has begun (RFC 3502, 6.3.11) */
	command_no(a->c, NULL, "an empty message is not saved");
	return false;
}

/* Of flags that the user may not set nothing is said (RFC 4314, 4). */
static void
allowed_flags(const struct place *p, struct flag_list *f)
{
	if ((p->rights & RIGHT_SEEN) == 0)
		f->flags &= (uint16_t)~VIEW_SEEN;
	if ((p->rights & RIGHT_REMOVE) == 0)
		f->flags &= (uint16_t)~VIEW_DELETED;
	if ((p->rights & RIGHT_WRITE) == 0) {
		f->flags &= VIEW_SEEN | VIEW_DELETED;
		f->n = 0;
	}
}

/* "(\Seen) " and "\"date\" ", both of which may be missing. */
static bool
options(struct append *a, struct flag_list *f, int64_t *date)
{
	struct cur	*in = &a->in.in;
	int		 zone;

	*f = (struct flag_list){ .flags = 0 };
	*date = INT64_MIN;
	if (cur_peek(in) == '(') {
		if (!flag_list(a->s, a->c, in, false, f))
			return false;
		/* some clients leave the blank out */
		if (!imap_sp(in) && !(cur_done(in) && a->in.open)) {
			command_bad(a->c, "a message was expected");
			return false;
		}
	}
	if (cur_peek(in) == '"' &&
	    (!imap_date_time(in, date, &zone) || !imap_sp(in))) {
		command_bad(a->c, "this is no date and time");
		return false;
	}
	allowed_flags(&a->place, f);
	return true;
}

/* The content is there: what can be said of the whole. */
static bool
check(struct append *a)
{
	uint64_t	wire;

	if (save_end(a->save, &wire) == -1) {
		command_failed(a->s, a->c, "save the message");
		return false;
	}
	if (wire > (uint64_t)a->s->set->imap.append_limit) {
		command_no(a->c, "TOOBIG", "the message is too large");
		return false;
	}
	if (a->s->set->imap.strict_headers && a->eight_bit && !a->utf8 &&
	    !session_utf8(a->s)) {
		/* RFC 6855, 4 */
		command_no(a->c, "CANNOT", "8-bit characters in the header: "
		    "ENABLE UTF8=ACCEPT comes first");
		return false;
	}
	return true;
}

bool
append_message(struct append *a)
{
	struct flag_list	f;
	struct save_message	m;

	if (!imap_sp(&a->in.in)) {
		command_bad(a->c, "a message was expected");
		return false;
	}
	a->octets = 0;
	a->in_header = true;
	a->eight_bit = a->utf8 = false;
	a->line = 0;
	if (!options(a, &f, &m.date))
		return false;
	m.flags = f.flags;
	m.keywords = f.keywords;
	m.nkeywords = f.n;
	if (save_open(a->save, &m) == -1) {
		command_failed(a->s, a->c, "save the message");
		return false;
	}
	return data(a) && check(a);
}
