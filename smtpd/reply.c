/* smtpd/reply.c - replies with their enhanced codes (RFC 5321 4.2, RFC 2034). */
#include <stdarg.h>
#include <stdio.h>

#include "smtpd/session.h"

/* What it quotes came from the client: it stays on its line. */
static void
clean(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			*text = '?';
}

size_t
reply_line(char out[REPLY_SIZE], unsigned code, bool more, const char *status,
    const char *text)
{
	char	line[REPLY_SIZE - 2];	/* room for CRLF */
	int	n;

	snprintf(line, sizeof(line), "%u%c%s%s%s", code, more ? '-' : ' ',
	    status, *status != '\0' ? " " : "", text);
	clean(line);
	n = snprintf(out, REPLY_SIZE, "%s\r\n", line);
	return (size_t)n;
}

static void
put(struct session *s, unsigned code, bool more, const char *status,
    const char *text)
{
	char		line[REPLY_SIZE];
	struct str	out = { line, 0 };

	out.n = reply_line(line, code, more, status, text);
	if (conn_put(&s->conn, out) == -1)
		s->gone = true;
}

void
reply(struct session *s, unsigned code, const char *status, const char *fmt,
    ...)
{
	char	text[REPLY_SIZE];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (code >= 500)
		s->errors++;
	put(s, code, false, status, text);
}

enum state
reply_closing(struct session *s, const char *status, const char *text)
{
	reply(s, 421, status, "%s %s, closing", s->set->hostname, text);
	return S_END;
}

void
reply_more(struct session *s, unsigned code, const char *status,
    struct str text)
{
	char	line[REPLY_SIZE];

	snprintf(line, sizeof(line), "%.*s", STR_ARG(text));
	put(s, code, true, status, line);
}
