/*
 * smtpd/auth.c - AUTH (RFC 4954): carries the messages of SASL between the
 * client and auth(8), which decides. They are secrets: what held one is
 * overwritten, and none is logged.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/base64.h"
#include "common/net/tls.h"
#include "common/proc/login.h"
#include "common/proc/mechanisms.h"
#include "smtpd/session.h"

#define ROUNDS_MAX	16u	/* no mechanism needs so many */
#define BINDING_MAX	128u
#define CERT_MAX	16384u	/* as much as auth takes */

/* What belongs to one AUTH. */
struct dialogue {
	struct login		 login;
	struct login_facts	 facts;
	char			 local[ADDR_TEXT_SIZE];
	char			 tls[TLS_TEXT_MAX];	/* version and cipher */
	struct buf		 exporter, end_point, certificate;
	struct buf		 message;	/* of the client, decoded */
	enum mechanism		 mechanism;
};

/* How the client's turn ended. */
enum turn { TURN_OK, TURN_ANSWERED, TURN_GONE };

bool
auth_offered(const struct session *s)
{
	return s->d->submission || (!s->d->lmtp && s->set->smtp.auth);
}

static struct mechanism_facts
what_it_has(struct session *s)
{
	struct mechanism_facts	f = { .encrypted = s->tls[0] != '\0' };
	struct buf		none;

	f.cleartext_ok = mechanisms_cleartext_ok(mechanisms_cleartext_of(s->set,
	    s->d->submission ? "submission" : "smtp"), &s->peer->peer);
	if (!f.encrypted)
		return f;
	buf_init(&none, CERT_MAX);
	f.binding = tls_binding(&s->conn, "tls-exporter", &none) == 0 ||
	    tls_binding(&s->conn, "tls-server-end-point", &none) == 0;
	buf_wipe(&none);
	f.certificate = tls_peer_certificate(&s->conn, &none) == 1;
	buf_free(&none);
	return f;
}

bool
auth_announce(struct session *s, char *out, size_t size)
{
	struct mechanism_facts	f = what_it_has(s);
	char			names[MECHANISMS_TEXT_SIZE];

	mechanisms_text(s->set, &f, names);
	if (names[0] == '\0')
		return false;
	strlcpy(out, "AUTH ", size);
	strlcat(out, names, size);
	return true;
}

bool
auth_missing(struct session *s)
{
	char	line[256];

	if (!s->d->submission || s->user[0] != '\0')
		return false;
	/* RFC 4954 6, RFC 3207 4 */
	if (starttls_offered(s) && !auth_announce(s, line, sizeof(line)))
		reply(s, 530, "5.7.0", "send STARTTLS, then log in");
	else
		reply(s, 530, "5.7.0", "authentication required");
	return true;
}

static void
dialogue_init(struct session *s, struct dialogue *g)
{
	struct str	version, cipher;

	*g = (struct dialogue){ .facts = {
	    .service = s->d->submission ? "submission" : "smtp",
	    .client = s->client, .local = g->local, .tls = g->tls } };
	login_init(&g->login, "sock/auth");
	buf_init(&g->exporter, BINDING_MAX);
	buf_init(&g->end_point, BINDING_MAX);
	buf_init(&g->certificate, CERT_MAX);
	buf_init(&g->message, AUTH_RESPONSE_MAX);
	if (s->peer->local.valid)
		addr_text(&s->peer->local, false, g->local);
	if (!trace_tls(s, &version, &cipher))
		return;
	snprintf(g->tls, sizeof(g->tls), "%.*s %.*s", STR_ARG(version),
	    STR_ARG(cipher));
	/* What is missing is one mechanism less. */
	if (tls_binding(&s->conn, "tls-exporter", &g->exporter) == 0)
		g->facts.exporter = buf_view(&g->exporter);
	if (tls_binding(&s->conn, "tls-server-end-point", &g->end_point) == 0)
		g->facts.end_point = buf_view(&g->end_point);
	if (tls_peer_certificate(&s->conn, &g->certificate) == 1)
		g->facts.certificate = buf_view(&g->certificate);
}

static void
dialogue_end(struct dialogue *g)
{
	login_end(&g->login);
	buf_wipe(&g->exporter);
	buf_free(&g->end_point);
	buf_free(&g->certificate);
	buf_wipe(&g->message);
}

