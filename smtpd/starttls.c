/*
 * smtpd/starttls.c - TLS (RFC 3207, RFC 8314), and what a session forgets when
 * it begins: everything. The private key is elsewhere (tls.h).
 */
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/net/tls.h"
#include "smtpd/session.h"

#define TLS_TIMEOUT	60000	/* for the handshake, ms */

bool
starttls_is_implicit(const char *service)
{
	return strcmp(service, "submissions") == 0;
}

bool
starttls_offered(const struct session *s)
{
	return s->d->listener.tls != NULL && s->tls[0] == '\0';
}

/* RFC 3207 4.2: what the client said in the clear, anybody may have said. */
static void
forget(struct session *s)
{
	session_end_tx(s);
	s->state = S_START;
	s->extended = false;
	explicit_bzero(s->helo, sizeof(s->helo));
	explicit_bzero(s->user, sizeof(s->user));
}

bool
starttls_shake_hands(struct session *s)
{
	struct diag	why = { "no certificate" };
	int64_t		timeout = session_timeout(s);
	char		text[LOG_SAFE_MAX], name[LOG_SAFE_MAX];

	if (timeout > TLS_TIMEOUT)
		timeout = TLS_TIMEOUT;
	session_until(s, now_ms() + timeout);
	if (s->d->listener.tls == NULL ||
	    tls_server_start(s->d->listener.tls, &s->conn, timeout, &why) ==
	    -1) {
		log_info("tls-failed service=%s client=%s why=%s",
		    s->peer->service, s->client,
		    log_safe(text, sizeof(text), str_from(why.text)));
		s->gone = true;
		return false;
	}
	tls_text(&s->conn, s->tls, sizeof(s->tls));
	log_info("tls service=%s client=%s tls=%s name=%s", s->peer->service,
	    s->client, log_safe(text, sizeof(text), str_from(s->tls)),
	    log_safe(name, sizeof(name),
	    str_from(tls_server_name(&s->conn))));
	forget(s);
	return true;
}

/*
 * Whatever came behind the command could be somebody else's (CVE-2011-0411):
 * it is the handshake's, which fails if it was said in the clear.
 */
enum state
cmd_starttls(struct session *s, struct cur *in)
{
	if (!cur_done(in)) {
		reply(s, 501, "5.5.4", "STARTTLS has no arguments");
		return s->state;
	}
	if (s->tls[0] != '\0') {
		reply(s, 503, "5.5.1", "TLS is on already");
		return s->state;
	}
	if (s->d->listener.tls == NULL) {
		/* RFC 3207 4 */
		reply(s, 454, "4.7.0", "TLS is not available now");
		return s->state;
	}
	reply(s, 220, "2.0.0", "go ahead");
	if (conn_flush(&s->conn, session_timeout(s)) == -1)
		s->gone = true;
	if (s->gone || !starttls_shake_hands(s))
		return S_END;
	return S_START;
}

/* The first bytes of a handshake (RFC 8446 5.1); not one of our commands. */
static bool
is_hello(struct str s)
{
	return s.n >= 2 && s.p[0] == 22 && s.p[1] == 3;
}

bool
starttls_unasked(struct session *s, struct str line)
{
	if (!is_hello(line))
		return false;
	log_info("tls-failed service=%s client=%s why=\"the client began TLS "
	    "without STARTTLS\"", s->peer->service, s->client);
	reply(s, 554, "5.5.1", "TLS begins with STARTTLS here, closing");
	return true;
}
