/*
 * imapd/front.c - the state "not authenticated" (RFC 3501, 3.1). Runs in a
 * worker as ph-login, in a chroot with nothing but the sockets of auth and
 * keys; the peer is hostile. It never says who the user is: it shows what the
 * client says to auth, and when auth says ok gives it the connection, which
 * then belongs to a session elsewhere.
 */
#include "imapd/front.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/net/tls.h"
#include "imapd/capability.h"
#include "imapd/front_impl.h"
#include "imapd/identify.h"

#define LOGIN_TIME	180000	/* RFC 9051, 5.4: it may be short */
#define BYE_TIMEOUT	5000
#define COMMAND_MEMORY	65536

static const char *
capabilities(struct front *f, struct buf *out)
{
	const char	*text = NULL;

	if (capability_front(out, f->set, &f->entry.facts,
	    f->entry.may_start_tls) == 0)
		text = buf_cstr(out);
	return text != NULL ? text : "IMAP4rev1";
}

static bool
cmd_capability(struct front *f, const struct front_command *c)
{
	struct buf	text;

	buf_init(&text, 1024);
	front_say(f, "CAPABILITY %s", capabilities(f, &text));
	buf_free(&text);
	front_ok(f, c->tag, "that is all before the login");
	return true;
}

static bool
cmd_noop(struct front *f, const struct front_command *c)
{
	front_ok(f, c->tag, "nothing done");
	return true;
}

static bool
cmd_logout(struct front *f, const struct front_command *c)
{
	front_say(f, "BYE until next time");
	front_ok(f, c->tag, "logged out");
	f->end = "logout";
	return false;
}

static bool
cmd_later(struct front *f, const struct front_command *c)
{
	front_bad(f, c->tag, "log in first");
	return true;
}

/* Once is enough for the log. */
static bool
cmd_id(struct front *f, const struct front_command *c)
{
	struct cur	in = cur_from(c->list);
	char		safe[LOG_SAFE_MAX];
	struct buf	text;

	buf_init(&text, 65536);
	if (!identify_take(&in, &f->memory, &text) || !cur_done(&in)) {
		buf_free(&text);
		front_bad(f, c->tag, "a list of fields and values was "
		    "expected");
		return true;
	}
	if (!f->named && text.n > 0)
		log_info("client-id client=%s id=%s", f->entry.client,
		    log_safe(safe, sizeof(safe), buf_view(&text)));
	f->named = true;
	buf_reset(&text);
	if (identify_put(&text, f->set) == 0)
		conn_putf(&f->conn, "* ID %.*s\r\n", STR_ARG(buf_view(&text)));
	buf_free(&text);
	front_ok(f, c->tag, "pleased to meet you");
	return true;
}

/*
 * RFC 9051, 6.2.1. Whatever came behind the command could be somebody else's
 * (CVE-2011-0411): it is the handshake's, which fails if it was said in the
 * clear, as what comes later makes it. What was said before counts no more:
 * there is nothing of it left but the number of errors.
 */
static bool
cmd_starttls(struct front *f, const struct front_command *c)
{
	if (!f->entry.may_start_tls) {
		front_bad(f, c->tag, tls_is_on(&f->conn) ?
		    "the connection is encrypted" :
		    "there is no encryption here");
		return true;
	}
	front_ok(f, c->tag, "begin the TLS handshake");
	front_forget(f);
	if (conn_flush(&f->conn, f->entry.idle) == -1) {
		f->end = "the client has gone";
		return false;
	}
	f->named = false;
	conn_idle_trim(&f->conn);
	return entry_shake_hands(&f->entry, &f->end) == 0;
}

static bool (*const handlers[])(struct front *,
    const struct front_command *) = {
	[FRONT_CAPABILITY] = cmd_capability,
	[FRONT_NOOP] = cmd_noop,
	[FRONT_LOGOUT] = cmd_logout,
	[FRONT_ID] = cmd_id,
	[FRONT_STARTTLS] = cmd_starttls,
	[FRONT_AUTHENTICATE] = front_authenticate,
	[FRONT_LOGIN] = front_login,
	[FRONT_LATER] = cmd_later
};