/* Said and logged; what the client sent is in neither. NULL: it did not come to a dialogue. */
static void
refuse(struct session *s, const struct dialogue *g, unsigned code,
    const char *status, const char *text)
{
	char	why[LOG_SAFE_MAX];

	log_info("login-failed mechanism=%s client=%s code=%u why=%s",
	    g == NULL ? "none" : mechanism_name(g->mechanism), s->client,
	    code, log_safe(why, sizeof(why), str_from(text)));
	reply(s, code, status, "%s", text);
}

/* A client's message; what it was decoded from is overwritten. False: answered. */
static bool
take_message(struct session *s, struct dialogue *g, struct str text,
    bool initial)
{
	bool	ok;

	buf_wipe(&g->message);
	/* at once: what grows leaves copies behind */
	ok = buf_reserve(&g->message, text.n / 4 * 3 + 3) == 0 &&
	    args_auth_decode(text, initial, &g->message);
	conn_wipe(&s->conn);
	if (!ok)
		refuse(s, g, 501, "5.5.2", "expected base64");
	return ok;
}

static enum turn
wrong_line(struct session *s, const struct dialogue *g, enum line_status st,
    struct str line)
{
	bool	longer = st == LINE_LONG;

	while (st == LINE_LONG && !session_line_ended(s))
		st = conn_line(&s->conn, AUTH_LINE_MAX, session_timeout(s),
		    &line);
	if (st == LINE_MORE) {
		(void)session_no_line(s, errno);
		return TURN_GONE;
	}
	conn_wipe(&s->conn);
	if (longer)
		refuse(s, g, 500, "5.5.6", "line is longer than 12288 bytes");
	else
		refuse(s, g, 501, "5.5.2",
		    "bare CR, bare LF or NUL in a line");
	return TURN_ANSWERED;
}

static enum turn
challenge(struct session *s, struct dialogue *g, struct str data)
{
	struct buf		out;
	struct str		line;
	enum line_status	st;
	int			r;

	buf_init(&out, MSG_MAX * 2);
	buf_adds(&out, "334 ");
	base64_encode(&out, data);
	buf_adds(&out, "\r\n");
	r = buf_ok(&out) ? conn_put(&s->conn, buf_view(&out)) : -1;
	buf_wipe(&out);
	if (r == -1) {
		s->gone = true;
		return TURN_GONE;
	}
	session_until(s, now_ms() + session_timeout(s));
	st = conn_line(&s->conn, AUTH_LINE_MAX, session_timeout(s), &line);
	if (st != LINE_OK)
		return wrong_line(s, g, st, line);
	if (str_eq(line, STR("*"))) {
		refuse(s, g, 501, "5.0.0", "authentication cancelled");
		return TURN_ANSWERED;
	}
	return take_message(s, g, line, false) ? TURN_OK : TURN_ANSWERED;
}

/* Of its success the client hears when it has answered to the last words (RFC 4422 5, 3.6). */
static enum turn
last_words(struct session *s, struct dialogue *g)
{
	enum turn	t;

	if (!g->login.has_data)
		return TURN_OK;
	t = challenge(s, g, g->login.data);
	if (t != TURN_OK || g->message.n == 0)
		return t;
	refuse(s, g, 501, "5.5.2", "expected an empty line");
	return TURN_ANSWERED;
}

static void
logged_in(struct session *s, struct dialogue *g)
{
	char	user[LOG_SAFE_MAX], tls[LOG_SAFE_MAX];

	strlcpy(s->user, g->login.user, sizeof(s->user));
	log_info("login user=%s mechanism=%s client=%s tls=%s",
	    log_safe(user, sizeof(user), str_from(s->user)),
	    mechanism_name(g->mechanism), s->client,
	    log_safe(tls, sizeof(tls), str_from(s->tls)));
	reply(s, 235, "2.7.0", "welcome");
}

