/* imapd/copy.c - COPY (RFC 3501 6.4.7) and MOVE (RFC 6851), with COPYUID (RFC 4315). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/store/quota.h"
#include "common/store/save.h"
#include "imapd/arrivals.h"
#include "imapd/commands.h"
#include "imapd/limit.h"
#include "imapd/numbers.h"
#include "imapd/place.h"
#include "imapd/selected.h"
#include "imapd/updates.h"

struct copy {
	struct session	*s;
	struct command	*c;
	size_t		*at, n;		/* those that were still there, once they are in the batch */
	uint32_t	 limited;	/* UID, see limit_take */
	struct place	 place;
	struct save	*save;
	struct buf	 code;		/* "COPYUID ..." */
};

static bool
arguments(struct copy *x)
{
	struct session	*s = x->s;
	struct command	*c = x->c;
	struct str	 name;

	if (!numbers_take(s, c, c->uid, &x->at, &x->n))
		return false;
	if (!imap_sp(&c->args) ||
	    !imap_astring(&c->args, &s->memory, &name)) {
		command_bad(c, "a mailbox was expected");
		return false;
	}
	if (!command_end(c) ||
	    !place_find(s, c, name, RIGHT_INSERT, &x->place))
		return false;
	if (store_exists(x->place.store, x->place.folder))
		return true;
	command_no(c, "TRYCREATE", "there is no such mailbox");
	return false;
}

/* COPY is for all of them, MOVE may be for some (RFC 9738 3.1); of a SAVELIMIT it does not know. */
static bool
number_ok(struct copy *x, bool move)
{
	if (!move)
		return limit_save_ok(x->s, x->c, x->n, x->at);
	x->limited = limit_take(x->s, x->at, &x->n);
	if (x->n <= SAVE_MAX)
		return true;
	command_no(x->c, "LIMIT", "too many messages for one command");
	return false;
}

/* Only if there is a limit it is looked how large they are. */
static int
has_room(struct copy *x, bool move)
{
	struct quota		q;
	struct view_info	info;
	uint64_t		bytes = 0;
	size_t			i;

	if ((move && x->place.store == view_store_of(x->s->view)) ||
	    !quota_limits(x->place.store, &q))
		return 0;
	for (i = 0; i < x->n; i++) {
		if (view_info(x->s->view, x->at[i], &info) == 0)
			bytes += info.size;
		else if (errno != ENOENT)
			return -1;
	}
	return quota_room(x->place.store, bytes, x->n);
}

/* Flags that the user may not set there are left out (RFC 4314, 4). */
static bool
all_flags(const struct place *p)
{
	const unsigned	need = RIGHT_SEEN | RIGHT_WRITE | RIGHT_REMOVE;

	return (p->rights & need) == need;
}

static int
some_flags(struct copy *x, size_t at, bool move)
{
	const struct view_message *v = view_message(x->s->view, at);
	struct save_message	m = { .flags = v->flags, .date = INT64_MIN };
	struct str		words[VIEW_KEYWORDS];
	const unsigned		rights = x->place.rights;
	unsigned		k;

	m.flags &= (uint16_t)~VIEW_RECENT;
	if ((rights & RIGHT_SEEN) == 0)
		m.flags &= (uint16_t)~VIEW_SEEN;
	if ((rights & RIGHT_REMOVE) == 0)
		m.flags &= (uint16_t)~VIEW_DELETED;
	if ((rights & RIGHT_WRITE) == 0)
		m.flags &= VIEW_SEEN | VIEW_DELETED;
	m.keywords = words;
	for (k = 0; (rights & RIGHT_WRITE) != 0 && k < VIEW_KEYWORDS; k++)
		if ((v->keywords >> k & 1) != 0 &&
		    view_keyword(x->s->view, k) != NULL)
			words[m.nkeywords++] =
			    str_from(view_keyword(x->s->view, k));
	return move ? save_move(x->save, x->s->view, at, &m) :
	    save_copy(x->save, x->s->view, at, &m);
}

static int
one(struct copy *x, size_t at, bool move)
{
	if (!all_flags(&x->place))
		return some_flags(x, at, move);
	if (move)
		return save_move(x->save, x->s->view, at, NULL);
	return save_copy(x->save, x->s->view, at, NULL);
}

