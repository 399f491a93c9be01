/*
 * imapd/front_auth.c - the ways to log in (RFC 3501 6.2.2, 6.2.3; RFC 5530).
 * Runs in a worker of the front; what the client shows is passed on to auth,
 * which decides, and is wiped. That it is logged in, the session says.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/utf8.h"
#include "common/net/tls.h"
#include "imapd/front_impl.h"

/* RFC 5530, 3; those without one are the client's mistakes. */
static const struct {
	const char	*kind, *code;
} codes[] = {
	{ AUTH_WRONG, "AUTHENTICATIONFAILED" },
	{ AUTH_DENIED, "AUTHORIZATIONFAILED" },
	{ AUTH_CLEARTEXT, "PRIVACYREQUIRED" },
	{ AUTH_BLOCKED, "UNAVAILABLE" },
	{ AUTH_MECHANISM_UNKNOWN, "CANNOT" },
	{ AUTH_SYNTAX, NULL },
	{ AUTH_CANCELLED, NULL }
};

static void
say_failure(struct front *f, struct str tag)
{
	const char	*kind = f->entry.login.kind;
	const char	*code = "AUTHENTICATIONFAILED";
	size_t		 i;

	for (i = 0; i < nitems(codes); i++)
		if (strcmp(codes[i].kind, kind) == 0)
			code = codes[i].code;
	if (code == NULL)
		front_bad(f, tag, "%s", entry_failure(kind));
	else {
		f->entry.errors++;
		front_no(f, tag, "[%s] %s", code, entry_failure(kind));
	}
}

static bool
decided(struct front *f, const struct front_command *c, enum login_result r)
{
	struct login	*l = &f->entry.login;
	char		 note[AUTH_NOTE_MAX + 1];
	bool		 ours = true;

	snprintf(note, sizeof(note), "%.*s %s%s", STR_ARG(c->tag),
	    c->verb == FRONT_LOGIN ? AUTH_NOTE_LOGIN : AUTH_NOTE_AUTHENTICATE,
	    tls_is_on(&f->conn) && f->set->imap.unauthenticate ?
	    " " AUTH_NOTE_BACK : "");
	switch (entry_admit(&f->entry, r, note)) {
	case ENTRY_TAKEN:
		f->end = "logged in";
		ours = false;
		break;
	case ENTRY_FAILED:
		say_failure(f, c->tag);
		break;
	case ENTRY_LATER:
		if (l->broken)
			log_warn("login client=%s why=\"auth: %s\"",
			    f->entry.client, strerror(errno));
		front_no(f, c->tag, "[UNAVAILABLE] %s", l->text);
		break;
	case ENTRY_BROKEN:
		log_warn("login client=%s why=\"auth: %s\"", f->entry.client,
		    strerror(errno));
		front_say(f, "BYE [UNAVAILABLE] temporary failure");
		f->end = "no answer from auth";
		ours = false;
		break;
	}
	login_end(l);
	/* auth starts the time anew for another try */
	f->conn.deadline = now_ms() + f->entry.idle;
	return ours;
}

/* What is said before the session speaks has to be out, and what the client said already has to fit. */
static bool
may_begin(struct front *f, const struct front_command *c, bool *ours)
{
	*ours = true;
	if (entry_ready(&f->entry) == 0)
		return true;
	if (errno == E2BIG)
		front_bad(f, c->tag, "too many commands at once");
	else {
		f->end = "the client has gone";
		*ours = false;
	}
	return false;
}

/* It was told by LOGINDISABLED; who listens knows the password now. */
static void
exposed(struct front *f, const struct front_command *c)
{
	front_say(f, "BAD [ALERT] a password came without encryption, though "
	    "it was not to; whoever listens knows it now");
	f->entry.errors++;
	front_no(f, c->tag, "[PRIVACYREQUIRED] %s",
	    entry_failure(AUTH_CLEARTEXT));
}

bool
front_login(struct front *f, const struct front_command *c)
{
	struct login_facts	now = entry_facts(&f->entry);
	bool			ours = true;

	if (!mechanism_ok(f->set, &f->entry.facts, MECHANISM_NONE))
		exposed(f, c);
	else if (c->user.n == 0 || c->user.n > AUTH_USER_MAX ||
	    c->pass.n > AUTH_PASS_MAX || !utf8_ok(c->user) ||
	    !utf8_ok(c->pass)) {
		f->entry.errors++;
		front_no(f, c->tag, "[AUTHENTICATIONFAILED] this is no user "
		    "name, or no password");
	} else if (may_begin(f, c, &ours))
		ours = decided(f, c, login_password(&f->entry.login, &now,
		    c->user, c->pass));
	return ours;
}