/* What auth says of a failure, in the words of RFC 4954 4 and 6. */
static const struct {
	const char	*kind;
	unsigned	 code;
	const char	*status, *text;
} failures[] = {
	{ AUTH_WRONG,	535, "5.7.8", "user, password or token is wrong" },
	{ AUTH_MECHANISM_UNKNOWN, 504, "5.5.4", "mechanism not available" },
	{ AUTH_SYNTAX,	501, "5.5.2", "this is not the mechanism's message" },
	{ AUTH_CANCELLED, 501, "5.0.0", "authentication cancelled" },
	{ AUTH_DENIED,	535, "5.7.1", "not for this service, or not from there" },
	{ AUTH_BLOCKED,	454, "4.7.0", "too many failures, try again later" },
	{ AUTH_CLEARTEXT, 538, "5.7.11", "encryption required" }
};

static enum state
failed(struct session *s, struct dialogue *g)
{
	const struct login	*l = &g->login;
	const char		*text = l->text;
	size_t			 i;

	s->failures++;
	for (i = 0; i < nitems(failures) - 1; i++)
		if (strcmp(l->kind, failures[i].kind) == 0)
			break;
	/* of a kind that we do not know, no more than that it failed */
	if (strcmp(l->kind, failures[i].kind) != 0)
		i = 0;
	if (text[0] == '\0')
		text = failures[i].text;
	refuse(s, g, failures[i].code, failures[i].status, text);
	return s->state;
}

static enum state
not_now(struct session *s, const struct dialogue *g)
{
	const char	*text = g->login.text;

	if (g->login.broken)
		log_error("auth why=\"%s\"", strerror(errno));
	refuse(s, g, 454, "4.7.0",
	    text[0] != '\0' ? text : "temporary failure");
	return s->state;
}

/* The client has given up, or said what is none of the mechanism's messages. */
static enum state
gave_up(struct session *s, struct dialogue *g, enum turn t)
{
	login_cancel(&g->login);
	if (t == TURN_GONE)
		return S_END;
	s->failures++;
	return s->state;
}

static enum state
talk(struct session *s, struct dialogue *g, const struct auth_args *a)
{
	struct str		first = buf_view(&g->message);
	enum login_result	r;
	enum turn		t;
	unsigned		n;

	r = login_sasl(&g->login, &g->facts,
	    str_from(mechanism_name(g->mechanism)),
	    a->has_initial ? &first : NULL);
	for (n = 0; r == LOGIN_MORE && n < ROUNDS_MAX; n++) {
		t = challenge(s, g, g->login.data);
		if (t != TURN_OK)
			return gave_up(s, g, t);
		r = login_step(&g->login, buf_view(&g->message));
	}
	if (r == LOGIN_FAIL)
		return failed(s, g);
	if (r == LOGIN_TEMP || r == LOGIN_MORE)
		return not_now(s, g);
	if ((t = last_words(s, g)) != TURN_OK)
		return gave_up(s, g, t);
	logged_in(s, g);
	return s->state;
}

/* Is this mechanism one for this connection? False: answered. */
static bool
choose(struct session *s, struct str name, enum mechanism *m)
{
	struct mechanism_facts	f = what_it_has(s);

	if (mechanism_find(name, m) && mechanism_ok(s->set, &f, *m))
		return true;
	f.encrypted = true;
	if (s->tls[0] == '\0' && mechanism_find(name, m) &&
	    mechanism_shows_secret(*m) && mechanism_ok(s->set, &f, *m))
		refuse(s, NULL, 538, "5.7.11",
		    "encryption required, send STARTTLS first");
	else
		refuse(s, NULL, 504, "5.5.4", "mechanism not available");
	return false;
}

static bool
is_welcome(struct session *s, struct cur *in, struct auth_args *a)
{
	if (!s->extended)
		refuse(s, NULL, 503, "5.5.1", "send EHLO first");
	else if (s->user[0] != '\0')
		refuse(s, NULL, 503, "5.5.1", "you have logged in already");
	else if (!args_auth(in, a))
		refuse(s, NULL, 501, "5.5.4", "expected AUTH mechanism "
		    "[initial-response]");
	else
		return true;
	return false;
}

enum state
cmd_auth(struct session *s, struct cur *in)
{
	struct dialogue		g;
	struct auth_args	a;
	enum mechanism		m;
	enum state		next = s->state;

	if (is_welcome(s, in, &a) && choose(s, a.mechanism, &m)) {
		dialogue_init(s, &g);
		g.mechanism = m;
		if (!a.has_initial || take_message(s, &g, a.initial, true))
			next = talk(s, &g, &a);
		dialogue_end(&g);
	}
	conn_wipe(&s->conn);
	return next;
}
