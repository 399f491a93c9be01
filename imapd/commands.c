/* imapd/commands.c - the table of commands, and the loop that runs them. */
#include "imapd/commands.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/log.h"
#include "imapd/compress.h"
#include "imapd/incoming.h"
#include "imapd/notify.h"
#include "imapd/numbers.h"
#include "imapd/place.h"
#include "imapd/reader.h"
#include "imapd/selected.h"
#include "imapd/updates.h"
#include "imapd/waiting.h"

#define MEMORY_MAX	((size_t)256 << 20)	/* of one command */

static const struct command_row rows[] = {
	{ "CAPABILITY",	S_ANY,		0, cmd_capability },
	{ "NOOP",	S_ANY,		0, cmd_noop },
	{ "LOGOUT",	S_ANY,		CMD_NO_UPDATES, cmd_logout },
	{ "ID",		S_ANY,		0, cmd_id },
	{ "ENABLE",	S_ANY,		0, cmd_enable },
	{ "STARTTLS",	S_ANY,		0, cmd_refused },
	{ "LOGIN",	S_ANY,		0, cmd_refused },
	{ "AUTHENTICATE", S_ANY,	0, cmd_refused },
	{ "COMPRESS",	S_ANY,		CMD_NO_UPDATES, cmd_compress },
	{ "UNAUTHENTICATE", S_ANY,	CMD_NO_UPDATES, cmd_unauthenticate },
	{ "NAMESPACE",	S_ANY,		0, cmd_namespace },
	{ "SELECT",	S_ANY,		CMD_NO_UPDATES, cmd_select },
	{ "EXAMINE",	S_ANY,		CMD_NO_UPDATES, cmd_examine },
	{ "CREATE",	S_ANY,		0, cmd_create },
	{ "DELETE",	S_ANY,		0, cmd_delete },
	{ "RENAME",	S_ANY,		0, cmd_rename },
	{ "SUBSCRIBE",	S_ANY,		0, cmd_subscribe },
	{ "UNSUBSCRIBE", S_ANY,		0, cmd_unsubscribe },
	{ "LIST",	S_ANY,		0, cmd_list },
	{ "LSUB",	S_ANY,		0, cmd_lsub },
	{ "STATUS",	S_ANY,		0, cmd_status },
	{ "APPEND",	S_ANY,		CMD_STREAMS, cmd_append },
	{ "IDLE",	S_ANY,		0, cmd_idle },
	{ "NOTIFY",	S_ANY,		0, cmd_notify },
	{ "GETQUOTA",	S_ANY,		0, cmd_getquota },
	{ "GETQUOTAROOT", S_ANY,	0, cmd_getquotaroot },
	{ "SETQUOTA",	S_ANY,		0, cmd_setquota },
	{ "GETACL",	S_ANY,		0, cmd_getacl },
	{ "SETACL",	S_ANY,		0, cmd_setacl },
	{ "DELETEACL",	S_ANY,		0, cmd_deleteacl },
	{ "LISTRIGHTS",	S_ANY,		0, cmd_listrights },
	{ "MYRIGHTS",	S_ANY,		0, cmd_myrights },
	{ "GETMETADATA", S_ANY,		0, cmd_getmetadata },
	{ "SETMETADATA", S_ANY,		0, cmd_setmetadata },
	{ "ESEARCH",	S_ANY,		0, cmd_esearch },
	{ "UID ESEARCH", S_ANY,		0, cmd_esearch },	/* as RFC 7377 2 has it once */
	{ "CANCELUPDATE", S_ANY,	0, cmd_cancelupdate },
	{ "CHECK",	S_SELECTED,	0, cmd_check },
	{ "CLOSE",	S_SELECTED,	CMD_NO_UPDATES, cmd_close },
	{ "UNSELECT",	S_SELECTED,	CMD_NO_UPDATES, cmd_unselect },
	{ "EXPUNGE",	S_SELECTED,	CMD_WRITES, cmd_expunge },
	{ "UID EXPUNGE", S_SELECTED,	CMD_WRITES, cmd_expunge },
	{ "SEARCH",	S_SELECTED,	CMD_NO_EXPUNGE | CMD_NO_SEQ |
	    CMD_LATER, cmd_search },
	{ "UID SEARCH",	S_SELECTED,	CMD_LATER, cmd_search },
	{ "SORT",	S_SELECTED,	CMD_NO_EXPUNGE | CMD_NO_SEQ |
	    CMD_LATER, cmd_sort },
	{ "UID SORT",	S_SELECTED,	CMD_LATER, cmd_sort },
	{ "THREAD",	S_SELECTED,	CMD_NO_EXPUNGE | CMD_NO_SEQ |
	    CMD_LATER, cmd_thread },
	{ "UID THREAD",	S_SELECTED,	CMD_LATER, cmd_thread },
	{ "UIDBATCHES",	S_SELECTED,	0, cmd_uidbatches },
	{ "FETCH",	S_SELECTED,	CMD_NO_EXPUNGE | CMD_NO_SEQ |
	    CMD_LATER, cmd_fetch },
	{ "UID FETCH",	S_SELECTED,	CMD_LATER, cmd_fetch },
	{ "STORE",	S_SELECTED,	CMD_NO_EXPUNGE | CMD_NO_SEQ |
	    CMD_WRITES, cmd_store },
	{ "UID STORE",	S_SELECTED,	CMD_WRITES, cmd_store },
	{ "COPY",	S_SELECTED,	CMD_NO_SEQ, cmd_copy },
	{ "UID COPY",	S_SELECTED,	0, cmd_copy },
	{ "MOVE",	S_SELECTED,	CMD_NO_SEQ | CMD_WRITES, cmd_move },
	{ "UID MOVE",	S_SELECTED,	CMD_WRITES, cmd_move },
	{ "REPLACE",	S_SELECTED,	CMD_NO_SEQ | CMD_STREAMS | CMD_WRITES,
	    cmd_replace },
	{ "UID REPLACE", S_SELECTED,	CMD_STREAMS | CMD_WRITES, cmd_replace },
};

