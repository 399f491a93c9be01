/*
 * pop3d/transaction.c - the states TRANSACTION and UPDATE (RFC 1939, 5 and
 * 6). Runs in the session, as the mailbox's user; the peer has logged in and
 * may be hostile all the same, but has nothing here that is not its own.
 * Nothing changes in the mailbox before QUIT.
 */
#include "pop3d/transaction.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "pop3d/capa.h"
#include "pop3d/command.h"
#include "pop3d/send.h"
#include "pop3d/uidl.h"

enum { MARK_DELETED = 1, MARK_RETRIEVED = 2 };

enum next { NEXT_LINE, NEXT_END };

/* A message that another program removed has no size and is not listed. */
static bool
is_listed(struct transaction *x, size_t i, uint64_t *size)
{
	return !(x->marks[i] & MARK_DELETED) && box_size(x->box, i, size) == 0;
}

/* The message meant by a number of the client. */
static bool
message_of(struct transaction *x, uint64_t number, size_t *i)
{
	if (number == 0 || number > box_count(x->box)) {
		talk_err(x->talk, "no such message, there are %zu",
		    box_count(x->box));
		return false;
	}
	*i = (size_t)number - 1;
	if (!(x->marks[*i] & MARK_DELETED))
		return true;
	talk_err(x->talk, "message %zu is deleted", *i + 1);
	return false;
}

static void
totals(struct transaction *x, size_t *n, uint64_t *sum)
{
	uint64_t	size;
	size_t		i;

	*n = 0;
	*sum = 0;
	for (i = 0; i < box_count(x->box); i++)
		if (is_listed(x, i, &size)) {
			(*n)++;
			*sum += size;
		}
}

static enum next
cmd_stat(struct transaction *x, const struct command *c)
{
	uint64_t	sum;
	size_t		n;

	(void)c;
	totals(x, &n, &sum);
	talk_ok(x->talk, "%zu %" PRIu64, n, sum);
	return NEXT_LINE;
}

static enum next
cmd_list(struct transaction *x, const struct command *c)
{
	uint64_t	size;
	size_t		i, n;

	if (c->n == 1) {
		if (!message_of(x, c->number[0], &i))
			return NEXT_LINE;
		if (box_size(x->box, i, &size) == 0)
			talk_ok(x->talk, "%zu %" PRIu64, i + 1, size);
		else
			talk_err(x->talk, "message %zu has gone", i + 1);
		return NEXT_LINE;
	}
	totals(x, &n, &size);
	talk_ok(x->talk, "%zu messages (%" PRIu64 " octets)", n, size);
	for (i = 0; i < box_count(x->box); i++)
		if (is_listed(x, i, &size))
			talk_row(x->talk, "%zu %" PRIu64, i + 1, size);
	talk_end(x->talk);
	return NEXT_LINE;
}

static const char *
uidl_of(const struct transaction *x, size_t i, char text[UIDL_MAX + 1])
{
	const struct box_message	*m = box_message(x->box, i);

	return uidl_text(m->uidl, m->name, text);
}

static enum next
cmd_uidl(struct transaction *x, const struct command *c)
{
	char	text[UIDL_MAX + 1];
	size_t	i;

	if (c->n == 1) {
		if (message_of(x, c->number[0], &i))
			talk_ok(x->talk, "%zu %s", i + 1, uidl_of(x, i, text));
		return NEXT_LINE;
	}
	talk_ok(x->talk, "unique names follow");
	for (i = 0; i < box_count(x->box); i++)
		if (!(x->marks[i] & MARK_DELETED))
			talk_row(x->talk, "%zu %s", i + 1, uidl_of(x, i, text));
	talk_end(x->talk);
	return NEXT_LINE;
}

/* After +OK there is no way to tell the client of a failure but to hang up. */
static enum next
send_open(struct transaction *x, int fd, struct top *top)
{
	if (send_message(&x->talk->conn, fd, top, x->talk->utf8,
	    x->talk->idle, &x->bytes) == 0)
		return NEXT_LINE;
	x->failed = strerror(errno);
	return NEXT_END;
}

static int
open_message(struct transaction *x, size_t i)
{
	int	fd = box_open_message(x->box, i);

	if (fd == -1 && errno == ENOENT)
		talk_err(x->talk, "message %zu has gone", i + 1);
	else if (fd == -1)
		talk_err(x->talk, "[SYS/TEMP] message %zu: %s", i + 1,
		    strerror(errno));
	return fd;
}

static enum next
cmd_retr(struct transaction *x, const struct command *c)
{
	enum next	next;
	uint64_t	size;
	size_t		i;
	int		fd;

	if (!message_of(x, c->number[0], &i) || (fd = open_message(x, i)) == -1)
		return NEXT_LINE;
	if (box_size(x->box, i, &size) == 0)
		talk_ok(x->talk, "%" PRIu64 " octets", size);
	else
		talk_ok(x->talk, "message follows");
	next = send_open(x, fd, NULL);
	fdio_close(&fd);
	if (next == NEXT_LINE) {
		x->marks[i] |= MARK_RETRIEVED;
		x->retrieved++;
	}
	return next;
}

