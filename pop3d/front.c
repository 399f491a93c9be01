/*
 * pop3d/front.c - the state AUTHORIZATION (RFC 1939, 4). Runs in a worker as
 * ph-login, in an empty chroot; the peer is hostile. It never says who the
 * user is: it shows user name and password to auth, and when auth says ok gives
 * it the connection, which then belongs to a session elsewhere.
 */
#include "pop3d/front.h"

#include <errno.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/mechanisms.h"
#include "common/proc/msg.h"
#include "common/proc/proto_auth.h"
#include "pop3d/command.h"
#include "pop3d/talk.h"

#define AUTH_PATH	"auth"
/* auth holds a guesser's question and its answer back, the master starts the session. */
#define AUTH_TIMEOUT	120000
#define PENDING_MAX	16384	/* what auth takes */
#define STRESS_TIMEOUT	10000

struct front {
	struct talk	 talk;
	bool		 may_login;
	bool		 has_user;
	char		 user[AUTH_USER_MAX + 1];
	char		 client[ADDR_TEXT_SIZE];
};

static bool
cmd_user(struct front *f, const struct command *c)
{
	struct str	name = str_trim(c->text);

	if (!f->may_login) {
		talk_bad(&f->talk,
		    "no password without an encrypted connection");
		return true;
	}
	f->has_user = name.n > 0 &&
	    str_copy(f->user, sizeof(f->user), name) == 0;
	if (f->has_user)
		talk_ok(&f->talk, "send PASS");
	else
		talk_bad(&f->talk, "this is no user name");
	return true;
}

/* The first question; what it holds is wiped with it. */
static void
ask_login(const struct front *f, struct str pass, struct buf *rec)
{
	record_puts(rec, AUTH_VERB, "login");
	record_puts(rec, AUTH_SERVICE, "pop3");
	record_puts(rec, AUTH_USER, f->user);
	record_put(rec, AUTH_PASS, pass);
	record_puts(rec, AUTH_CLIENT, f->client);
}

/* The second one, which gives the connection away. */
static void
ask_take(struct front *f, struct buf *rec)
{
	record_puts(rec, AUTH_VERB, "take");
	record_put(rec, AUTH_PENDING, conn_pending(&f->talk.conn));
}

/* 1: "ok"; 0: no, the client has been told; -1: no answer. */
static int
ask(struct front *f, int auth, struct buf *rec, const struct msg_fds *fds)
{
	struct buf	answer;
	char		verb[16], text[200];
	int		r = -1;

	buf_init(&answer, MSG_MAX);
	if (!buf_ok(rec))
		errno = EMSGSIZE;
	else if (msg_call(auth, rec, fds, &answer, NULL, AUTH_TIMEOUT) == 0 &&
	    record_gets(buf_view(&answer), AUTH_VERB, verb, sizeof(verb))) {
		r = strcmp(verb, "ok") == 0;
		if (r == 0 && strcmp(verb, "fail") == 0)
			talk_bad(&f->talk, "[AUTH] wrong user name or password");
		else if (r == 0)
			talk_err(&f->talk, "[SYS/TEMP] %s",
			    record_gets(buf_view(&answer), AUTH_TEXT, text,
			    sizeof(text)) ? text : "temporary failure");
	}
	buf_free(&answer);
	buf_wipe(rec);
	return r;
}

/*
 * A connection to auth for each login. A question is never asked twice, so a
 * session is never started twice.
 */
static int
prove_and_go(struct front *f, struct str pass)
{
	struct msg_fds	fds = { .fd = { f->talk.conn.fd }, .n = 1 };
	struct buf	rec;
	int		auth, r;

	if ((auth = msg_connect(AUTH_PATH)) == -1)
		return -1;
	buf_init(&rec, MSG_MAX);
	ask_login(f, pass, &rec);
	if ((r = ask(f, auth, &rec, NULL)) == 1) {
		ask_take(f, &rec);
		r = ask(f, auth, &rec, &fds);
	}
	fdio_close(&auth);
	return r;
}

/* True: still ours. */
static bool
login(struct front *f, struct str pass)
{
	/* what is said before the session speaks has to be out */
	if (conn_flush(&f->talk.conn, f->talk.idle) == -1) {
		f->talk.end = "the client has gone";
		return false;
	}
	switch (prove_and_go(f, pass)) {
	case 1:
		f->talk.end = "logged in";
		return false;
	case 0:
		return true;
	}
	/* it may have a session already: not a word more after this */
	log_warn("login client=%s why=\"auth: %s\"", f->client, strerror(errno));
	talk_err(&f->talk, "[SYS/TEMP] temporary failure, closing");
	f->talk.end = "no answer from auth";
	return false;
}

static bool
cmd_pass(struct front *f, const struct command *c)
{
	bool	ours;

	if (!f->has_user) {
		talk_bad(&f->talk, "send USER first");
		return true;
	}
	f->has_user = false;
	if (c->text.n > AUTH_PASS_MAX ||
	    conn_pending(&f->talk.conn).n > PENDING_MAX) {
		talk_bad(&f->talk, "too long");
		return true;
	}
	ours = login(f, c->text);
	/* auth starts the time anew for another try */
	f->talk.conn.deadline = now_ms() + f->talk.idle;
	return ours;
}

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
	switch (c.verb) {
	case VERB_CAPA:
		talk_capa(&f->talk, f->may_login);
		return true;
	case VERB_USER:
		return cmd_user(f, &c);
	case VERB_PASS:
		return cmd_pass(f, &c);
	case VERB_QUIT:
		talk_ok(&f->talk, "bye");
		f->talk.end = "quit";
		return false;
	case VERB_STAT:
	case VERB_LIST:
	case VERB_RETR:
	case VERB_DELE:
	case VERB_NOOP:
	case VERB_RSET:
	case VERB_TOP:
	case VERB_UIDL:
		talk_bad(&f->talk, "log in first");
	}
	return true;
}

void
front_session(void *arg, const struct server_session *peer)
{
	const struct settings	*set = ((struct listener *)arg)->settings;
	int64_t			 idle = set->pop3.idle_timeout;
	struct front		 f;
	struct str		 line;
	bool			 more = true;

	memset(&f, 0, sizeof(f));
	if (peer->stress && idle > STRESS_TIMEOUT)
		idle = STRESS_TIMEOUT;
	talk_init(&f.talk, peer->fd, idle, set->pop3_errors, peer->stop);
	/* who does not log in has no more time in all than an idle client */
	f.talk.conn.deadline = now_ms() + idle;
	f.may_login = mechanisms_cleartext_ok(set->pop3_cleartext, &peer->peer);
	if (peer->peer.valid)
		addr_text(&peer->peer, false, f.client);
	log_debug("connect client=%s", f.client);
	talk_ok(&f.talk, "%s POP3 server ready", set->hostname);
	while (more && talk_line(&f.talk, &line)) {
		more = run(&f, line);
		conn_wipe(&f.talk.conn);
	}
	talk_close(&f.talk);
	log_debug("disconnect client=%s why=\"%s\"", f.client,
	    f.talk.end != NULL ? f.talk.end : "quit");
	explicit_bzero(&f, sizeof(f));
}
