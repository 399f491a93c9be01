/* smtpd/trace.c - the Received field (RFC 5321 4.4), and the name of the protocol in it. */
#include <string.h>
#include <time.h>

#include "common/fmt/date.h"
#include "smtpd/session.h"

/* RFC 3848, RFC 6531 4.3 */
const char *
trace_protocol(const struct session *s, char out[PROTOCOL_SIZE])
{
	bool	utf8 = (s->tx.options & ENV_SMTPUTF8) != 0;

	strlcpy(out, utf8 ? "UTF8" : "", PROTOCOL_SIZE);
	if (s->d->lmtp)
		strlcat(out, "LMTP", PROTOCOL_SIZE);
	else {
		if (!utf8 && s->extended)
			strlcat(out, "E", PROTOCOL_SIZE);
		strlcat(out, "SMTP", PROTOCOL_SIZE);
	}
	/* Without EHLO there is no name for it. */
	if (s->tls[0] != '\0' && (s->extended || s->d->lmtp))
		strlcat(out, "S", PROTOCOL_SIZE);
	if (s->user[0] != '\0')
		strlcat(out, "A", PROTOCOL_SIZE);
	return out;
}

void
trace_date(int64_t at_ms, char out[DATE_SIZE])
{
	time_t		at = (time_t)(at_ms / 1000);
	struct tm	tm;
	int		east = 0;

	if (localtime_r(&at, &tm) != NULL)
		east = (int)(tm.tm_gmtoff / 60);
	if (date_format(at, east, out) == -1)
		out[0] = '\0';
}

/* In a comment it must not end the comment (RFC 5322 3.2.2). */
static void
add_name(struct buf *out, const char *name)
{
	for (; *name != '\0'; name++)
		buf_addc(out, strchr("()\\", *name) != NULL ||
		    (unsigned char)*name < ' ' || *name == 127 ? '?' : *name);
}

/* "TLSv1.3 TLS_AES_128_GCM_SHA256 ...": its two first words. */
bool
trace_tls(const struct session *s, struct str *version, struct str *cipher)
{
	struct cur	c = cur_from(str_from(s->tls));

	if (!cur_until(&c, ' ', version))
		return false;
	if (!cur_until(&c, ' ', cipher))
		*cipher = cur_rest(&c);
	return cipher->n > 0;
}

/* RFC 8314 4.3: names of IANA's list only. */
static bool
is_registered(struct str cipher)
{
	size_t	i;

	for (i = 0; i < cipher.n; i++)
		if (!is_alnum((unsigned char)cipher.p[i]) &&
		    cipher.p[i] != '_')
			return false;
	return str_starts_nocase(cipher, STR("TLS_"));
}

static void
add_client(const struct session *s, struct buf *out)
{
	char	ip[ADDR_TEXT_SIZE];

	buf_addf(out, "from %s", s->helo);
	if (s->peer->peer.valid)
		buf_addf(out, " ([%s])", addr_text(&s->peer->peer, true, ip));
	buf_adds(out, "\r\n\t");
}

void
trace_make(const struct session *s, const char *id, int64_t at_ms,
    struct buf *out)
{
	const struct submission_settings *set = &s->set->submission;
	struct str	version, cipher;
	char		date[DATE_SIZE], protocol[PROTOCOL_SIZE];
	bool		tls = trace_tls(s, &version, &cipher);

	buf_adds(out, "Received: ");
	if (!s->d->submission || !set->hide_client)
		add_client(s, out);
	if (tls)
		buf_addf(out, "(using %.*s with cipher %.*s)\r\n\t",
		    STR_ARG(version), STR_ARG(cipher));
	if (s->user[0] != '\0' && set->show_user) {
		buf_adds(out, "(Authenticated sender: ");
		add_name(out, s->user);
		buf_adds(out, ")\r\n\t");
	}
	buf_addf(out, "by %s (Posthouse) with %s id %s", s->set->hostname,
	    trace_protocol(s, protocol), id);
	/* More than one would tell each of the others. */
	if (s->tx.nrcpts == 1)
		buf_addf(out, "\r\n\tfor <%.*s>", STR_ARG(s->tx.rcpts[0].addr));
	if (tls && is_registered(cipher))
		buf_addf(out, "\r\n\ttls %.*s", STR_ARG(cipher));
	trace_date(at_ms, date);
	buf_addf(out, ";\r\n\t%s\r\n", date);
}
