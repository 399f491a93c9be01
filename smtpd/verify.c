/* smtpd/verify.c - VRFY and EXPN (RFC 5321 3.5), as far as they are allowed. */
#include "common/fmt/record.h"
#include "common/proc/proto_route.h"
#include "smtpd/session.h"

/* What was found, each on a line; the last one ends the reply. */
static void
say_names(struct session *s, const struct answer *a)
{
	struct cur	c = cur_from(buf_view(&s->d->answer));
	struct str	last = STR("");
	struct field	f;

	while (record_next(&c, &f)) {
		if (f.tag != ROUTE_NAME)
			continue;
		if (last.n > 0)
			reply_more(s, a->code, a->status, last);
		last = f.value;
	}
	if (last.n == 0)
		last = str_from(a->text);
	reply(s, a->code, a->status, "%.*s", STR_ARG(last));
}

static void
verify(struct session *s, struct cur *in, const char *verb)
{
	struct path	path;
	struct answer	a;
	struct buf	addr;
	struct bad	b;

	if (!args_vrfy(in, &path, &b)) {
		reply(s, b.code, b.status, "%s", b.text);
		return;
	}
	buf_init(&addr, ADDR_MAX);
	if (path_format(&path, &addr) == -1)
		reply(s, 501, "5.1.3", "address is too long");
	else {
		ask_begin(s, verb);
		record_put(&s->d->question, ROUTE_RCPT, buf_view(&addr));
		if (ask(s, &a))
			say_names(s, &a);
		else
			reply(s, a.code, a.status, "%s", a.text);
	}
	buf_free(&addr);
}

enum state
cmd_vrfy(struct session *s, struct cur *in)
{
	if (auth_missing(s))
		return s->state;
	if (s->set->smtp.vrfy)
		verify(s, in, "vrfy");
	else
		reply(s, 252, "2.5.2", "addresses are not verified here; send "
		    "some mail, I will try my best");
	return s->state;
}

enum state
cmd_expn(struct session *s, struct cur *in)
{
	if (auth_missing(s))
		return s->state;
	if (s->set->smtp.expn)
		verify(s, in, "expn");
	else
		reply(s, 502, "5.7.1", "lists are not expanded here");
	return s->state;
}
