/* imapd/basic.c - CAPABILITY, NOOP, LOGOUT, ENABLE, ID, CHECK. */
#include <string.h>

#include "common/base/attr.h"
#include "common/base/log.h"
#include "imapd/capability.h"
#include "imapd/commands.h"
#include "imapd/identify.h"
#include "imapd/updates.h"

int
session_capabilities(const struct session *s, struct buf *out)
{
	const struct capability_facts	facts = {
		.compressed = s->compressed, .by_master = *s->by != '\0',
		.may_go_back = s->may_go_back
	};

	return capability_session(out, s->set, &facts);
}

enum state
cmd_capability(struct session *s, struct command *c)
{
	struct buf	out;

	if (!command_end(c))
		return s->state;
	buf_init(&out, 4096);
	buf_adds(&out, "* CAPABILITY ");
	if (session_capabilities(s, &out) == 0)
		buf_adds(&out, "\r\n");
	say_buf(s, &out);
	buf_free(&out);
	command_ok(c, NULL, "that is all");
	return s->state;
}

enum state
cmd_noop(struct session *s, struct command *c)
{
	if (command_end(c))
		command_ok(c, NULL, "nothing done");
	return s->state;
}

enum state
cmd_check(struct session *s, struct command *c)
{
	if (command_end(c))
		command_ok(c, NULL, "checked");
	return s->state;
}

enum state
cmd_logout(struct session *s, struct command *c)
{
	if (!command_end(c))
		return s->state;
	/* whoever comes after this reply finds the index as it was left */
	if (s->state == S_SELECTED)
		select_leave(s);
	say(s, "BYE until next time");
	command_ok(c, NULL, "logged out");
	s->end = "logout";
	return S_LOGOUT;
}

enum state
cmd_refused(struct session *s, struct command *c)
{
	command_bad(c, "you are logged in");
	return s->state;
}

/* RFC 5161; what one implies is enabled with it (RFC 7162 3.2.3, RFC 9586). */
static const struct {
	const char	*name;
	unsigned	 bits;
} features[] = {
	{ "CONDSTORE", ENABLED_CONDSTORE },
	{ "QRESYNC", ENABLED_QRESYNC | ENABLED_CONDSTORE },
	{ "UTF8=ACCEPT", ENABLED_UTF8 },
	{ "IMAP4rev2", ENABLED_REV2 },
	{ "UIDONLY", ENABLED_UIDONLY },
};

/*
 * Each that the client names and that is there is said, once, also if it was implied by another or enabled before: to who
 * does not find it in the response it is not enabled (RFC 5161 3.2).
 */
static void
enable(struct str name, unsigned *bits, unsigned *named, struct buf *said)
{
	size_t	i;

	for (i = 0; i < nitems(features); i++)
		if (str_eq_nocase(name, str_from(features[i].name)) &&
		    (*named & 1u << i) == 0) {
			*bits |= features[i].bits;
			*named |= 1u << i;
			buf_addf(said, " %s", features[i].name);
		}
}

enum state
cmd_enable(struct session *s, struct command *c)
{
	struct buf	said;
	struct str	name;
	unsigned	bits = 0, named = 0;

	buf_init(&said, 256);
	do {
		if (!imap_atom(&c->args, &name)) {
			command_bad(c, "capabilities were expected");
			buf_free(&said);
			return s->state;
		}
		enable(name, &bits, &named, &said);
	} while (imap_sp(&c->args));
	if (command_end(c)) {
		if (bits & ENABLED_CONDSTORE)
			updates_condstore(s);
		s->enabled |= bits;
		say(s, "ENABLED%.*s", STR_ARG(buf_view(&said)));
		command_ok(c, NULL, "enabled");
	}
	buf_free(&said);
	return s->state;
}

/* What the client is goes to the log, once. */
enum state
cmd_id(struct session *s, struct command *c)
{
	char		safe[LOG_SAFE_MAX], user[LOG_SAFE_MAX];
	struct buf	text, out;

	buf_init(&text, IDENTIFY_TEXT);
	if (!identify_take(&c->args, &s->memory, &text)) {
		command_bad(c, "a list of names and values was expected");
		buf_free(&text);
		return s->state;
	}
	if (command_end(c)) {
		if (!s->named)
			log_info("client-id user=%s id=%s",
			    log_safe(user, sizeof(user), str_from(s->user)),
			    log_safe(safe, sizeof(safe), buf_view(&text)));
		s->named = true;
		buf_init(&out, 65536);
		buf_adds(&out, "* ID ");
		if (identify_put(&out, s->set) == 0)
			buf_adds(&out, "\r\n");
		say_buf(s, &out);
		buf_free(&out);
		command_ok(c, NULL, "pleased to meet you");
	}
	buf_free(&text);
	return s->state;
}
