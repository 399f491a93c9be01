/* smtpd/reply.c - replies with their enhanced codes (RFC 5321 4.2, RFC 2034). */
#include <stdarg.h>
#include <stdio.h>

#include "smtpd/session.h"

#define REPLY_MAX	480	/* RFC 5321 4.5.3.1.5: 512 with code and CRLF */

/* What it quotes came from the client: it stays on its line. */
static void
clean(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			*text = '?';
}

void
reply(struct session *s, unsigned code, const char *status, const char *fmt,
    ...)
{
	char	text[REPLY_MAX];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	clean(text);
	if (code >= 500)
		s->errors++;
	if (conn_putf(&s->conn, "%u %s%s%s\r\n", code, status,
	    *status != '\0' ? " " : "", text) == -1)
		s->conn.eof = true;	/* the next read ends the session */
}

void
reply_more(struct session *s, unsigned code, const char *status,
    struct str text)
{
	char	line[REPLY_MAX];

	snprintf(line, sizeof(line), "%.*s", STR_ARG(text));
	clean(line);
	if (conn_putf(&s->conn, "%u-%s%s%s\r\n", code, status,
	    *status != '\0' ? " " : "", line) == -1)
		s->conn.eof = true;
}

enum state
reply_closing(struct session *s, const char *status, const char *text)
{
	reply(s, 421, status, "%s %s, closing", s->set->hostname, text);
	return S_END;
}
