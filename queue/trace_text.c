/* queue/trace_text.c - lines of the log as sentences; pure. What is not known here is shown as it stands. */
#include "queue/trace_text.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/log.h"

#define VALUE_MAX	4096u

/*
 * {key} is the value, {key|text} the text if there is none; [..] is left out if a
 * key inside has no value.
 */
static const struct {
	const char	*event, *text;
} sentences[] = {
	{ "accepted",	"received from {from|<>}[ by {proto}][ from {client}][ ({helo})][ of the local user with uid {uid}]"
			"[, which was {drop}], {nrcpts} recipient(s)[, {size} bytes]" },
	{ "queued",	"taken over by the queue, {nrcpts} recipient(s)" },
	{ "routed",	"to {to}: where it goes was looked up" },
	{ "expanded",	"{was} recipient(s) mean {nrcpts}" },
	{ "delivered",	"to {to}: delivered[ to {user}][ by {relay}][ with TLS {tls}] after {delay}: {status} {why|}" },
	{ "deferred",	"to {to}: not yet[ by {user}][ by {relay}][ with TLS {tls}]: {status} {why|}" },
	{ "failed",	"to {to}: failed for good[ by {user}][ by {relay}][ with TLS {tls}]: {status} {why|}" },
	{ "stored",	"to {to}: stored for {user}: {status} {why|}" },
	{ "not-stored",	"to {to}: not stored for {user}: {status} {why|}" },
	{ "waits",	"{nrcpts} recipient(s) wait, next attempt in {next}" },
	{ "expired",	"to {to}: given up[: {status}][ {why}]" },
	{ "report",	"report {id} ({kind}) to {to} about {nrcpts} recipient(s)" },
	{ "discarded",	"{nrcpts} recipient(s) failed and nobody is told: {why|}" },
	{ "held",	"held: {why|}" },
	{ "released",	"released" },
	{ "removed",	"removed from the queue: {why|}" },
	{ "done",	"done, and removed from the queue" },
	{ "corrupt",	"the file makes no sense, it went to corrupt: {why|}" },
};

/* False: there is none, or it is empty. */
static bool
add_value(const struct logline *l, struct str key, struct buf *out)
{
	struct cur	c = cur_from(l->rest);
	struct str	k, v;
	struct buf	plain;
	bool		found = false;

	while (!found && logline_next(&c, &k, &v))
		found = str_eq(k, key);
	if (!found)
		return false;
	buf_init(&plain, VALUE_MAX);
	logline_plain(v, &plain);
	found = plain.n > 0;
	log_add_shown(out, buf_view(&plain));
	buf_free(&plain);
	return found;
}

/* One {key} or {key|text}; the cursor stands behind the brace. */
static bool
add_key(const struct logline *l, struct cur *c, struct buf *out)
{
	struct str	inside, key, other = STR("");
	const char	*bar;

	if (!cur_until(c, '}', &inside))
		return false;
	key = inside;
	if ((bar = memchr(inside.p, '|', inside.n)) != NULL) {
		key.n = (size_t)(bar - inside.p);
		other = (struct str){ bar + 1, inside.n - key.n - 1 };
	}
	if (add_value(l, key, out))
		return true;
	buf_addstr(out, other);
	return bar != NULL;
}

/* Until its end: false if a key had no value. */
static bool
add_part(const struct logline *l, struct cur *c, struct buf *out, bool inner)
{
	struct buf	part;
	bool		whole = true;

	while (!cur_done(c) && !(inner && cur_byte(c, ']'))) {
		if (cur_byte(c, '{'))
			whole = add_key(l, c, out) && whole;
		else if (cur_byte(c, '[')) {
			buf_init(&part, VALUE_MAX);
			if (add_part(l, c, &part, true))
				buf_addstr(out, buf_view(&part));
			buf_free(&part);
		} else
			buf_addc(out, *c->p++);
	}
	return whole;
}

/* By which rules: one on each line. */
static void
add_rules(const struct logline *l, struct buf *out)
{
	struct buf	why;
	struct str	rest;
	size_t		i;

	buf_init(&why, VALUE_MAX);
	if (add_value(l, STR("why"), &why)) {
		rest = buf_view(&why);
		while (rest.n > 0) {
			for (i = 0; i < rest.n && !(rest.p[i] == ';' &&
			    i + 1 < rest.n && rest.p[i + 1] == ' '); i++)
				continue;
			buf_adds(out, "\nrule: ");
			buf_add(out, rest.p, i);
			i += i < rest.n ? 2 : 0;
			rest.p += i;
			rest.n -= i;
		}
	}
	buf_free(&why);
}

void
trace_text(const struct logline *l, struct buf *out)
{
	struct cur	c;
	struct str	key, value;
	size_t		i;

	for (i = 0; i < nitems(sentences); i++)
		if (str_eq(l->event, str_from(sentences[i].event))) {
			c = cur_from(str_from(sentences[i].text));
			(void)add_part(l, &c, out, false);
			if (str_eq(l->event, STR("routed")) ||
			    str_eq(l->event, STR("accepted")))
				add_rules(l, out);
			return;
		}
	log_add_shown(out, l->event);
	c = cur_from(l->rest);
	while (logline_next(&c, &key, &value))
		if (!str_eq(key, STR("id"))) {
			buf_addc(out, ' ');
			log_add_shown(out, key);
			buf_addc(out, '=');
			log_add_shown(out, value);
		}
}
