/*
 * smtpd/session.c - one connection: reads commands, finds their handlers, and
 * is the only one to change the state and to end a transaction. Runs in a
 * worker as ph-smtp; the peer is hostile.
 */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "smtpd/session.h"

#define STRESS_TIMEOUT	10000	/* ms; for the idle when places are rare */
#define BYE_TIMEOUT	5000
#define QUIET		500	/* ms, then memory is given back */
#define BIG		16384u	/* of the input buffer, if so much was touched */
#define FLUSH_TIMEOUT	60000

static enum state
cmd_noop(struct session *s, struct cur *in)
{
	(void)in;
	reply(s, 250, "2.0.0", "ok");
	return s->state;
}

static enum state
cmd_rset(struct session *s, struct cur *in)
{
	if (!cur_done(in)) {
		reply(s, 501, "5.5.4", "RSET has no arguments");
		return s->state;
	}
	reply(s, 250, "2.0.0", "ok");
	return s->state == S_START ? S_START : S_IDLE;
}

static enum state
cmd_quit(struct session *s, struct cur *in)
{
	if (!cur_done(in)) {
		reply(s, 501, "5.5.4", "QUIT has no arguments");
		return s->state;
	}
	reply(s, 221, "2.0.0", "%s closing connection", s->set->hostname);
	return S_END;
}

static enum state
cmd_help(struct session *s, struct cur *in)
{
	(void)in;
	reply_more(s, 214, "2.0.0", s->d->lmtp ? STR("LHLO STARTTLS") :
	    auth_offered(s) ? STR("EHLO HELO STARTTLS AUTH") :
	    STR("EHLO HELO STARTTLS"));
	reply_more(s, 214, "2.0.0", STR("MAIL RCPT DATA BDAT RSET NOOP QUIT "
	    "HELP VRFY EXPN"));
	reply(s, 214, "2.0.0", "the manual is posthouse-smtpd(8)");
	return s->state;
}

/* A browser or proxy was made to talk to us: its next lines are not commands. */
static enum state
cmd_http(struct session *s, struct cur *in)
{
	(void)in;
	reply(s, 554, "5.5.1", "this is a mail server, closing");
	return S_END;
}

static const struct cmd {
	const char	*verb;
	unsigned	 states;	/* where it is welcome */
	enum state	(*run)(struct session *, struct cur *);
} cmds[] = {
	{ "MAIL",	S_IDLE,			cmd_mail },
	{ "RCPT",	S_MAIL | S_RCPT,	cmd_rcpt },
	{ "DATA",	S_RCPT,			cmd_data },
	{ "BDAT",	S_OPEN,			cmd_bdat },	/* its bytes come in any state */
	{ "EHLO",	S_OPEN & ~S_BDAT,	cmd_ehlo },
	{ "HELO",	S_OPEN & ~S_BDAT,	cmd_helo },
	{ "LHLO",	S_OPEN & ~S_BDAT,	cmd_ehlo },
	{ "STARTTLS",	S_OPEN & ~(S_START | S_BDAT), cmd_starttls },
	{ "AUTH",	S_IDLE,			cmd_auth },
	{ "RSET",	S_OPEN,			cmd_rset },
	{ "NOOP",	S_OPEN,			cmd_noop },
	{ "QUIT",	S_OPEN,			cmd_quit },
	{ "VRFY",	S_OPEN & ~S_BDAT,	cmd_vrfy },
	{ "EXPN",	S_OPEN & ~S_BDAT,	cmd_expn },
	{ "HELP",	S_OPEN,			cmd_help },
	{ "GET",	S_OPEN,			cmd_http },
	{ "POST",	S_OPEN,			cmd_http },
	{ "PUT",	S_OPEN,			cmd_http },
	{ "HEAD",	S_OPEN,			cmd_http },
	{ "CONNECT",	S_OPEN,			cmd_http },
	{ "OPTIONS",	S_OPEN,			cmd_http },
};

/* RFC 5321 4.2.4: known, but not here. */
static const char *const	not_implemented[] = {
	"AUTH", "ETRN", "TURN", "ATRN", "SEND", "SOML", "SAML"
};

static const struct cmd *
cmd_find(const struct session *s, struct str verb)
{
	size_t	i;

	/* Each protocol has its own greeting (RFC 2033 4.1). */
	if (str_eq_nocase(verb, s->d->lmtp ? STR("EHLO") : STR("LHLO")))
		return NULL;
	if (str_eq_nocase(verb, STR("AUTH")) && !auth_offered(s))
		return NULL;
	for (i = 0; i < nitems(cmds); i++)
		if (str_eq_nocase(verb, str_from(cmds[i].verb)))
			return &cmds[i];
	return NULL;
}

