/*
 * pop3d/front_auth.c - the ways to log in. Runs in a worker of the front; what
 * the client shows is passed on to auth, which decides, and is wiped.
 */
#include <errno.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/base64.h"
#include "common/fmt/cur.h"
#include "common/fmt/utf8.h"
#include "common/proc/msg.h"
#include "pop3d/front_impl.h"

#define PENDING_MAX	16384	/* what auth takes */

/* What the client hears of a failure (RFC 3206, 4). Kinds that are not here say nothing of him. */
static const struct {
	const char	*kind, *text;
} failures[] = {
	{ AUTH_WRONG, "[AUTH] wrong user name or password" },
	{ AUTH_DENIED, "[AUTH] not for this user, or not from there" },
	{ AUTH_CLEARTEXT, "[AUTH] not without an encrypted connection" },
	{ AUTH_BLOCKED, "[SYS/TEMP] too many failures, come again later" },
	{ AUTH_MECHANISM_UNKNOWN, "there is no such mechanism here" },
	{ AUTH_SYNTAX, "this is no message of the mechanism" },
	{ AUTH_CANCELLED, "cancelled" }
};

static void
say_failure(struct front *f)
{
	size_t	i;

	for (i = 0; i < nitems(failures); i++)
		if (strcmp(failures[i].kind, f->login.kind) == 0) {
			talk_bad(&f->talk, "%s", failures[i].text);
			return;
		}
	talk_bad(&f->talk, "[AUTH] authentication failed");
}

static bool
no_answer(struct front *f)
{
	/* it may have a session already: not a word more after this */
	log_warn("login client=%s why=\"auth: %s\"", f->client, strerror(errno));
	talk_err(&f->talk, "[SYS/TEMP] temporary failure, closing");
	f->talk.end = "no answer from auth";
	return false;
}

/* The connection is the session's from now on. */
static bool
go(struct front *f)
{
	f->login.note = f->talk.utf8 ? "utf8" : NULL;
	switch (front_take(f)) {
	case LOGIN_OK:
		if (f->talk.end == NULL)
			f->talk.end = "logged in";
		return false;
	case LOGIN_TEMP:
		if (f->login.broken)
			return no_answer(f);
		talk_err(&f->talk, "[SYS/TEMP] %s", f->login.text);
		return true;
	case LOGIN_FAIL:
	case LOGIN_MORE:
		break;
	}
	errno = EPROTO;
	return no_answer(f);
}

/* What auth says in the end. */
static bool
decided(struct front *f, enum login_result r)
{
	bool	ours = true;

	switch (r) {
	case LOGIN_OK:
		ours = go(f);
		break;
	case LOGIN_FAIL:
		say_failure(f);
		break;
	case LOGIN_TEMP:
		if (f->login.broken)
			log_warn("login client=%s why=\"auth: %s\"", f->client,
			    strerror(errno));
		talk_err(&f->talk, "[SYS/TEMP] %s", f->login.text);
		break;
	case LOGIN_MORE:
		errno = EPROTO;
		ours = no_answer(f);
		break;
	}
	login_end(&f->login);
	/* auth starts the time anew for another try */
	f->talk.conn.deadline = now_ms() + f->talk.idle;
	return ours;
}

static struct login_facts
facts(const struct front *f)
{
	return (struct login_facts){
		.service = "pop3", .client = f->client, .local = f->local,
		.tls = f->tls, .exporter = buf_view(&f->exporter),
		.end_point = buf_view(&f->end_point),
		.certificate = buf_view(&f->certificate)
	};
}

/* What is said before the session speaks has to be out, and what the client said already has to fit. */
static bool
may_begin(struct front *f, bool *ours)
{
	*ours = true;
	if (!f->facts.encrypted &&
	    conn_pending(&f->talk.conn).n > PENDING_MAX) {
		talk_bad(&f->talk, "too many commands at once");
		return false;
	}
	if (conn_flush(&f->talk.conn, f->talk.idle) == 0)
		return true;
	f->talk.end = "the client has gone";
	*ours = false;
	return false;
}

