/* imapd/append.c - APPEND with several messages (RFC 3502), and REPLACE (RFC 8508). */
#include "imapd/append.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/base/fdio.h"
#include "imapd/arrivals.h"
#include "imapd/commands.h"
#include "imapd/limit.h"
#include "imapd/mailboxes.h"
#include "imapd/numbers.h"
#include "imapd/selected.h"
#include "imapd/updates.h"

static bool
target(struct append *a)
{
	struct diag	why;
	struct str	name;

	if (!incoming_astring(&a->in, PLACE_NAME_MAX, &name) ||
	    !place_find(a->s, a->c, name, RIGHT_INSERT, &a->place))
		return false;
	if (!store_exists(a->place.store, a->place.folder))
		command_no(a->c, "TRYCREATE", "there is no such mailbox");
	else if (save_begin(&a->save, a->place.store, a->place.folder,
	    &why) == -1)
		command_failed(a->s, a->c, "save a message");
	else {
		list_say_other(a->s, &a->place, "", name); /* RFC 9051 6.3.12 */
		return true;
	}
	return false;
}

static void
begin(struct append *a, struct session *s, struct command *c)
{
	*a = (struct append){ .s = s, .c = c };
	incoming_begin(&a->in, s, c);
}

static void
end(struct append *a)
{
	append_catenate_end(a);
	save_abort(&a->save);
	incoming_end(&a->in);
}

/* All are there. "APPENDUID validity uids" into code; nothing if one has gone already, and nobody knows which UID it had. */
static bool
commit(struct append *a, struct buf *code)
{
	size_t		 n = save_count(a->save);
	uint32_t	*uids = arena_get(&a->s->memory, n * sizeof(*uids));
	uint32_t	 validity;

	if (uids == NULL || save_commit(&a->save, &validity, uids) == -1) {
		if (errno == ESTALE)
			command_no(a->c, "TRYCREATE", "it has gone");
		else
			command_failed(a->s, a->c, "save the message");
		return false;
	}
	arrivals_own(a->s, &a->place, uids, n);
	if (validity != 0) {
		buf_addf(code, "APPENDUID %" PRIu32 " ", validity);
		imap_put_numbers(code, uids, n);
	}
	return true;
}

static bool
messages(struct append *a)
{
	do
		if (!limit_save_ok(a->s, a->c, save_count(a->save) + 1,
		    NULL) || !append_message(a))
			return false;
	while (!cur_done(&a->in.in) || a->in.open);
	return true;
}

enum state
cmd_append(struct session *s, struct command *c)
{
	struct append	a;
	struct buf	code;

	begin(&a, s, c);
	buf_init(&code, REPLY_MAX);
	if (target(&a) && messages(&a) && commit(&a, &code))
		command_ok(c, code.n > 0 ? buf_cstr(&code) : NULL, "saved");
	buf_free(&code);
	end(&a);
	return s->state;
}

/* The message that goes; its number stands in front of everything else. */
static bool
old_one(struct session *s, struct command *c, size_t *old)
{
	size_t	*at, n;

	if (!numbers_take(s, c, c->uid, &at, &n))
		return false;
	if (n == 0)
		command_no(c, "NONEXISTENT", "there is no such message");
	else if (n > 1 || !imap_sp(&c->args))
		command_bad(c, "one message and a mailbox were expected");
	else if (selected_right(s, c, RIGHT_REMOVE | RIGHT_EXPUNGE)) {
		*old = at[0];
		return true;
	}
	return false;
}

/* Only what is more than before counts for the quota (RFC 8508 3.4). */
static void
count_freed(struct append *a, size_t old)
{
	struct view_info	info;

	if (view_store_of(a->s->view) != a->place.store ||
	    view_info(a->s->view, old, &info) == -1)
		return;
	a->freed = info.size;
	a->nfreed = 1;
}

/* One that somebody else has replaced meanwhile would be there twice. */
static bool
is_there(struct append *a, size_t old)
{
	int	fd = view_open_message(a->s->view, old);

	if (fd != -1) {
		fdio_close(&fd);
		return true;
	}
	if (errno == ENOENT)
		command_no(a->c, "EXPUNGEISSUED",
		    "the old message has been expunged");
	else
		command_failed(a->s, a->c, "look for the old message");
	return false;
}

static void
remove_old(struct append *a, size_t old)
{
	struct session	*s = a->s;
	char		 code[48];

	if (view_store(s->view, &old, 1, VIEW_ADD, VIEW_DELETED, 0,
	    UINT64_MAX) == -1 || view_expunge(s->view, &old, 1) == -1) {
		command_failed(s, a->c, "remove the old message");
		return;
	}
	updates_send(s, true);
	/* as after UID EXPUNGE (RFC 8508 4.5, RFC 7162 3.2.9) */
	snprintf(code, sizeof(code), "HIGHESTMODSEQ %" PRIu64,
	    view_highest_told(s->view));
	command_ok(a->c, s->end == NULL && session_enabled(s,
	    ENABLED_CONDSTORE | ENABLED_QRESYNC) ? code : NULL, "replaced");
}

static void
replace(struct append *a, size_t old)
{
	struct buf	code;

	if (!target(a) || !is_there(a, old))
		return;
	count_freed(a, old);
	buf_init(&code, REPLY_MAX);
	if (append_message(a) && incoming_done(&a->in) && is_there(a, old) &&
	    commit(a, &code)) {
		/* the new one first: one of the two is always there */
		if (code.n > 0)
			say(a->s, "OK [%.*s] the new one is saved",
			    STR_ARG(buf_view(&code)));
		remove_old(a, old);
	}
	buf_free(&code);
}

enum state
cmd_replace(struct session *s, struct command *c)
{
	struct append	a;
	size_t		old;
	bool		ok = old_one(s, c, &old);

	begin(&a, s, c);
	if (ok)
		replace(&a, old);
	end(&a);
	return s->state;
}
