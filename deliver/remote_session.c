/*
 * deliver/remote_session.c - a session with a server, in a worker of
 * remote(8). The server is a stranger: every reply is bounded in bytes,
 * lines and time, and whatever it is, the mail waits or is returned.
 */
#include "deliver/remote_session.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/now.h"
#include "common/proc/sig.h"
#include "deliver/remote_dial.h"

#define QUIT_TIMEOUT	2000	/* ms */

void
session_init(struct session *s, const struct remote *r)
{
	memset(s, 0, sizeof(*s));
	s->r = r;
	conn_init(&s->conn, -1);
	s->doing = "";
}

bool
session_is_open(const struct session *s)
{
	return s->conn.fd != -1 && !s->broken && !s->closing;
}

int
session_put(struct session *s, const char *doing, const char *fmt, ...)
{
	va_list	ap;

	s->doing = doing;
	va_start(ap, fmt);
	if (buf_vaddf(&s->conn.out, fmt, ap) == -1 ||
	    buf_adds(&s->conn.out, "\r\n") == -1 || !buf_ok(&s->conn.out))
		s->broken = true;
	va_end(ap);
	return s->broken ? -1 : 0;
}

static int
lost(struct session *s, const char *doing, const char *how, struct verdict *why)
{
	s->broken = true;
	verdict_set(why, strcmp(how, "timed out") == 0 ? "4.4.1" : "4.4.2",
	    "%s: %s %s", s->peer, how, doing);
	return -1;
}

static const char *
how(int error)
{
	switch (error) {
	case 0:
		return "connection closed by the server";
	case ETIMEDOUT:
		return "timed out";
	case ECANCELED:
		return "stopped";
	default:
		return strerror(error);
	}
}

int
session_flush(struct session *s, int64_t timeout, struct verdict *why)
{
	s->conn.deadline = -1;
	errno = ENOMEM;		/* a command that was not put whole */
	if (!s->broken && conn_flush(&s->conn, timeout) == 0)
		return 0;
	return lost(s, s->doing, how(errno), why);
}

void
session_nonsense(struct session *s, const char *doing, struct verdict *why)
{
	s->broken = true;
	verdict_set(why, "4.5.0", "%s: makes no sense %s: %s", s->peer, doing,
	    s->reply.text);
}

/* Lines come as they come: a lone LF ends them, too, and junk in them is cleaned by reply_take. */
static bool
get_line(struct session *s, int64_t timeout, struct str *line)
{
	switch (conn_line(&s->conn, REPLY_LINE, timeout, line)) {
	case LINE_OK:
	case LINE_BARE_LF:
	case LINE_BARE_CR:
	case LINE_NUL:
		return true;
	case LINE_LONG:
		errno = EMSGSIZE;
		return false;
	case LINE_MORE:
		break;
	}
	return false;
}

/* With the offer of the server, if that is what is asked for. */
static int
get_reply(struct session *s, const char *doing, int64_t timeout,
    struct ehlo *offer, char *name, size_t size, struct verdict *why)
{
	struct str	line, rest;
	enum reply_step	step;

	if (session_flush(s, timeout, why) == -1)
		return -1;
	reply_init(&s->reply);
	/* for the reply as a whole, however slowly it drips */
	s->conn.deadline = now_ms() + timeout;
	do {
		if (!get_line(s, timeout, &line))
			return lost(s, doing, how(errno), why);
		step = reply_take(&s->reply, line, &rest);
		if (step == REPLY_BAD) {
			session_nonsense(s, doing, why);
			return -1;
		}
		if (offer != NULL && s->reply.lines > 1)
			ehlo_line(offer, rest);
		else if (name != NULL && ehlo_name(rest, &rest) &&
		    str_copy(name, size, rest) == -1)
			name[0] = '\0';
	} while (step == REPLY_MORE);
	s->conn.deadline = -1;
	if (s->reply.code == 421)
		s->closing = true;
	return 0;
}

int
session_reply(struct session *s, const char *doing, int64_t timeout,
    struct verdict *why)
{
	return get_reply(s, doing, timeout, NULL, NULL, 0, why);
}

