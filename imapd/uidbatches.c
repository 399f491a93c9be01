/*
 * imapd/uidbatches.c - UIDBATCHES (RFC 10022): ranges of UIDs, each with so many of the mailbox's messages in it, for clients that
 * work through a large mailbox part by part and have no sequence numbers to do so (UIDONLY).
 */
#include <inttypes.h>

#include "imapd/commands.h"

#define BATCH_LEAST	500	/* 3.1.3: a server has to do these, and what is smaller would only make up for sequence numbers */
#define BATCH_TIMES	16	/* that they are told of the mailbox as it is; about as often, for each command counts too */

struct batches {
	uint32_t	size;		/* messages in each */
	uint32_t	first, last;	/* which ones, from 1; the first has the highest UIDs */
};

static bool
parse(struct cur *c, struct batches *b)
{
	b->first = 1;
	b->last = UINT32_MAX;
	if (!imap_nz_number(c, &b->size))
		return false;
	return !imap_sp(c) || (imap_nz_number(c, &b->first) &&
	    cur_byte(c, ':') && imap_nz_number(c, &b->last));
}

static uint32_t
uid_of(const struct session *s, uint64_t at)
{
	return view_message(s->view, at)->uid;
}

/*
 * A client asks again when another mailbox is selected, or more than half a batch of messages has come or gone (3.1.1). It may ask
 * more often, part by part or with another size, but what it gets is bounded.
 */
static bool
may_ask(struct session *s, const struct batches *b)
{
	size_t	n = view_count(s->view), came, gone;

	came = n - view_find(s->view, s->batched.last + 1);
	gone = s->batched.count - (n - came);
	if (came > b->size / 2 || gone > b->size / 2) {
		s->batched.cost = 0;
		s->batched.count = n;
		s->batched.last = n == 0 ? 0 : uid_of(s, n - 1);
	}
	return s->batched.cost <
	    BATCH_TIMES * (s->batched.count / BATCH_LEAST + 1);
}

/* Without gaps, down to UID 1 (3.1.4), so that a client need not care which UIDs there are. */
static int
put_batches(struct session *s, struct buf *out, const struct batches *b)
{
	uint64_t	n = view_count(s->view), done, batch = b->first;
	uint32_t	from, to;
	const char	*blank = " ";

	for (; batch <= b->last && (batch - 1) * b->size < n; batch++) {
		done = (batch - 1) * b->size;	/* in those before it */
		from = done == 0 ? uid_of(s, n - 1) : uid_of(s, n - done) - 1;
		to = n - done > b->size ? uid_of(s, n - done - b->size) : 1;
		buf_addf(out, "%s%" PRIu32 ":%" PRIu32, blank, from, to);
		blank = ",";
		s->batched.cost++;
	}
	return buf_ok(out) ? 0 : -1;
}

enum state
cmd_uidbatches(struct session *s, struct command *c)
{
	struct batches	b;
	struct buf	out;

	if (!parse(&c->args, &b)) {
		command_bad(c, "the size of a batch is expected, and which "
		    "batches");
		return s->state;
	}
	if (!command_end(c))
		return s->state;
	if (b.first > b.last) {
		command_bad(c, "[CLIENTBUG] the first batch is behind the "
		    "last");
		return s->state;
	}
	if (b.size < BATCH_LEAST) {
		command_no(c, "TOOFEW", "a batch has at least %d messages",
		    BATCH_LEAST);
		return s->state;
	}
	if (!may_ask(s, &b)) {
		command_no(c, "LIMIT", "asked too often, and the mailbox is "
		    "much as it was");
		return s->state;
	}
	s->batched.cost++;
	buf_init(&out, REPLY_MAX);
	buf_addf(&out, "* UIDBATCHES (TAG \"%.*s\")", STR_ARG(c->tag));
	if (put_batches(s, &out, &b) == 0 && buf_adds(&out, "\r\n") == 0) {
		say_buf(s, &out);
		command_ok(c, NULL, "these are the batches");
	} else
		command_no(c, "TOOMANY", "that would be too many batches");
	buf_free(&out);
	return s->state;
}