/* ---- AUTHENTICATE */

struct asking {
	struct front	*front;
	struct str	 tag;
};

static enum entry_turn
ask(void *arg, struct str data, struct buf *answer)
{
	const struct asking	*a = arg;
	struct front		*f = a->front;
	enum entry_turn		 turn;
	struct str		 line;

	if (entry_challenge(&f->conn, data) == -1) {
		f->end = "the client has gone";
		return ENTRY_TURN_OVER;
	}
	turn = front_line(f, a->tag, &line);
	if (turn != ENTRY_TURN_OK)
		return turn;
	turn = entry_answer(line, answer);
	conn_wipe(&f->conn);
	if (turn == ENTRY_TURN_BAD)
		front_bad(f, a->tag, "this is not base64, or too long");
	return turn;
}

/* The client does not go on, but may try again. */
static bool
given_up(struct front *f, struct str tag, enum entry_turn how)
{
	if (how == ENTRY_TURN_CANCELLED)
		front_bad(f, tag, "cancelled");
	else if (how == ENTRY_TURN_NOT_EMPTY)
		front_bad(f, tag, "an empty answer was expected");
	f->conn.deadline = now_ms() + f->entry.idle;
	return how != ENTRY_TURN_OVER;
}

/* Proven by nothing but the connection, which another one's session could have spoken for. */
static bool
somebody_else(struct front *f, const struct front_command *c)
{
	char	user[LOG_SAFE_MAX];

	log_info("login client=%s user=%s why=\"another one was logged in by "
	    "this connection\"", f->entry.client, log_safe(user, sizeof(user),
	    str_from(f->entry.login.user)));
	login_cancel(&f->entry.login);
	f->entry.errors++;
	front_no(f, c->tag, "[AUTHORIZATIONFAILED] by a connection of your own");
	f->conn.deadline = now_ms() + f->entry.idle;
	return true;
}

static bool
converse(struct front *f, const struct front_command *c, enum mechanism m,
    struct buf *text)
{
	struct asking		a = { f, c->tag };
	enum login_result	r;
	enum entry_turn		how;
	bool			ours;

	how = entry_converse(&f->entry, m, c->has_initial, text, ask, &a, &r);
	if (how != ENTRY_TURN_OK)
		return given_up(f, c->tag, how);
	if (r == LOGIN_OK && m == MECHANISM_EXTERNAL &&
	    !entry_may_be(&f->entry))
		return somebody_else(f, c);
	/* the last answer came after the commands before it were looked at */
	if (r == LOGIN_OK && !may_begin(f, c, &ours)) {
		login_cancel(&f->entry.login);
		return ours;
	}
	return decided(f, c, r);
}

/* Is it one for this connection? False: answered. */
static bool
choose(struct front *f, const struct front_command *c, enum mechanism *m)
{
	struct mechanism_facts	facts = f->entry.facts;

	if (mechanism_find(c->mechanism, m)) {
		if (mechanism_ok(f->set, &facts, *m))
			return true;
		facts.encrypted = true;
		if (!f->entry.facts.encrypted && mechanism_shows_secret(*m) &&
		    mechanism_ok(f->set, &facts, *m)) {
			if (c->has_initial)
				exposed(f, c);
			else
				front_no(f, c->tag, "[PRIVACYREQUIRED] %s",
				    entry_failure(AUTH_CLEARTEXT));
			return false;
		}
	}
	f->entry.errors++;
	front_no(f, c->tag, "[CANNOT] %s",
	    entry_failure(AUTH_MECHANISM_UNKNOWN));
	return false;
}

bool
front_authenticate(struct front *f, const struct front_command *c)
{
	struct buf	text;
	enum mechanism	m;
	bool		ours = true;

	if (!choose(f, c, &m))
		return true;
	buf_init(&text, AUTH_RESPONSE_MAX);
	if (c->has_initial && !entry_initial(c->initial, &text))
		front_bad(f, c->tag, "this is not base64, or too long");
	else if (may_begin(f, c, &ours))
		ours = converse(f, c, m, &text);
	buf_wipe(&text);
	return ours;
}