bool
front_user(struct front *f, const struct command *c)
{
	struct str	name = str_trim(c->text);

	if (!mechanism_ok(f->set, &f->facts, MECHANISM_NONE)) {
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
	struct login_facts	facts_now = facts(f);
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
	return decided(f, login_password(&f->login, &facts_now,
	    str_from(f->user), c->text));
}

/* ---- AUTH */

static bool
list_mechanisms(struct front *f)
{
	char		names[MECHANISMS_TEXT_SIZE];
	struct cur	in = cur_from(str_from(mechanisms_text(f->set,
			    &f->facts, names)));
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

static int
challenge(struct front *f, struct str data)
{
	struct buf	text;
	int		r;

	buf_init(&text, BASE64_LEN(MSG_MAX));
	r = base64_encode(&text, data);
	if (r == 0)
		r = conn_putf(&f->talk.conn, "+ %.*s\r\n",
		    STR_ARG(buf_view(&text)));
	buf_wipe(&text);
	return r;
}

enum response { RESPONSE_OK, RESPONSE_CANCEL, RESPONSE_BAD, RESPONSE_OVER };

/* The client's line to a challenge; what is wrong with it has been said. */
static enum response
response(struct front *f, struct str data, struct buf *out)
{
	struct str	line;

	buf_reset(out);
	if (challenge(f, data) == -1) {
		f->talk.end = "the client has gone";
		return RESPONSE_OVER;
	}
	switch (talk_next(&f->talk, &line)) {
	case TALK_OVER:
		return RESPONSE_OVER;
	case TALK_BAD:
		return RESPONSE_BAD;
	case TALK_OK:
		break;
	}
	if (str_eq(line, STR("*")))
		return RESPONSE_CANCEL;
	if (base64_decode(out, line) == 0)
		return RESPONSE_OK;
	talk_bad(&f->talk, "this is not base64, or too long");
	return RESPONSE_BAD;
}

/* The client does not go on, but may try again. */
static bool
given_up(struct front *f, enum response how)
{
	login_cancel(&f->login);
	if (how == RESPONSE_CANCEL)
		talk_bad(&f->talk, "cancelled");
	f->talk.conn.deadline = now_ms() + f->talk.idle;
	return how != RESPONSE_OVER;
}

/*
 * What the mechanism says at its end goes as one more challenge, with an
 * empty answer: RFC 5034, 4 has no room for it in the reply.
 */
static bool
last_word(struct front *f, struct buf *text, bool *ours)
{
	enum response	how;

	if (!f->login.has_data)
		return true;
	how = response(f, f->login.data, text);
	if (how == RESPONSE_OK && text->n > 0) {
		talk_bad(&f->talk, "an empty answer was expected");
		how = RESPONSE_BAD;
	}
	if (how != RESPONSE_OK)
		*ours = given_up(f, how);
	return how == RESPONSE_OK;
}

static bool
converse(struct front *f, struct str mechanism, const struct str *initial,
    struct buf *text)
{
	struct login_facts	now = facts(f);
	enum login_result	r;
	enum response		how;
	bool			ours = true;

	r = login_sasl(&f->login, &now, mechanism, initial);
	while (r == LOGIN_MORE) {
		if ((how = response(f, f->login.data, text)) != RESPONSE_OK)
			return given_up(f, how);
		r = login_step(&f->login, buf_view(text));
	}
	if (r == LOGIN_OK && !last_word(f, text, &ours))
		return ours;
	/* the last answer came after the commands before it were looked at */
	if (r == LOGIN_OK && !may_begin(f, &ours)) {
		login_cancel(&f->login);
		return ours;
	}
	return decided(f, r);
}

/* "=" is an empty one (RFC 5034, 4). False: it is none. */
static bool
initial_response(struct str text, struct buf *out)
{
	return str_eq(text, STR("=")) ||
	    (text.n > 0 && base64_decode(out, text) == 0);
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
	    !mechanism_ok(f->set, &f->facts, m)) {
		talk_bad(&f->talk, "there is no such mechanism here");
		return true;
	}
	buf_init(&text, AUTH_RESPONSE_MAX);
	if ((has_initial = cur_byte(&in, ' ')))
		initial = cur_rest(&in);
	if (has_initial && !initial_response(initial, &text))
		talk_bad(&f->talk, "this is not base64, or too long");
	else {
		initial = buf_view(&text);
		ours = !may_begin(f, &ours) ? ours : converse(f,
		    str_from(mechanism_name(m)), has_initial ? &initial : NULL,
		    &text);
	}
	buf_wipe(&text);
	return ours;
}