static void
unknown(struct session *s, struct str verb)
{
	size_t	i;

	for (i = 0; i < nitems(not_implemented); i++)
		if (str_eq_nocase(verb, str_from(not_implemented[i]))) {
			reply(s, 502, "5.5.1", "command not implemented");
			return;
		}
	reply(s, 500, "5.5.2", "command unrecognized");
}

static void
wrong_state(struct session *s, const struct cmd *c)
{
	if (s->state == S_START)
		reply(s, 503, "5.5.1", "send %s first",
		    s->d->lmtp ? "LHLO" : "HELO or EHLO");
	else if (s->state == S_MAIL && c->run == cmd_data)
		/* RFC 2033 4.2 wants 503 */
		reply(s, s->d->lmtp ? 503 : 554, "5.5.1",
		    "no valid recipients");
	else if (s->state == S_IDLE && (c->run == cmd_rcpt ||
	    c->run == cmd_data))
		reply(s, 503, "5.5.1", "send MAIL first");
	else if (c->run == cmd_mail)
		reply(s, 503, "5.5.1", "nested MAIL command");
	else
		reply(s, 503, "5.5.1", "bad sequence of commands");
}

void
session_end_tx(struct session *s)
{
	enum allowance_what	i;

	rx_abort(&s->rx, &s->d->spool);
	for (i = ALLOWANCE_MESSAGES; i < ALLOWANCE_WHATS; i++)
		while (s->tx.taken[i] > 0)
			user_give_back(s, i);
	tx_reset(&s->tx);
}

static void
set_state(struct session *s, enum state next)
{
	s->state = next;
	if (!(next & S_TX))
		session_end_tx(s);
}

static void
command(struct session *s, struct str line)
{
	const struct cmd	*c;
	struct cur		 in;
	struct str		 verb;

	if (!args_verb(line, &verb, &in))
		reply(s, 500, "5.5.2", "command unrecognized");
	else if ((c = cmd_find(s, verb)) == NULL)
		unknown(s, verb);
	else if (!(c->states & s->state))
		wrong_state(s, c);
	else
		set_state(s, c->run(s, &in));
}

/* Why no line came; a client that has gone is told nothing. */
enum state
session_no_line(struct session *s, int why)
{
	if (why == ETIMEDOUT)
		return reply_closing(s, "4.4.2", "timeout");
	if (why == ECANCELED)
		return reply_closing(s, "4.3.2", "shutting down");
	return S_END;
}

void
session_until(struct session *s, int64_t at)
{
	s->conn.deadline = at < s->deadline ? at : s->deadline;
}

int64_t
session_timeout(const struct session *s)
{
	int64_t	timeout = s->d->lmtp ? s->set->lmtp.idle_timeout :
		    s->d->submission ? s->set->submission.in.idle_timeout :
		    s->set->smtp.in.idle_timeout;

	return s->peer->stress && timeout > STRESS_TIMEOUT ? STRESS_TIMEOUT :
	    timeout;
}

/*
 * A client that is quiet for a moment may be so for minutes: what messages
 * took goes back to the system. A busy one never pays for it.
 */
static void
slim(struct session *s)
{
	struct pollfd	p = { s->conn.fd, POLLIN, 0 };

	if (!s->fat && s->conn.in_to < BIG)
		return;
	/* what fails here fails again in conn_line */
	if (conn_pending(&s->conn).n > 0 || s->conn.eof ||
	    conn_flush(&s->conn, FLUSH_TIMEOUT) == -1 ||
	    poll(&p, 1, QUIET) != 0)
		return;
	conn_idle_trim(&s->conn);
	malloc_trim(0);
	s->fat = false;
}

/*
 * A command that was no line. Was it BDAT, then a chunk follows, which must
 * not be taken for commands, and nobody knows its length.
 */
static void
no_command(struct session *s, bool chunk, const char *why)
{
	if (chunk) {
		reply(s, 501, "5.5.4", "BDAT: %s, closing", why);
		set_state(s, S_END);
	} else
		reply(s, 500, "5.5.2", "%s", why);
}

static bool
is_verb(struct str line, struct str verb)
{
	struct cur	c = cur_from(line);

	return cur_word(&c, verb) &&
	    (cur_done(&c) || !is_alpha((unsigned char)*c.p));
}

