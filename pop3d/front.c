/*
 * pop3d/front.c - the state AUTHORIZATION (RFC 1939, 4). Runs in a worker as
 * ph-login, in a chroot with nothing but the sockets of auth and keys; the
 * peer is hostile. It never says who the user is: it shows what the client
 * says to auth, and when auth says ok gives it the connection, which then
 * belongs to a session elsewhere.
 */
#include "pop3d/front.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/base64.h"
#include "common/net/tls.h"
#include "pop3d/capa.h"
#include "pop3d/front_impl.h"

/* AUTH with the longest initial response: RFC 5034, 4 has 255, but tokens are longer. */
#define LINE_MAX	(sizeof("AUTH ") + AUTH_MECHANISM_MAX + \
	BASE64_LEN(AUTH_RESPONSE_MAX) + 2)

static bool
cmd_capa(struct front *f, const struct command *c)
{
	(void)c;
	capa_offer(&f->talk.offer, f->set, &f->entry.facts);
	f->talk.offer.stls = f->entry.may_start_tls;
	capa_say(&f->talk);
	return true;
}

static bool
cmd_lang(struct front *f, const struct command *c)
{
	capa_lang(&f->talk, c->text);
	return true;
}

static bool
cmd_utf8(struct front *f, const struct command *c)
{
	(void)c;
	f->talk.utf8 = true;
	talk_ok(&f->talk, "UTF-8 it is");
	return true;
}

static bool
cmd_quit(struct front *f, const struct command *c)
{
	(void)c;
	talk_ok(&f->talk, "bye");
	f->talk.end = "quit";
	return false;
}

static bool
cmd_later(struct front *f, const struct command *c)
{
	(void)c;
	talk_bad(&f->talk, "log in first");
	return true;
}

/*
 * RFC 2595, 4. Whatever came behind the command could be somebody else's
 * (CVE-2011-0411): it is the handshake's, which fails if it was said in the
 * clear, as what comes later makes it.
 */
static bool
cmd_stls(struct front *f, const struct command *c)
{
	struct conn	*conn = &f->talk.conn;

	(void)c;
	if (!f->entry.may_start_tls || f->talk.utf8) {
		/* RFC 6856, 2.1 */
		talk_bad(&f->talk, f->talk.utf8 ? "not after UTF8" :
		    tls_is_on(conn) ? "the connection is encrypted" :
		    "there is no encryption here");
		return true;
	}
	talk_ok(&f->talk, "begin the TLS handshake");
	if (conn_flush(conn, f->talk.idle) == -1) {
		f->talk.end = "the client has gone";
		return false;
	}
	/* RFC 2595, 4: nothing that was said before counts */
	f->has_user = false;
	explicit_bzero(f->user, sizeof(f->user));
	conn_idle_trim(conn);
	return entry_shake_hands(&f->entry, &f->talk.end) == 0;
}

static bool (*const handlers[])(struct front *, const struct command *) = {
	[VERB_CAPA] = cmd_capa,
	[VERB_USER] = front_user,
	[VERB_PASS] = front_pass,
	[VERB_QUIT] = cmd_quit,
	[VERB_STAT] = cmd_later,
	[VERB_LIST] = cmd_later,
	[VERB_RETR] = cmd_later,
	[VERB_DELE] = cmd_later,
	[VERB_NOOP] = cmd_later,
	[VERB_RSET] = cmd_later,
	[VERB_TOP] = cmd_later,
	[VERB_UIDL] = cmd_later,
	[VERB_STLS] = cmd_stls,
	[VERB_AUTH] = front_auth,
	[VERB_UTF8] = cmd_utf8,
	[VERB_LANG] = cmd_lang,
};

static bool
run(struct front *f, struct str line)
{
	struct command	c;

	switch (command_parse(line, &c)) {
	case COMMAND_UNKNOWN:
		talk_bad(&f->talk, "unknown command");
		return true;
	case COMMAND_SYNTAX:
		talk_bad(&f->talk, "wrong arguments");
		return true;
	case COMMAND_OK:
		break;
	}
	return handlers[c.verb](f, &c);
}

static void
begin(struct front *f, const struct listener *l,
    const struct server_session *peer)
{
	memset(f, 0, sizeof(*f));
	f->set = l->settings;
	entry_begin(&f->entry, &f->talk.conn, l, peer, "pop3",
	    f->set->pop3.idle_timeout);
	talk_init(&f->talk, peer->fd, f->entry.idle, f->set->pop3_errors,
	    peer->stop);
	f->talk.line_max = LINE_MAX;
	/* who does not log in has no more time in all than an idle client */
	f->talk.conn.deadline = now_ms() + f->entry.idle;
}

static void
serve(struct front *f)
{
	struct str	line;
	bool		more = true;

	talk_ok(&f->talk, "%s POP3 server ready", f->set->hostname);
	while (more && talk_line(&f->talk, &line)) {
		more = run(f, line);
		conn_wipe(&f->talk.conn);
	}
}

void
pop3_front_session(void *arg, const struct server_session *peer)
{
	struct entry_kept	kept;
	struct front		f;

	begin(&f, arg, peer);
	log_debug("connect client=%s service=%s", f.entry.client,
	    peer->service);
	if (strcmp(peer->service, "pop3s") != 0 ||
	    entry_shake_hands(&f.entry, &f.talk.end) == 0)
		serve(&f);
	(void)entry_carry(&f.entry, &kept, NULL, &f.talk.end);
	talk_close(&f.talk);
	entry_end(&f.entry);
	if (!f.entry.detached)
		log_debug("disconnect client=%s why=\"%s\"", f.entry.client,
		    f.talk.end != NULL ? f.talk.end : "quit");
	explicit_bzero(&f, sizeof(f));
}