static enum next
cmd_top(struct transaction *x, const struct command *c)
{
	struct top	top;
	enum next	next;
	size_t		i;
	int		fd;

	if (!message_of(x, c->number[0], &i) || (fd = open_message(x, i)) == -1)
		return NEXT_LINE;
	talk_ok(x->talk, "top of message follows");
	top_init(&top, c->number[1]);
	next = send_open(x, fd, &top);
	fdio_close(&fd);
	return next;
}

static enum next
cmd_dele(struct transaction *x, const struct command *c)
{
	size_t	i;

	if (message_of(x, c->number[0], &i)) {
		x->marks[i] |= MARK_DELETED;
		talk_ok(x->talk, "message %zu deleted", i + 1);
	}
	return NEXT_LINE;
}

static enum next
cmd_noop(struct transaction *x, const struct command *c)
{
	(void)c;
	talk_ok(x->talk, "nothing done");
	return NEXT_LINE;
}

static enum next
cmd_rset(struct transaction *x, const struct command *c)
{
	size_t	i;

	for (i = 0; i < box_count(x->box); i++)
		x->marks[i] &= (uint8_t)~MARK_DELETED;
	return cmd_stat(x, c);
}

static enum next
cmd_capa(struct transaction *x, const struct command *c)
{
	(void)c;
	capa_say(x->talk);
	return NEXT_LINE;
}

/* RFC 1939, 6: as many as possible are removed, and none that was not marked. */
static enum next
cmd_quit(struct transaction *x, const struct command *c)
{
	size_t	i, left = 0;
	int	why = 0;

	(void)c;
	for (i = 0; i < box_count(x->box); i++) {
		if (x->marks[i] & MARK_DELETED) {
			if (box_expunge(x->box, i) == 0) {
				x->deleted++;
				continue;
			}
			why = errno;
			left++;
		} else if (x->marks[i] & MARK_RETRIEVED) {
			/* a courtesy to other mail programs, no more */
			if (box_add_flags(x->box, i, "S") == -1)
				log_debug("flags not set why=\"%s\"",
				    strerror(errno));
		}
	}
	if (box_sync(x->box) == -1) {
		why = errno;
		left += x->deleted;
	}
	if (left == 0)
		talk_ok(x->talk, "bye");
	else
		talk_err(x->talk, "[SYS/TEMP] %zu deleted messages may be "
		    "left: %s", left, strerror(why));
	x->talk->end = "quit";
	return NEXT_END;
}

static enum next
cmd_login(struct transaction *x, const struct command *c)
{
	(void)c;
	talk_bad(x->talk, "already logged in");
	return NEXT_LINE;
}

static enum next
cmd_lang(struct transaction *x, const struct command *c)
{
	capa_lang(x->talk, c->text);
	return NEXT_LINE;
}

/* RFC 6856, 2.1: before the login; but who asks for a message is told to. */
static enum next
cmd_utf8(struct transaction *x, const struct command *c)
{
	(void)c;
	x->talk->utf8 = true;
	talk_ok(x->talk, "UTF-8 it is");
	return NEXT_LINE;
}

static enum next (*const handlers[])(struct transaction *,
    const struct command *) = {
	[VERB_CAPA] = cmd_capa,
	[VERB_USER] = cmd_login,
	[VERB_PASS] = cmd_login,
	[VERB_QUIT] = cmd_quit,
	[VERB_STAT] = cmd_stat,
	[VERB_LIST] = cmd_list,
	[VERB_RETR] = cmd_retr,
	[VERB_DELE] = cmd_dele,
	[VERB_NOOP] = cmd_noop,
	[VERB_RSET] = cmd_rset,
	[VERB_TOP] = cmd_top,
	[VERB_UIDL] = cmd_uidl,
	[VERB_STLS] = cmd_login,
	[VERB_AUTH] = cmd_login,
	[VERB_UTF8] = cmd_utf8,
	[VERB_LANG] = cmd_lang,
};

static enum next
run(struct transaction *x, struct str line)
{
	struct command	c;

	switch (command_parse(line, &c)) {
	case COMMAND_UNKNOWN:
		talk_bad(x->talk, "unknown command");
		return NEXT_LINE;
	case COMMAND_SYNTAX:
		talk_bad(x->talk, "wrong arguments");
		return NEXT_LINE;
	case COMMAND_OK:
		break;
	}
	return handlers[c.verb](x, &c);
}

int
transaction_run(struct transaction *x, struct talk *t, struct box *box)
{
	enum next	next = NEXT_LINE;
	struct str	line;

	*x = (struct transaction){ .talk = t, .box = box };
	if ((x->marks = calloc(box_count(box) + 1, 1)) == NULL)
		return -1;
	talk_ok(t, "logged in, %zu messages", box_count(box));
	while (next == NEXT_LINE && talk_line(t, &line))
		next = run(x, line);
	if (x->failed != NULL)
		t->end = x->failed;
	free(x->marks);
	x->marks = NULL;
	return 0;
}
