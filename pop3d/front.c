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
#include "pop3d/capa.h"
#include "pop3d/front_impl.h"

#define AUTH_PATH	"auth"
#define STRESS_TIMEOUT	10000
#define BINDING_MAX	64	/* what auth takes */
#define CERTIFICATE_MAX	16384
/* AUTH with the longest initial response: RFC 5034, 4 has 255, but tokens are longer. */
#define LINE_MAX	(sizeof("AUTH ") + AUTH_MECHANISM_MAX + \
	BASE64_LEN(AUTH_RESPONSE_MAX) + 2)

static bool
cmd_capa(struct front *f, const struct command *c)
{
	(void)c;
	capa_offer(&f->talk.offer, f->set, &f->facts);
	f->talk.offer.stls = f->may_stls;
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
	[VERB_STLS] = front_stls,
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
	const struct settings	*set = l->settings;
	int64_t			 idle = set->pop3.idle_timeout;

	memset(f, 0, sizeof(*f));
	f->listener = l;
	f->peer = peer;
	if (peer->stress && idle > STRESS_TIMEOUT)
		idle = STRESS_TIMEOUT;
	talk_init(&f->talk, peer->fd, idle, set->pop3_errors, peer->stop);
	f->set = set;
	f->talk.line_max = LINE_MAX;
	/* who does not log in has no more time in all than an idle client */
	f->talk.conn.deadline = now_ms() + idle;
	login_init(&f->login, AUTH_PATH);
	buf_init(&f->exporter, BINDING_MAX);
	buf_init(&f->end_point, BINDING_MAX);
	buf_init(&f->certificate, CERTIFICATE_MAX);
	f->may_stls = l->tls != NULL;
	f->facts.cleartext_ok = mechanisms_cleartext_ok(
	    set->pop3_cleartext, &peer->peer);
	if (peer->peer.valid)
		addr_text(&peer->peer, false, f->client);
	if (peer->local.valid)
		addr_text(&peer->local, false, f->local);
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
front_session(void *arg, const struct server_session *peer)
{
	struct front	f;

	begin(&f, arg, peer);
	log_debug("connect client=%s service=%s", f.client, peer->service);
	if (strcmp(peer->service, "pop3s") != 0 || front_shake_hands(&f))
		serve(&f);
	talk_close(&f.talk);
	front_forget(&f);
	login_end(&f.login);
	if (!f.detached)
		log_debug("disconnect client=%s why=\"%s\"", f.client,
		    f.talk.end != NULL ? f.talk.end : "quit");
	explicit_bzero(&f, sizeof(f));
}