/* Whoever says no at the door may say so for good; then others are asked, and what all say counts. */
static enum open_result
refused(struct session *s, struct verdict *why)
{
	if (s->reply.code < 400) {
		session_nonsense(s, s->doing, why);
		return OPEN_TEMP;
	}
	verdict_reply(why, &s->reply);
	return s->reply.code >= 500 ? OPEN_PERM : OPEN_TEMP;
}

static enum open_result
say_hello(struct session *s, struct verdict *why)
{
	const struct settings	*set = s->r->set;
	const char		*me, *verb = s->lmtp ? "LHLO" : "EHLO";
	char			 name[JOB_HOST_MAX] = "";

	me = set->remote.hello[0] != '\0' ? set->remote.hello : set->hostname;
	memset(&s->ehlo, 0, sizeof(s->ehlo));
	if (session_put(s, verb, "%s %s", verb, me) == -1 ||
	    get_reply(s, verb, set->remote.command_timeout, &s->ehlo, name,
	    sizeof(name), why) == -1)
		return OPEN_TEMP;
	if (!s->lmtp && s->reply.code >= 500) {
		/* RFC 5321 3.2: one that does not know EHLO */
		memset(&s->ehlo, 0, sizeof(s->ehlo));
		if (session_put(s, "HELO", "HELO %s", me) == -1 ||
		    get_reply(s, "HELO", set->remote.command_timeout, NULL,
		    name, sizeof(name), why) == -1)
			return OPEN_TEMP;
	}
	if (s->reply.code / 100 != 2)
		return refused(s, why);
	/* Not remote.hello: senders of one site may share the name of its MX. */
	if (!s->lmtp && str_eq_nocase(str_from(name), str_from(set->hostname))) {
		verdict_set(why, "5.4.6", "%s: mail loops back: the server "
		    "calls itself %s, the hostname of this host; if it is "
		    "another host, one of them needs another hostname",
		    s->peer, name);
		return OPEN_LOOP;
	}
	return OPEN_OK;
}

/* Passwords go to nobody who cannot prove his name, unless the administrator has said so. */
static bool
needs_proof(const struct session *s, const char *user)
{
	return s->level >= TLS_PROVEN ||
	    (user != NULL && s->level == TLS_OPPORTUNISTIC);
}

static enum open_result
shake_hands(struct session *s, const struct target *t, const char *user,
    struct verdict *why)
{
	char		ip[ADDR_TEXT_SIZE] = "";
	struct diag	diag;
	bool		proof = needs_proof(s, user);

	if (s->host[0] == '\0' && t->addr.valid)
		addr_text(&t->addr, false, ip);
	if (tls_client_start(s->r->tls, &s->conn,
	    s->host[0] != '\0' ? s->host : ip, proof,
	    s->r->set->remote.greeting_timeout, &diag) == 0) {
		tls_text(&s->conn, s->tls, sizeof(s->tls));
		return OPEN_OK;
	}
	s->broken = true;
	verdict_set(why, "4.7.5", "%s: %s", s->peer, diag.text);
	return s->level == TLS_OPPORTUNISTIC && !proof ? OPEN_CLEAR : OPEN_TEMP;
}

static enum open_result
start_tls(struct session *s, const struct target *t, bool clear,
    const char *user, struct verdict *why)
{
	enum open_result	result;
	bool			must;

	must = s->level >= TLS_REQUIRED || needs_proof(s, user);
	if (s->level == TLS_OFF || s->level == TLS_IMPLICIT ||
	    (clear && !must))
		return OPEN_OK;
	if (!s->ehlo.starttls) {
		if (!must)
			return OPEN_OK;
		verdict_set(why, "4.7.4", "%s: TLS is required and not offered",
		    s->peer);
		return OPEN_TEMP;
	}
	if (session_put(s, "STARTTLS", "STARTTLS") == -1 ||
	    session_reply(s, "STARTTLS", s->r->set->remote.command_timeout,
	    why) == -1)
		return must ? OPEN_TEMP : OPEN_CLEAR;
	if (s->reply.code != 220) {
		if (!must && s->reply.code >= 400 && !s->closing)
			return OPEN_OK;		/* it cannot just now */
		verdict_reply(why, &s->reply);
		why->status[0] = '4';
		return OPEN_TEMP;
	}
	if ((result = shake_hands(s, t, user, why)) != OPEN_OK)
		return result;
	/* RFC 3207 4.2: forget what was offered before */
	result = say_hello(s, why);
	/* with TLS 1.3 a server that did not like it says so only now */
	return result == OPEN_TEMP && s->broken && !must ? OPEN_CLEAR : result;
}

