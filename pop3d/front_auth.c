/*
 * pop3d/front_auth.c - the ways to log in. Runs in a worker of the front; what
 * the client shows is passed on to auth, which decides, and is wiped.
 */
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/cur.h"
#include "common/fmt/utf8.h"
#include "pop3d/front_impl.h"

/* RFC 2449, 8; RFC 3206, 4. Kinds without one say nothing of the client's words. */
static const char *
code(const char *kind)
{
	if (strcmp(kind, AUTH_BLOCKED) == 0)
		return "[SYS/TEMP] ";
	return strcmp(kind, AUTH_MECHANISM_UNKNOWN) == 0 ||
	    strcmp(kind, AUTH_SYNTAX) == 0 ||
	    strcmp(kind, AUTH_CANCELLED) == 0 ? "" : "[AUTH] ";
}

/* What auth says in the end. */
static bool
decided(struct front *f, enum login_result r)
{
	struct login	*l = &f->entry.login;
	bool		 ours = true;

	switch (entry_admit(&f->entry, r, f->talk.utf8 ? "utf8" : NULL)) {
	case ENTRY_TAKEN:
		f->talk.end = "logged in";
		ours = false;
		break;
	case ENTRY_FAILED:
		talk_bad(&f->talk, "%s%s", code(l->kind),
		    entry_failure(l->kind));
		break;
	case ENTRY_LATER:
		if (l->broken)
			log_warn("login client=%s why=\"auth: %s\"",
			    f->entry.client, strerror(errno));
		talk_err(&f->talk, "[SYS/TEMP] %s", l->text);
		break;
	case ENTRY_BROKEN:
		/* not a word more after this */
		log_warn("login client=%s why=\"auth: %s\"", f->entry.client,
		    strerror(errno));
		talk_err(&f->talk, "[SYS/TEMP] temporary failure, closing");
		f->talk.end = "no answer from auth";
		ours = false;
		break;
	}
	login_end(l);
	/* auth starts the time anew for another try */
	f->talk.conn.deadline = now_ms() + f->talk.idle;
	return ours;
}

/* What is said before the session speaks has to be out, and what the client said already has to fit. */
static bool
may_begin(struct front *f, bool *ours)
{
	*ours = true;
	if (entry_ready(&f->entry) == 0)
		return true;
	if (errno == E2BIG)
		talk_bad(&f->talk, "too many commands at once");
	else {
		f->talk.end = "the client has gone";
		*ours = false;
	}
	return false;
}

bool
front_user(struct front *f, const struct command *c)
{
	struct str	name = str_trim(c->text);

	if (!mechanism_ok(f->set, &f->entry.facts, MECHANISM_NONE)) {
		talk_bad(&f->talk,
		    "no password without an encrypted connection");
		return true;
	}
	f->has_user = name.n > 0 && utf8_ok(name) &&
	    str_copy(f->user, sizeof(f->user), name) == 0;
	if (f->has_user)
		talk_ok(&f->talk, "send PASS");
	else
		talk_bad(&f->talk, "this is no user name");
	return true;
}

bool
front_pass(struct front *f, const struct command *c)
{
	struct login_facts	now = entry_facts(&f->entry);
	bool			ours;

	if (!f->has_user) {
		talk_bad(&f->talk, "send USER first");
		return true;
	}
	f->has_user = false;
	if (c->text.n > AUTH_PASS_MAX || !utf8_ok(c->text)) {
		talk_bad(&f->talk, "this is no password");
		return true;
	}
	if (!may_begin(f, &ours))
		return ours;
	return decided(f, login_password(&f->entry.login, &now,
	    str_from(f->user), c->text));
}

/* ---- AUTH */

static bool
list_mechanisms(struct front *f)
{
	char		names[MECHANISMS_TEXT_SIZE];
	struct cur	in = cur_from(str_from(mechanisms_text(f->set,
			    &f->entry.facts, names)));
	struct str	one;

	if (cur_done(&in)) {
		talk_bad(&f->talk, "no mechanism without an encrypted "
		    "connection");
		return true;
	}
	/* not in RFC 5034, but asked by many */
	talk_ok(&f->talk, "mechanisms follow");
	while (cur_span(&in, is_vchar, cur_left(&in), &one)) {
		talk_row(&f->talk, "%.*s", STR_ARG(one));
		(void)cur_byte(&in, ' ');
	}
	talk_end(&f->talk);
	return true;
}

static enum entry_turn
ask(void *arg, struct str data, struct buf *answer)
{
	struct front	*f = arg;
	enum entry_turn	 turn;
	struct str	 line;

	if (entry_challenge(&f->talk.conn, data) == -1) {
		f->talk.end = "the client has gone";
		return ENTRY_TURN_OVER;
	}
	switch (talk_next(&f->talk, &line)) {
	case TALK_OVER:
		return ENTRY_TURN_OVER;
	case TALK_BAD:
		return ENTRY_TURN_BAD;
	case TALK_OK:
		break;
	}
	turn = entry_answer(line, answer);
	if (turn == ENTRY_TURN_BAD)
		talk_bad(&f->talk, "this is not base64, or too long");
	return turn;
}

/* The client does not go on, but may try again. */
static bool
given_up(struct front *f, enum entry_turn how)
{
	if (how == ENTRY_TURN_CANCELLED)
		talk_bad(&f->talk, "cancelled");
	else if (how == ENTRY_TURN_NOT_EMPTY)
		talk_bad(&f->talk, "an empty answer was expected");
	f->talk.conn.deadline = now_ms() + f->talk.idle;
	return how != ENTRY_TURN_OVER;
}

static bool
converse(struct front *f, enum mechanism m, bool has_initial,
    struct buf *text)
{
	enum login_result	r;
	enum entry_turn		how;
	bool			ours;

	/* RFC 5034, 4 has no room for the last challenge in the reply */
	how = entry_converse(&f->entry, m, has_initial, text, ask, f, &r);
	if (how != ENTRY_TURN_OK)
		return given_up(f, how);
	/* the last answer came after the commands before it were looked at */
	if (r == LOGIN_OK && !may_begin(f, &ours)) {
		login_cancel(&f->entry.login);
		return ours;
	}
	return decided(f, r);
}

bool
front_auth(struct front *f, const struct command *c)
{
	struct cur	in = cur_from(str_trim(c->text));
	struct str	name, initial = STR("");
	struct buf	text;
	enum mechanism	m;
	bool		has_initial, ours = true;

	f->has_user = false;
	if (cur_done(&in))
		return list_mechanisms(f);
	if (!cur_span(&in, is_vchar, cur_left(&in), &name) ||
	    !mechanism_find(name, &m) ||
	    !mechanism_ok(f->set, &f->entry.facts, m)) {
		talk_bad(&f->talk, "there is no such mechanism here");
		return true;
	}
	buf_init(&text, AUTH_RESPONSE_MAX);
	if ((has_initial = cur_byte(&in, ' ')))
		initial = cur_rest(&in);
	if (has_initial && !entry_initial(initial, &text))
		talk_bad(&f->talk, "this is not base64, or too long");
	else if (may_begin(f, &ours))
		ours = converse(f, m, has_initial, &text);
	buf_wipe(&text);
	return ours;
}
