/*
 * imapd/store.c - STORE, UID STORE (RFC 3501 6.4.6; UNCHANGEDSINCE: RFC 7162 3.1.3), EXPUNGE and UID EXPUNGE (RFC 3501
 * 6.4.3, RFC 4315 2.1).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "imapd/commands.h"
#include "imapd/flags.h"
#include "imapd/limit.h"
#include "imapd/numbers.h"
#include "imapd/place.h"
#include "imapd/updates.h"

#define OUT_MAX		(1u << 20)

struct storing {
	struct session		*s;
	size_t			*at, n;		/* SIZE_MAX: failed UNCHANGEDSINCE */
	uint32_t		*number;	/* as MODIFIED names them */
	enum view_store_how	 how;
	uint16_t		 flags;
	uint64_t		 keywords;
	uint64_t		 since;		/* UINT64_MAX: any */
	uint64_t		 before;	/* no message's modseq was higher */
	uint32_t		 limited;	/* UID, see limit_take */
	bool			 silent, uid;
};

/* "(UNCHANGEDSINCE 5) " */
static bool
modifiers(struct cur *in, struct storing *st)
{
	struct str	name;

	st->since = UINT64_MAX;
	if (!cur_byte(in, '('))
		return true;
	return imap_atom(in, &name) &&
	    str_eq_nocase(name, STR("UNCHANGEDSINCE")) && imap_sp(in) &&
	    imap_number64(in, &st->since) && cur_byte(in, ')') && imap_sp(in);
}

/* "+FLAGS.SILENT " */
static bool
how(struct cur *in, struct storing *st)
{
	st->how = cur_byte(in, '+') ? VIEW_ADD : cur_byte(in, '-') ?
	    VIEW_REMOVE : VIEW_SET;
	if (!cur_word(in, STR("FLAGS")))
		return false;
	st->silent = cur_word(in, STR(".SILENT"));
	return imap_sp(in);
}

/* To be taken away it need not be made, but others may have made it since. */
static uint64_t
bit_to_remove(struct view *v, struct str name)
{
	uint64_t	bit = view_keyword_bit(v, name, false);

	/* if that fails so will view_store, which can say so */
	if (bit == 0 && view_refresh(v) != -1)
		bit = view_keyword_bit(v, name, false);
	return bit;
}

/* Keywords as bits of the mailbox; they are made if need be. */
static bool
keyword_bits(struct storing *st, struct command *c, const struct flag_list *l)
{
	uint64_t	bit;
	size_t		i;

	for (i = 0; i < l->n; i++) {
		if (st->how == VIEW_REMOVE) {
			st->keywords |= bit_to_remove(st->s->view,
			    l->keywords[i]);
			continue;
		}
		bit = view_keyword_bit(st->s->view, l->keywords[i], true);
		if (bit == 0) {
			if (errno == EMLINK || errno == EINVAL)
				command_no(c, "LIMIT", "there is no room for "
				    "one more keyword");
			else
				command_failed(st->s, c, "make a keyword");
			return false;
		}
		st->keywords |= bit;
	}
	return true;
}

static bool
parse(struct storing *st, struct command *c)
{
	struct session	*s = st->s;
	struct flag_list list;

	st->uid = c->uid;
	if (!numbers_take(s, c, c->uid, &st->at, &st->n))
		return false;
	st->limited = limit_take(s, st->at, &st->n);
	if (!imap_sp(&c->args) || !modifiers(&c->args, st)) {
		command_bad(c, "wrong modifiers");
		return false;
	}
	if (!how(&c->args, st)) {
		command_bad(c, "FLAGS, +FLAGS or -FLAGS was expected");
		return false;
	}
	if (!flag_list(s, c, &c->args, true, &list) || !command_end(c))
		return false;
	st->flags = list.flags;
	return keyword_bits(st, c, &list);
}

