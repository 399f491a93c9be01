/*
 * pop3d/talk.c - lines in, replies out. Replies to commands that came in one
 * packet leave in one, too (RFC 2449, 6.6): they are flushed when the next
 * line has to be waited for.
 */
#include "pop3d/talk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/base/now.h"

#define REPLY_MAX	500	/* RFC 2449, 4: 512 with status and CRLF */
#define BYE_TIMEOUT	5000

void
talk_init(struct talk *t, int fd, int64_t idle, long long errors_max,
    const volatile int *stop)
{
	*t = (struct talk){ .idle = idle, .line_max = TALK_LINE,
	    .errors_max = errors_max };
	conn_init(&t->conn, fd);
	t->conn.stop = stop;
}

static void	put(struct talk *, const char *, const char *, va_list)
		    printf_like(3, 0);

static void
put(struct talk *t, const char *head, const char *fmt, va_list ap)
{
	char	text[REPLY_MAX], *p;

	vsnprintf(text, sizeof(text), fmt, ap);
	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
	if (conn_putf(&t->conn, "%s%s\r\n", head, text) == -1)
		t->conn.eof = true;	/* the next read ends the session */
}

void
talk_ok(struct talk *t, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	put(t, "+OK ", fmt, ap);
	va_end(ap);
}

void
talk_err(struct talk *t, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	put(t, "-ERR ", fmt, ap);
	va_end(ap);
}

void
talk_bad(struct talk *t, const char *fmt, ...)
{
	va_list	ap;

	t->errors++;
	va_start(ap, fmt);
	put(t, "-ERR ", fmt, ap);
	va_end(ap);
}

void
talk_row(struct talk *t, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	put(t, "", fmt, ap);
	va_end(ap);
}

void
talk_end(struct talk *t)
{
	talk_row(t, ".");
}

void
talk_close(struct talk *t)
{
	t->conn.stop = NULL;
	t->conn.deadline = -1;
	if (conn_flush(&t->conn, BYE_TIMEOUT) == -1 && t->end == NULL)
		t->end = "the last reply was not taken";
	conn_close(&t->conn);
}

static enum talk_status
over(struct talk *t, int why)
{
	if (why == ETIMEDOUT)
		t->end = "timeout";
	else if (why == ECANCELED)
		t->end = "shutting down";
	else
		t->end = "the client has gone";
	return TALK_OVER;
}

/* Read to its end, so that none of it becomes a command. */
static enum talk_status
skip_line(struct talk *t)
{
	enum line_status	st = LINE_LONG;
	struct str		line;

	while (st == LINE_LONG && t->conn.in[t->conn.in_from - 1] != '\n')
		st = conn_line(&t->conn, t->line_max, t->idle, &line);
	conn_wipe(&t->conn);
	if (st == LINE_MORE)
		return over(t, errno);
	talk_bad(t, "line is longer than %zu octets", t->line_max);
	return TALK_BAD;
}

static bool
too_many_errors(struct talk *t)
{
	if (t->errors <= t->errors_max)
		return false;
	talk_err(t, "too many errors, closing");
	t->end = "too many errors";
	return true;
}

static enum talk_status
next_line(struct talk *t, struct str *line)
{
	if (too_many_errors(t))
		return TALK_OVER;
	if (conn_pending(&t->conn).n == 0 && t->conn.out.n == 0)
		conn_idle_trim(&t->conn);
	switch (conn_line(&t->conn, t->line_max, t->idle, line)) {
	case LINE_OK:
		return TALK_OK;
	case LINE_MORE:
		return over(t, errno);
	case LINE_LONG:
		return skip_line(t);
	case LINE_BARE_LF:
	case LINE_BARE_CR:
	case LINE_NUL:
		break;
	}
	talk_bad(t, "bare CR, bare LF or NUL in a command");
	return TALK_BAD;
}

enum talk_status
talk_next(struct talk *t, struct str *line)
{
	int64_t			whole = t->conn.deadline;
	enum talk_status	st;

	/* a command has this time in all: single bytes do not prolong it */
	if (whole == -1)
		t->conn.deadline = now_ms() + t->idle;
	st = next_line(t, line);
	t->conn.deadline = whole;
	return st;
}

bool
talk_line(struct talk *t, struct str *line)
{
	enum talk_status	st;

	do
		st = talk_next(t, line);
	while (st == TALK_BAD);
	return st == TALK_OK;
}