bool
session_line_ended(const struct session *s)
{
	return s->conn.in[s->conn.in_from - 1] == '\n';
}

/* What a line may have; what auth(8) is to hear may be longer (RFC 4954 4). */
static size_t
line_max(const struct session *s, bool auth)
{
	size_t	max = (size_t)s->set->smtp.command_length;

	return auth && max < AUTH_LINE_MAX && auth_offered(s) &&
	    s->user[0] == '\0' ? AUTH_LINE_MAX : max;
}

static void
too_long(struct session *s, bool chunk, bool auth)
{
	char	why[64];

	snprintf(why, sizeof(why), "line is longer than %zu bytes",
	    line_max(s, auth));
	if (auth)
		reply(s, 500, "5.5.6", "%s", why);
	else
		no_command(s, chunk, why);
}

/* A line that is too long is read to its end, so that none of it becomes a command. */
static void
skip_line(struct session *s, size_t max, struct str line)
{
	enum line_status	st = LINE_LONG;
	bool			chunk = is_verb(line, STR("BDAT"));
	bool			auth = is_verb(line, STR("AUTH"));

	while (st == LINE_LONG && !session_line_ended(s))
		st = conn_line(&s->conn, max, session_timeout(s), &line);
	if (st == LINE_MORE)
		set_state(s, session_no_line(s, errno));
	else
		too_long(s, chunk, auth);
	if (auth)
		conn_wipe(&s->conn);
}

static void
one_line(struct session *s)
{
	size_t			max = line_max(s, true);
	struct str		line = STR("");
	enum line_status	st;

	session_until(s, now_ms() + session_timeout(s));
	slim(s);
	st = conn_line(&s->conn, max, session_timeout(s), &line);
	if (st != LINE_OK && starttls_unasked(s, st == LINE_MORE ?
	    conn_pending(&s->conn) : line))
		set_state(s, S_END);
	else if (st == LINE_MORE)
		set_state(s, session_no_line(s, errno));
	else if (st == LINE_LONG)
		skip_line(s, max, line);
	else if (st != LINE_OK)
		no_command(s, is_verb(line, STR("BDAT")),
		    "bare CR, bare LF or NUL in a command");
	else if (line.n + 2 > line_max(s, is_verb(line, STR("AUTH"))))
		too_long(s, is_verb(line, STR("BDAT")), false);
	else
		command(s, line);
}

static void
check_limits(struct session *s)
{
	const struct smtp_settings	*set = &s->set->smtp;

	if (s->state == S_END)
		return;
	if (s->gone)
		set_state(s, S_END);
	else if (*s->peer->stop != 0)
		set_state(s, reply_closing(s, "4.3.2", "shutting down"));
	else if (s->failures >= AUTH_FAILURES)
		set_state(s, reply_closing(s, "4.7.0",
		    "too many failed logins"));
	else if (s->errors > set->errors)
		set_state(s, reply_closing(s, "4.7.0", "too many errors"));
	else if (++s->commands > set->commands)
		set_state(s, reply_closing(s, "4.7.0", "too many commands"));
}

static void
init(struct session *s, struct smtpd *d, const struct server_session *peer)
{
	memset(s, 0, sizeof(*s));
	s->d = d;
	s->set = d->settings;
	s->peer = peer;
	s->state = S_START;
	if (peer->peer.valid)
		addr_text(&peer->peer, false, s->client);
	conn_init(&s->conn, peer->fd);
	s->conn.stop = peer->stop;
	s->deadline = now_ms() + s->set->smtp.session_timeout;
	tx_init(&s->tx);
	rx_init(&s->rx, 0, 0);
}

void
session_run(void *arg, const struct server_session *peer)
{
	struct session	s;

	init(&s, arg, peer);
	log_debug("connect client=%s", s.client);
	if (starttls_is_implicit(peer->service) &&
	    !starttls_shake_hands(&s))
		set_state(&s, S_END);
	else
		greet(&s);
	while (s.state != S_END) {
		one_line(&s);
		check_limits(&s);
	}
	/* The last words are worth a moment, even if the time is up. */
	s.conn.stop = NULL;
	s.conn.deadline = -1;
	if (!s.gone && conn_flush(&s.conn, BYE_TIMEOUT) == -1)
		log_debug("last reply not sent client=%s", s.client);
	set_state(&s, S_END);
	log_debug("disconnect client=%s messages=%llu commands=%lld "
	    "errors=%lld", s.client, s.messages, s.commands, s.errors);
	conn_close(&s.conn);
}