const struct command_row *
command_find(struct str name)
{
	size_t	i;

	for (i = 0; i < nitems(rows); i++)
		if (str_eq_nocase(name, str_from(rows[i].name)))
			return &rows[i];
	return NULL;
}

/* "UID" belongs to the name that follows it. */
static bool
take_name(struct cur *c, struct str *name, bool *uid)
{
	struct str	word, second;

	if (!imap_atom(c, &word))
		return false;
	*name = word;
	*uid = str_eq_nocase(word, STR("UID"));
	if (!*uid)
		return true;
	if (!imap_sp(c) || !imap_atom(c, &second))
		return false;
	name->n = (size_t)(second.p + second.n - word.p);
	return true;
}

bool
command_streams(struct str text)
{
	struct cur			 c = cur_from(text);
	const struct command_row	*row;
	struct str			 word;
	bool				 uid;

	return imap_tag(&c, &word) && imap_sp(&c) &&
	    take_name(&c, &word, &uid) && (row = command_find(word)) != NULL &&
	    (row->flags & CMD_STREAMS) != 0;
}

static void
bad_line(struct session *s, struct str tag, const char *why)
{
	struct buf	out;

	buf_init(&out, 4096);
	buf_addf(&out, "%.*s BAD %s\r\n", STR_ARG(tag), why);
	say_buf(s, &out);
	buf_free(&out);
	s->errors++;
}

bool
command_begin(struct session *s, struct str text, struct command *c,
    const struct command_row **row)
{
	struct cur		in = cur_from(text);
	struct imap_literal	l;
	bool			ended;

	if (!imap_tag(&in, &c->tag)) {
		bad_line(s, STR("*"), "this is no tag");
		return false;
	}
	if (!imap_sp(&in) || !take_name(&in, &c->name, &c->uid)) {
		bad_line(s, c->tag, "a command is missing");
		return false;
	}
	if ((*row = command_find(c->name)) == NULL) {
		bad_line(s, c->tag, "unknown command");
		return false;
	}
	ended = cur_done(&in) || imap_sp(&in);
	c->args = in;
	c->literal_open = ((*row)->flags & CMD_STREAMS) != 0 &&
	    imap_literal_at_end(&text, &l);
	if (!ended)
		bad_line(s, c->tag, "wrong arguments");
	return ended;
}

/* Is it welcome now? If not it has its reply. */
static bool
is_welcome(struct session *s, struct command *c, const struct command_row *r)
{
	if ((r->states & s->state) == 0)
		command_bad(c, "no mailbox is selected");
	else if ((r->flags & CMD_NO_SEQ) != 0 &&
	    session_enabled(s, ENABLED_UIDONLY))
		command_bad(c, "[UIDREQUIRED] only UIDs are in use");
	else if ((r->flags & CMD_WRITES) != 0 && view_read_only(s->view))
		command_no(c, "NOPERM", "the mailbox is open read-only");
	else
		return true;
	return false;
}