static bool
run(struct front *f)
{
	struct front_command	c;

	switch (front_parse(buf_view(&f->text), &f->memory, &c)) {
	case FRONT_NO_TAG:
		front_bad(f, STR("*"), "a command begins with a tag");
		return true;
	case FRONT_UNKNOWN:
		front_bad(f, c.tag, "unknown command");
		return true;
	case FRONT_SYNTAX:
		front_bad(f, c.tag, "wrong arguments");
		return true;
	case FRONT_PARSED:
		break;
	}
	return handlers[c.verb](f, &c);
}

static int64_t
patience(const struct listener *l)
{
	int64_t	idle = l->settings->imap.in.idle_timeout;

	return idle < LOGIN_TIME ? idle : LOGIN_TIME;
}

/* The rest of the beginning: entry has begun. */
static void
begin(struct front *f)
{
	f->set = f->entry.listener->settings;
	f->conn.stop = f->entry.peer->stop;
	buf_init(&f->text, COMMAND_MEMORY);
	arena_init(&f->memory, COMMAND_MEMORY);
	/* who does not log in has this time in all */
	f->conn.deadline = now_ms() + f->entry.idle;
}

static void
greet(struct front *f)
{
	struct buf	text;

	buf_init(&text, 1024);
	front_say(f, "OK [CAPABILITY %s] %s IMAP server ready",
	    capabilities(f, &text), f->set->hostname);
	buf_free(&text);
}

/*
 * UNAUTHENTICATE (RFC 8437): all begins anew, but for TLS and for what a client is counted by; it counts as one that has just
 * connected. The session has said OK.
 */
static bool
begin_again(struct front *f, const struct entry_kept *k)
{
	const struct listen_settings	*in = &k->listener->settings->imap.in;

	memset(f, 0, sizeof(*f));
	f->conn = k->conn;
	entry_begin_again(&f->entry, &f->conn, k, "imap",
	    patience(k->listener));
	begin(f);
	log_debug("unauthenticated client=%s", f->entry.client);
	f->end = k->end;
	if (f->end == NULL && !server_rate_ok(k->peer.client, 'c',
	    (unsigned)in->client_connection_rate))
		f->end = "too many logins in a minute";
	if (f->end == NULL)
		return true;
	log_info("unauthenticated client=%s why=\"%s\"", f->entry.client,
	    f->end);
	front_say(f, "BYE [UNAVAILABLE] %s", f->end);
	return false;
}

static void
serve(struct front *f)
{
	bool	more = true;

	while (more && front_next(f))
		more = run(f);
	front_forget(f);
}

static void
finish(struct front *f)
{
	front_forget(f);
	f->conn.stop = NULL;
	f->conn.deadline = -1;
	if (conn_flush(&f->conn, BYE_TIMEOUT) == -1 && f->end == NULL)
		f->end = "the last reply was not taken";
	conn_close(&f->conn);
	entry_end(&f->entry);
	if (!f->entry.detached)
		log_debug("disconnect client=%s why=\"%s\"",
		    f->entry.client, f->end != NULL ? f->end : "logout");
	explicit_bzero(f, sizeof(*f));
}

static void	resume(const struct entry_kept *);

/* As often as it comes back here. */
static void
carry(struct front *f)
{
	struct entry_kept	k;

	while (entry_carry(&f->entry, &k, resume, &f->end) &&
	    begin_again(f, &k))
		serve(f);
}

static void
resume(const struct entry_kept *k)
{
	struct front	f;

	if (begin_again(&f, k)) {
		serve(&f);
		carry(&f);
	}
	finish(&f);
}

void
imap_front_session(void *arg, const struct server_session *peer)
{
	const struct listener	*l = arg;
	struct front		 f;

	memset(&f, 0, sizeof(f));
	conn_init(&f.conn, peer->fd);
	entry_begin(&f.entry, &f.conn, l, peer, "imap", patience(l));
	begin(&f);
	log_debug("connect client=%s service=%s", f.entry.client,
	    peer->service);
	if (strcmp(peer->service, "imaps") != 0 ||
	    entry_shake_hands(&f.entry, &f.end) == 0) {
		greet(&f);
		serve(&f);
		carry(&f);
	}
	finish(&f);
}