/* What has gone meanwhile is passed over by its UID; by numbers it is for all of them or none. */
static bool
gather(struct copy *x, bool move)
{
	size_t	i, n = 0;

	for (i = 0; i < x->n; i++) {
		if (one(x, x->at[i], move) == 0)
			x->at[n++] = x->at[i];
		else if (errno != ENOENT) {
			command_failed(x->s, x->c, "copy the messages");
			return false;
		} else if (!x->c->uid) {
			command_no(x->c, "EXPUNGEISSUED",
			    "some of them have been expunged");
			return false;
		}
	}
	x->n = n;
	return true;
}

static bool
commit(struct copy *x)
{
	uint32_t	*from = arena_get(&x->s->memory,
			    (x->n + 1) * sizeof(*from));
	uint32_t	*to = arena_get(&x->s->memory,
			    (x->n + 1) * sizeof(*to));
	uint32_t	 validity;
	size_t		 i;

	if (from == NULL || to == NULL) {
		command_failed(x->s, x->c, "copy the messages");
		return false;
	}
	for (i = 0; i < x->n; i++)
		from[i] = view_message(x->s->view, x->at[i])->uid;
	if (x->n > 0 && save_commit(&x->save, &validity, to) == -1) {
		if (errno == ENOENT)
			command_no(x->c, "EXPUNGEISSUED",
			    "some of them have been expunged");
		else if (errno == ESTALE)
			command_no(x->c, "TRYCREATE", "it has gone");
		else
			command_failed(x->s, x->c, "copy the messages");
		return false;
	}
	if (x->n > 0)
		arrivals_own(x->s, &x->place, to, x->n);
	if (x->n > 0 && validity != 0) {
		buf_addf(&x->code, "COPYUID %" PRIu32 " ", validity);
		imap_put_numbers(&x->code, from, x->n);
		buf_addc(&x->code, ' ');
		imap_put_numbers(&x->code, to, x->n);
	}
	return true;
}

static bool
save_all(struct copy *x, bool move)
{
	struct diag	why;

	if (!arguments(x) || !number_ok(x, move))
		return false;
	if (move && !selected_right(x->s, x->c, RIGHT_REMOVE | RIGHT_EXPUNGE))
		return false;
	if (has_room(x, move) == -1) {
		command_failed(x->s, x->c, "look at the quota");
		return false;
	}
	if (save_begin(&x->save, x->place.store, x->place.folder, &why) ==
	    -1) {
		if (errno == ENOENT)
			command_no(x->c, "TRYCREATE", "it has gone");
		else
			command_failed(x->s, x->c, "copy messages");
		return false;
	}
	return gather(x, move) && commit(x);
}

enum state
cmd_copy(struct session *s, struct command *c)
{
	struct copy	x = { .s = s, .c = c };

	buf_init(&x.code, REPLY_MAX);
	if (save_all(&x, false))
		command_ok(c, x.code.n > 0 ? buf_cstr(&x.code) : NULL,
		    "copied");
	save_abort(&x.save);
	buf_free(&x.code);
	return s->state;
}

/* RFC 6851, 4.3: the UIDs before the messages go; RFC 7162, 3.2.10.2: how far the client is then. */
static void
moved(struct copy *x)
{
	struct session	*s = x->s;
	char		 code[48];

	if (x->code.n > 0)
		say(s, "OK [%.*s] moved", STR_ARG(buf_view(&x->code)));
	if (x->n > 0) {
		view_moved(s->view, x->at, x->n);
		updates_send(s, true);
	}
	snprintf(code, sizeof(code), "HIGHESTMODSEQ %" PRIu64,
	    view_highest_told(s->view));
	limit_ok(s, x->c, x->limited, x->n > 0 &&
	    session_enabled(s, ENABLED_QRESYNC) ? code : NULL, "moved");
}

enum state
cmd_move(struct session *s, struct command *c)
{
	struct copy	x = { .s = s, .c = c };

	buf_init(&x.code, REPLY_MAX);
	if (save_all(&x, true))
		moved(&x);
	save_abort(&x.save);
	buf_free(&x.code);
	return s->state;
}