/* Literals that nobody will read. */
static void
drop_literals(struct session *s, struct command *c)
{
	struct incoming	in;

	if (!c->literal_open)
		return;
	incoming_begin(&in, s, c);
	incoming_end(&in);
}

static const struct str words[] = {
	[REPLY_OK] = { " OK ", 4 }, [REPLY_NO] = { " NO ", 4 },
	[REPLY_BAD] = { " BAD ", 5 }
};

static void
finish(struct session *s, struct command *c)
{
	char		user[LOG_SAFE_MAX];

	/* a handler that says nothing has left something undone */
	if (c->reply == REPLY_NONE) {
		log_error("command user=%s name=\"%.*s\" why=\"no reply\"",
		    log_safe(user, sizeof(user), str_from(s->user)),
		    STR_ARG(c->name));
		command_no(c, "SERVERBUG", "it cannot be said what was done");
	}
	say_str(s, c->tag);
	say_str(s, words[c->reply]);
	/* what was done was done, if there is memory to say more of it or not */
	if (buf_ok(&c->text))
		say_str(s, buf_view(&c->text));
	else
		say_str(s, STR("there is no memory to say more"));
	say_str(s, STR("\r\n"));
	if (c->reply == REPLY_BAD)
		s->errors++;
	else if (c->reply == REPLY_OK)
		s->errors = 0;
}

/* Clients that read many messages say all their commands at once: one look at the folder is enough for them. */
static bool
is_put_off(const struct session *s, const struct command_row *row)
{
	return (row->flags & CMD_NO_UPDATES) != 0 ||
	    ((row->flags & CMD_LATER) != 0 && conn_has_line(&s->conn));
}

static void
run(struct session *s, struct str text)
{
	const struct command_row	*row;
	struct command			 c;
	bool				 expunges, is_whole;

	memset(&c, 0, sizeof(c));
	if (!command_begin(s, text, &c, &row)) {
		drop_literals(s, &c);
		return;
	}
	if (!updates_ready(s) || ((row->flags & CMD_NO_UPDATES) == 0 &&
	    !selected_readable(s)))
		return;
	s->commands++;
	s->by_uid = c.uid;
	buf_init(&c.text, REPLY_MAX);
	expunges = (row->flags & CMD_NO_EXPUNGE) == 0;
	if (is_welcome(s, &c, row))
		s->state = row->run(s, &c);
	else
		drop_literals(s, &c);
	/* what was done is said even if the mailbox has gone since: who is not told does it again */
	is_whole = s->end == NULL || s->state == S_LOGOUT;
	if (s->state == S_SELECTED && s->end == NULL &&
	    !is_put_off(s, row) && notify_wants(s, NOTIFY_MESSAGES))
		updates_send(s, expunges && !c.numbers);
	if (s->end == NULL && (s->state & S_ANY) != 0)
		notify_send(s);
	s->by_uid = false;
	if (is_whole)
		finish(s, &c);
	if (s->compressed && s->conn.io == NULL && s->end == NULL)
		compress_begin(s);
	buf_free(&c.text);
}

static bool
goes_on(const struct session *s)
{
	return s->end == NULL && (s->state & S_ANY) != 0;
}

void
commands_run(struct session *s)
{
	struct buf	text;

	buf_init(&text, (size_t)s->set->imap.command_max +
	    (size_t)s->set->imap.literal_max);
	arena_init(&s->memory, MEMORY_MAX);
	while (goes_on(s)) {
		if (notify_is_on(s) && !waiting_for_line(s, false))
			break;
		if (reader_next(s, &text) == READER_OK)
			run(s, buf_view(&text));
		arena_free(&s->memory);
		/* what waits for the next command holds no more than it has to */
		if (!conn_has_line(&s->conn)) {
			buf_free(&text);
			if (conn_flush(&s->conn,
			    s->set->imap.in.idle_timeout) == -1)
				reader_over(s);
			conn_idle_trim(&s->conn);
		}
		if (s->errors >= (unsigned)s->set->imap.errors &&
		    s->end == NULL) {
			say(s, "BYE [LIMIT] too many errors");
			s->end = "too many errors";
		}
	}
	buf_free(&text);
	notify_end(s);
	fetch_kept_drop(&s->kept);
	selected_forget(s);
	view_close(&s->view);
}