/* Which flags the rights let change (RFC 4314 4): \Seen, \Deleted, and all others. */
static void
permitted(unsigned rights, uint16_t *flags, uint64_t *keywords)
{
	*flags = (uint16_t)((rights & RIGHT_SEEN ? VIEW_SEEN : 0) |
	    (rights & RIGHT_REMOVE ? VIEW_DELETED : 0) |
	    (rights & RIGHT_WRITE ? VIEW_ANSWERED | VIEW_FLAGGED | VIEW_DRAFT :
	    0));
	*keywords = rights & RIGHT_WRITE ? UINT64_MAX : 0;
}

static int
change(struct storing *st, enum view_store_how as, uint16_t flags,
    uint64_t keywords, uint64_t since)
{
	size_t	*at = st->at, n = st->n, *left, i, kept = 0;

	if (as != st->how) {
		/* the second one of two: not those that failed */
		left = arena_get(&st->s->memory, (n + 1) * sizeof(*left));
		if (left == NULL)
			return -1;
		for (i = 0; i < n; i++)
			if (at[i] != SIZE_MAX)
				left[kept++] = at[i];
		at = left;
		n = kept;
	}
	return view_store(st->s->view, at, n, as, flags, keywords, since);
}

/* Flags that may not be changed stay as they are; to set all of them is then to add some and to remove the others. */
static int
change_permitted(struct storing *st)
{
	unsigned	rights = place_selected_rights(st->s);
	uint16_t	flags;
	uint64_t	keywords;

	permitted(rights, &flags, &keywords);
	if (flags == 0 || (st->how != VIEW_SET && (st->flags & flags) == 0 &&
	    (st->keywords & keywords) == 0 &&
	    (st->flags != 0 || st->keywords != 0))) {
		errno = EACCES;
		return -1;
	}
	if (st->how != VIEW_SET || rights == RIGHTS_ALL)
		return change(st, st->how, st->flags & flags,
		    st->keywords & keywords, st->since);
	st->how = VIEW_ADD;
	if (change(st, VIEW_ADD, st->flags & flags, st->keywords & keywords,
	    st->since) == -1)
		return -1;
	return change(st, VIEW_REMOVE, (uint16_t)(flags & ~st->flags),
	    keywords & ~st->keywords, UINT64_MAX);
}

/* What the client calls them, and how new they were. */
static int
note(struct storing *st)
{
	const struct view_message *m;
	size_t			 i;

	st->number = arena_get(&st->s->memory,
	    (st->n + 1) * sizeof(*st->number));
	if (st->number == NULL)
		return -1;
	for (i = 0; i < st->n; i++) {
		m = view_message(st->s->view, st->at[i]);
		st->number[i] = st->uid ? m->uid : (uint32_t)st->at[i] + 1;
		if (m->modseq > st->before)
			st->before = m->modseq;
	}
	return 0;
}

/*
 * One line for each message; .SILENT leaves only what CONDSTORE needs (RFC 7162 3.1.3), and flags that somebody else has changed
 * meanwhile, too (RFC 3501 6.4.6): their modification sequence is that of all of them.
 */
static void
tell(struct storing *st)
{
	struct session	*s = st->s;
	struct buf	 out;
	bool		 condstore = session_enabled(s,
			    ENABLED_CONDSTORE | ENABLED_QRESYNC);
	bool		 others;
	size_t		 i, at;

	buf_init(&out, OUT_MAX);
	for (i = 0; i < st->n && s->end == NULL; i++) {
		/* from the highest down if these are not all */
		at = st->at[st->limited != 0 ? st->n - 1 - i : i];
		if (at == SIZE_MAX)
			continue;
		others = view_show_newest(s->view, at);
		if (!st->silent || others || st->since != UINT64_MAX ||
		    (condstore &&
		    view_message(s->view, at)->modseq > st->before))
			updates_fetch(s, &out, at, st->uid ||
			    session_enabled(s, ENABLED_QRESYNC | ENABLED_REV2),
			    !st->silent || others);
	}
	say_buf(s, &out);
	buf_free(&out);
}