static enum open_result
log_in(struct session *s, const char *user, struct verdict *why)
{
	if (user == NULL)
		return OPEN_OK;
	if (s->tls[0] == '\0') {
		verdict_set(why, "4.7.11", "%s: no password without TLS",
		    s->peer);
		return OPEN_TEMP;
	}
	return session_auth(s, user, why);
}

static enum open_result
greet(struct session *s, const struct target *t, bool clear,
    struct verdict *why)
{
	const char		*user = auth_user(&s->r->set->remote, s->called);
	enum open_result	 result = OPEN_OK;

	if (s->level == TLS_IMPLICIT)
		result = shake_hands(s, t, user, why);
	if (result != OPEN_OK)
		return result;
	s->doing = "greeting";
	if (session_reply(s, "greeting", s->r->set->remote.greeting_timeout,
	    why) == -1)
		return OPEN_TEMP;
	if (s->reply.code != 220)
		return refused(s, why);
	if ((result = say_hello(s, why)) == OPEN_OK &&
	    (result = start_tls(s, t, clear, user, why)) == OPEN_OK)
		result = log_in(s, user, why);
	return result;
}

static void
set_server(struct session *s, const struct target *t)
{
	char	ip[ADDR_TEXT_SIZE];

	snprintf(s->host, sizeof(s->host), "%s", t->host);
	if (t->host[0] != '\0' || !t->addr.valid)
		snprintf(s->called, sizeof(s->called), "%s", t->host);
	else
		snprintf(s->called, sizeof(s->called), "[%s]",
		    addr_text(&t->addr, false, ip));
	target_text(t, s->peer, sizeof(s->peer));
}

enum open_result
session_open(struct session *s, int fd, const struct target *t,
    const struct hop *hop, bool clear, struct verdict *why)
{
	const struct remote	*r = s->r;
	enum open_result	 result;

	session_init(s, r);
	conn_init(&s->conn, fd);
	s->conn.stop = sig_stop_flag();
	s->conn.master = r->queue;
	s->lmtp = hop->lmtp;
	s->level = hop->tls;
	snprintf(s->key, sizeof(s->key), "%.*s", STR_ARG(hop->key));
	set_server(s, t);
	if ((result = greet(s, t, clear, why)) != OPEN_OK)
		session_close(s);
	return result;
}

static bool
is_target(const struct session *s, const struct hop *hop)
{
	char	peer[sizeof(s->peer)];
	size_t	i;

	for (i = 0; i < hop->ntargets; i++)
		if (strcmp(target_text(&hop->targets[i], peer, sizeof(peer)),
		    s->peer) == 0)
			return true;
	return false;
}

bool
session_fits(struct session *s, const struct hop *hop)
{
	struct pollfd	p = { s->conn.fd, POLLIN, 0 };

	if (s->conn.fd == -1)
		return false;
	/* A server that is silent has not closed it, and did not say 421. */
	if (session_is_open(s) && (poll(&p, 1, 0) > 0 ||
	    conn_pending(&s->conn).n > 0))
		s->broken = true;
	if (session_is_open(s) && s->lmtp == hop->lmtp &&
	    s->level == hop->tls && str_eq(str_from(s->key), hop->key) &&
	    is_target(s, hop) &&
	    (s->ehlo.mail_max == 0 || s->mails < s->ehlo.mail_max))
		return true;
	session_close(s);
	return false;
}

void
session_close(struct session *s)
{
	struct verdict	unused;

	if (session_is_open(s)) {
		buf_reset(&s->conn.out);
		if (session_put(s, "QUIT", "QUIT") == 0 && session_reply(s,
		    "QUIT", QUIT_TIMEOUT, &unused) == -1)
			s->broken = true;	/* so what */
	}
	conn_close(&s->conn);
}
