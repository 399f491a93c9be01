/*
 * pop3d/front.c - the state AUTHORIZATION (RFC 1939, 4). Runs in a worker as
 * ph-login, in an empty chroot; the peer is hostile. It never says who the
 * user is: it shows user name, password and the connection to auth, and when
 * auth says ok the connection belongs to a session elsewhere.
 */
#include "pop3d/front.h"

#include <errno.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
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

bool
front_cleartext_ok(const char *how, const struct addr *peer)
{
	struct network	v4, v6;

	if (strcmp(how, "loopback") != 0)
		return strcmp(how, "yes") == 0;
	return network_parse(STR("127.0.0.0/8"), &v4) == 0 &&
	    network_parse(STR("::1"), &v6) == 0 &&
	    (network_has(&v4, peer) || network_has(&v6, peer));
}

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

/* The question; what it holds is wiped with it. */
static void
ask(const struct front *f, struct str pass, struct str pending,
    struct buf *rec)
{
	record_puts(rec, AUTH_VERB, "login");
	record_puts(rec, AUTH_SERVICE, "pop3");
	record_puts(rec, AUTH_USER, f->user);
	record_put(rec, AUTH_PASS, pass);
	record_puts(rec, AUTH_CLIENT, f->client);
	record_put(rec, AUTH_PENDING, pending);
}

/*
 * A connection of its own for each login: the question is never asked twice,
 * so a session is never started twice.
 */
static int
call(int client, struct buf *rec, struct buf *answer)
{
	struct msg_fds	fds = { .fd = { client }, .n = 1 };
	int		fd, r = -1;

	if (!buf_ok(rec)) {
		errno = EMSGSIZE;
		return -1;
	}
	if ((fd = msg_connect(AUTH_PATH)) != -1)
		r = msg_call(fd, rec, &fds, answer, NULL, AUTH_TIMEOUT);
	fdio_close(&fd);
	return r;
}

/* True: still ours. */
static bool
answered(struct front *f, struct str rec)
{
	char	verb[16], text[200];

	if (!record_gets(rec, AUTH_VERB, verb, sizeof(verb)))
		verb[0] = '\0';
	if (strcmp(verb, "ok") == 0) {
		f->talk.end = "logged in";
		return false;
	}
	if (strcmp(verb, "fail") == 0)
		talk_bad(&f->talk, "[AUTH] wrong user name or password");
	else
		talk_err(&f->talk, "[SYS/TEMP] %s", record_gets(rec, AUTH_TEXT,
		    text, sizeof(text)) ? text : "temporary failure");
	return true;
}

static bool
login(struct front *f, struct str pass)
{
	struct str	pending = conn_pending(&f->talk.conn);
	struct buf	rec, answer;
	bool		ours = false;

	/* what is said before the session speaks has to be out */
	if (conn_flush(&f->talk.conn, f->talk.idle) == -1) {
		f->talk.end = "the client has gone";
		return false;
	}
	buf_init(&rec, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	ask(f, pass, pending, &rec);
	if (call(f->talk.conn.fd, &rec, &answer) == 0)
		ours = answered(f, buf_view(&answer));
	else {
		/* it may have a session already: not a word more after this */
		log_warn("login client=%s why=\"auth: %s\"", f->client,
		    strerror(errno));
		talk_err(&f->talk, "[SYS/TEMP] temporary failure, closing");
		f->talk.end = "no answer from auth";
	}
	buf_wipe(&rec);
	buf_free(&answer);
	return ours;
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
	f.may_login = front_cleartext_ok(set->pop3_cleartext, &peer->peer);
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
