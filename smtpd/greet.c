/* smtpd/greet.c - the greeting, HELO, EHLO and LHLO (RFC 5321 4.1.1.1, RFC 2033). */
#include <stdio.h>
#include <string.h>

#include "smtpd/session.h"

void
greeting_make(struct smtpd *d)
{
	const char	*banner = d->settings->smtp.banner;
	char		 text[REPLY_SIZE];

	snprintf(text, sizeof(text), "%s %s%s%s", d->settings->hostname,
	    d->lmtp ? "LMTP" : "ESMTP", *banner != '\0' ? " " : "", banner);
	reply_line(d->greeting, 220, false, "", text);
}

/* Unless the listener has done it, while this worker woke up. */
void
greet(struct session *s)
{
	if (!s->peer->greeted && conn_put(&s->conn,
	    str_from(s->d->greeting)) == -1)
		s->gone = true;
}

/* A transaction ends even so, as with any greeting; the name from before stays. */
static enum state
no_name(struct session *s)
{
	reply(s, 501, "5.5.4", "expected a domain or address literal");
	return s->state == S_START ? S_START : S_IDLE;
}

enum state
cmd_helo(struct session *s, struct cur *in)
{
	if (s->d->lmtp) {
		reply(s, 500, "5.5.1", "this is LMTP, expected LHLO");
		return s->state;
	}
	if (!args_helo(in, s->helo))
		return no_name(s);
	s->extended = false;
	reply(s, 250, "", "%s", s->set->hostname);
	return S_IDLE;
}

enum state
cmd_ehlo(struct session *s, struct cur *in)
{
	static const char *const words[] = { "PIPELINING", "8BITMIME",
	    "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN", "CHUNKING" };
	char	line[256];
	size_t	i;

	if (!args_helo(in, s->helo))
		return no_name(s);
	s->extended = true;
	reply_more(s, 250, "", str_from(s->set->hostname));
	for (i = 0; i < nitems(words); i++)
		reply_more(s, 250, "", str_from(words[i]));
	snprintf(line, sizeof(line), "SIZE %lld", s->set->smtp.message_size);
	reply_more(s, 250, "", str_from(line));
	if (starttls_offered(s))
		reply_more(s, 250, "", STR("STARTTLS"));
	if (auth_offered(s) && s->user[0] == '\0' &&
	    auth_announce(s, line, sizeof(line)))
		reply_more(s, 250, "", str_from(line));
	reply(s, 250, "", "HELP");
	return S_IDLE;
}