static void
reply(struct storing *st, struct command *c)
{
	struct imap_run	 run;
	struct buf	 code;
	size_t		 i;

	buf_init(&code, REPLY_MAX);
	buf_adds(&code, "MODIFIED ");
	imap_run_begin(&run, &code);
	for (i = 0; i < st->n; i++)
		if (st->at[i] == SIZE_MAX)
			imap_run_add(&run, st->number[i]);
	imap_run_end(&run);
	if (!run.some)
		limit_ok(st->s, c, st->limited, NULL, "stored");
	else if (buf_cstr(&code) != NULL)
		limit_ok(st->s, c, st->limited, code.p, "some have been changed meanwhile");
	else
		command_failed(st->s, c, "tell what has been changed");
	buf_free(&code);
}

enum state
cmd_store(struct session *s, struct command *c)
{
	struct storing	st = { .s = s };

	if (!parse(&st, c))
		return s->state;
	if (st.since != UINT64_MAX)
		updates_condstore(s);
	if (note(&st) == -1 || change_permitted(&st) == -1) {
		command_failed(s, c, "store flags");
		return s->state;
	}
	/* the client has to know of a keyword before it sees one (RFC 3501, 7.2.6) */
	if (view_keywords_new(s->view))
		updates_flags(s, true);
	tell(&st);
	reply(&st, c);
	return s->state;
}

/* All messages of the mailbox: others may have marked some since. */
static int
all(struct session *s, size_t **at, size_t *n)
{
	size_t	i;

	*n = view_count(s->view);
	*at = arena_get(&s->memory, (*n + 1) * sizeof(**at));
	if (*at == NULL)
		return -1;
	for (i = 0; i < *n; i++)
		(*at)[i] = i;
	return 0;
}

static int
expunge(struct session *s, const size_t *at, size_t n)
{
	if ((place_selected_rights(s) & RIGHT_EXPUNGE) == 0) {
		errno = EACCES;
		return -1;
	}
	return n == 0 ? 0 : view_expunge(s->view, at, n);
}

int
store_expunge_all(struct session *s)
{
	size_t	*at, n;

	if (all(s, &at, &n) == -1)
		return -1;
	return expunge(s, at, n);
}

/* UID EXPUNGE: a limit counts those that are to go. */
static uint32_t
take_deleted(struct session *s, size_t *at, size_t *n)
{
	size_t	i, kept = 0;

	for (i = 0; i < *n; i++)
		if ((view_message(s->view, at[i])->flags & VIEW_DELETED) != 0)
			at[kept++] = at[i];
	*n = kept;
	return limit_take(s, at, n);
}

/* EXPUNGE has no limit (RFC 9738 3.1), nor has CLOSE. */
enum state
cmd_expunge(struct session *s, struct command *c)
{
	size_t		*at = NULL, n = 0, before;
	uint32_t	 limited = 0;
	char		 code[48];
	int		 r, error;

	if (c->uid && !numbers_take(s, c, true, &at, &n))
		return s->state;
	if (!command_end(c))
		return s->state;
	if (c->uid && limit_messages(s) > 0)
		limited = take_deleted(s, at, &n);
	before = view_count(s->view);
	r = c->uid ? expunge(s, at, n) : store_expunge_all(s);
	error = errno;
	/* some may be gone though others could not be removed */
	updates_send(s, true);
	if (r == -1) {
		errno = error;
		command_failed(s, c, "remove messages");
		return s->state;
	}
	/* RFC 7162, 3.2.7 and 3.2.8 */
	snprintf(code, sizeof(code), "HIGHESTMODSEQ %" PRIu64,
	    view_highest_told(s->view));
	limit_ok(s, c, limited, session_enabled(s, ENABLED_CONDSTORE |
	    ENABLED_QRESYNC) && view_count(s->view) < before ? code : NULL,
	    "removed");
	return s->state;
}
