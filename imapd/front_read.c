/*
 * imapd/front_read.c - commands in, replies out, before the login. Runs in a
 * worker as ph-login; the peer is hostile: every length and every time is
 * bounded, and what a client said is overwritten once it has been used.
 * Replies to commands that came in one packet leave in one, too.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/now.h"
#include "common/fmt/base64.h"
#include "common/fmt/imap.h"
#include "common/proc/proto_auth.h"
#include "imapd/front_impl.h"

/* AUTHENTICATE with the longest initial response. */
#define LINE_MAX	(IMAP_TAG_MAX + sizeof(" AUTHENTICATE ") + \
	AUTH_MECHANISM_MAX + BASE64_LEN(AUTH_RESPONSE_MAX) + 2)
#define LITERAL_MAX	4096	/* RFC 7888, 5 */
#define COMMAND_MAX	32768
#define REPLY_MAX	1024

static void	put(struct front *, struct str, const char *, const char *,
		    va_list) printf_like(4, 0);

static void
put(struct front *f, struct str tag, const char *how, const char *fmt,
    va_list ap)
{
	char	text[REPLY_MAX], *p;

	vsnprintf(text, sizeof(text), fmt, ap);
	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
	if (conn_putf(&f->conn, "%.*s %s%s\r\n", STR_ARG(tag), how, text) ==
	    -1)
		f->conn.eof = true;	/* the next read ends it */
}

void
front_say(struct front *f, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	put(f, STR("*"), "", fmt, ap);
	va_end(ap);
}

void
front_ok(struct front *f, struct str tag, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	put(f, tag, "OK ", fmt, ap);
	va_end(ap);
}

void
front_no(struct front *f, struct str tag, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	put(f, tag, "NO ", fmt, ap);
	va_end(ap);
}

void
front_bad(struct front *f, struct str tag, const char *fmt, ...)
{
	va_list	ap;

	f->entry.errors++;
	va_start(ap, fmt);
	put(f, tag, "BAD ", fmt, ap);
	va_end(ap);
}

void
front_forget(struct front *f)
{
	buf_wipe(&f->text);
	arena_free(&f->memory);
	conn_wipe(&f->conn);
}

static enum entry_turn
over(struct front *f, int why)
{
	if (why == ETIMEDOUT) {
		front_say(f, "BYE no login for too long");
		f->end = "timeout";
	} else if (why == ECANCELED) {
		front_say(f, "BYE the server is shutting down");
		f->end = "shutting down";
	} else if (why == ENOMEM) {
		front_say(f, "BYE [UNAVAILABLE] not enough memory");
		f->end = "out of memory";
	} else
		f->end = "the client has gone";
	return ENTRY_TURN_OVER;
}

/* Read to its end, so that none of it becomes a command. */
static enum entry_turn
skip_line(struct front *f, struct str tag)
{
	enum line_status	st = LINE_LONG;
	struct str		line;

	while (st == LINE_LONG && f->conn.in[f->conn.in_from - 1] != '\n')
		st = conn_line(&f->conn, LINE_MAX, f->entry.idle, &line);
	conn_wipe(&f->conn);
	if (st == LINE_MORE)
		return over(f, errno);
	front_bad(f, tag, "line is longer than %zu octets", LINE_MAX);
	return ENTRY_TURN_BAD;
}

enum entry_turn
front_line(struct front *f, struct str tag, struct str *line)
{
	if (conn_pending(&f->conn).n == 0 && f->conn.out.n == 0)
		conn_idle_trim(&f->conn);
	switch (conn_line(&f->conn, LINE_MAX, f->entry.idle, line)) {
	case LINE_OK:
		return ENTRY_TURN_OK;
	case LINE_MORE:
		return over(f, errno);
	case LINE_LONG:
		return skip_line(f, tag);
	case LINE_BARE_LF:
	case LINE_BARE_CR:
	case LINE_NUL:
		break;
	}
	front_bad(f, tag, "bare CR, bare LF or NUL in a line");
	return ENTRY_TURN_BAD;
}

/* The tag of what has been read so far, for a refusal. */
static struct str
tag_of(const struct front *f)
{
	struct cur	in = cur_from(buf_view(&f->text));
	struct str	tag;

	return imap_tag(&in, &tag) ? tag : STR("*");
}

static enum entry_turn
take_bytes(struct front *f, size_t n)
{
	struct str	have;

	while (n > 0) {
		have = conn_pending(&f->conn);
		if (have.n == 0) {
			errno = 0;
			if (conn_fill(&f->conn, f->entry.idle) != 1)
				return over(f, errno);
			continue;
		}
		if (have.n > n)
			have.n = n;
		buf_add(&f->text, have.p, have.n);
		conn_consume(&f->conn, have.n);
		conn_wipe(&f->conn);
		n -= have.n;
	}
	return ENTRY_TURN_OK;
}

/* What a line has announced at its end. RFC 7888, 4: one that comes unasked and does not fit ends the connection. */
static enum entry_turn
take_literal(struct front *f, const struct imap_literal *l)
{
	if (l->n > LITERAL_MAX || f->text.n + l->n + 2 > COMMAND_MAX) {
		if (l->plus) {
			front_say(f, "BYE [TOOBIG] literal of more than %d "
			    "octets before the login", LITERAL_MAX);
			f->end = "too long a literal";
			return ENTRY_TURN_OVER;
		}
		front_bad(f, tag_of(f), "literal of more than %d octets "
		    "before the login", LITERAL_MAX);
		return ENTRY_TURN_BAD;
	}
	if (!l->plus && conn_putf(&f->conn, "+ go ahead\r\n") == -1)
		return over(f, errno);
	buf_adds(&f->text, "\r\n");
	return take_bytes(f, (size_t)l->n);
}

static enum entry_turn
take_command(struct front *f)
{
	struct imap_literal	l;
	enum entry_turn		turn;
	struct str		line, head;
	size_t			before;

	do {
		if ((turn = front_line(f, tag_of(f), &line)) != ENTRY_TURN_OK)
			return turn;
		/* at once: what grows leaves copies behind */
		if (buf_reserve(&f->text, COMMAND_MAX - f->text.n) == -1)
			return over(f, errno);
		if (f->text.n + line.n > COMMAND_MAX) {
			front_bad(f, tag_of(f), "the command is too long");
			return ENTRY_TURN_BAD;
		}
		before = f->text.n;
		buf_add(&f->text, line.p, line.n);
		f->text.n = before + imap_blanks(f->text.p + before, line.n);
		head = (struct str){ f->text.p + before, f->text.n - before };
		if (!imap_literal_at_end(&head, &l))
			return ENTRY_TURN_OK;
		turn = take_literal(f, &l);
	} while (turn == ENTRY_TURN_OK);
	return turn;
}

bool
front_next(struct front *f)
{
	enum entry_turn	turn;

	do {
		if (f->entry.errors > f->set->imap.errors) {
			front_say(f, "BYE too many errors");
			f->end = "too many errors";
			return false;
		}
		front_forget(f);
		turn = take_command(f);
	} while (turn == ENTRY_TURN_BAD);
	return turn == ENTRY_TURN_OK;
}
