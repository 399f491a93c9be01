/* route/answer.c - questions and answers as records. Pure; distrusts who asks. */
#include "route/answer.h"

#include <string.h>

#include "common/fmt/record.h"
#include "common/proc/proto_route.h"

#define FINALS_ROOM	45000	/* in one answer */

static const struct {
	const char		*name;
	enum engine_verb	 verb;
	unsigned		 roles;
} verbs[] = {
	{ "rcpt",	ENGINE_RCPT,	1u << ROLE_SMTP },
	{ "final",	ENGINE_FINAL,	1u << ROLE_QUEUE },
	{ "vrfy",	ENGINE_VRFY,	1u << ROLE_SMTP },
	{ "expn",	ENGINE_EXPN,	1u << ROLE_SMTP },
	{ "sender",	ENGINE_SENDER,	1u << ROLE_SMTP }
};

static bool
parse_verb(struct str name, enum route_role role, enum engine_verb *out)
{
	size_t	i;

	for (i = 0; i < nitems(verbs); i++)
		if (str_eq(name, str_from(verbs[i].name)) &&
		    (verbs[i].roles & (1u << role))) {
			*out = verbs[i].verb;
			return true;
		}
	return false;
}

/* What it is about: of whom a sender is asked, else a recipient. */
static bool
parse_subject(struct str rec, struct engine_ask *ask)
{
	if (ask->verb != ENGINE_SENDER)
		return record_get(rec, ROUTE_RCPT, &ask->rcpt);
	return ask->auth.n > 0 && record_get(rec, ROUTE_SENDER, &ask->sender);
}

bool
question_parse(struct str rec, enum route_role role, struct question *q)
{
	struct str	v;
	uint64_t	skip;

	*q = (struct question){ .skip = 0 };
	q->ask.auth = q->ask.rcpt = q->ask.sender = STR("");
	if (!record_ok(rec) || !record_get(rec, ROUTE_VERB, &v) ||
	    !parse_verb(v, role, &q->ask.verb))
		return false;
	if (record_get(rec, ROUTE_CLIENT, &v)) {
		q->ask.has_client = true;
		if (addr_parse(v, &q->ask.client) == -1)
			return false;
	}
	if (record_get(rec, ROUTE_AUTH, &v))
		q->ask.auth = v;
	if (!parse_subject(rec, &q->ask))
		return false;
	if (record_get(rec, ROUTE_SKIP, &v)) {
		if (!record_getu(rec, ROUTE_SKIP, UINT32_MAX, &skip))
			return false;
		q->paged = true;
		q->skip = (size_t)skip;
	}
	if (record_get(rec, ROUTE_TAG, &v))
		q->tag = v;
	/* the answer has to have room for it */
	return q->tag.n <= 64;
}

static void
put_code(struct buf *b, unsigned code, const char *status, const char *text)
{
	record_putu(b, ROUTE_CODE, code);
	record_puts(b, ROUTE_STATUS, status);
	record_puts(b, ROUTE_TEXT, text);
}

/* As many as there is room for, from the place on that was asked for. */
static void
put_finals(struct buf *b, const struct question *q, const struct decision *d)
{
	struct cur	c = cur_from(buf_view(&d->finals));
	struct field	f;
	size_t		i, room = FINALS_ROOM;

	for (i = 0; record_next(&c, &f); i++) {
		if (i < q->skip)
			continue;
		if (f.value.n + 16 > room) {
			record_putu(b, ROUTE_MORE, d->nfinals);
			return;
		}
		room -= f.value.n + 16;
		record_put(b, f.tag, f.value);
	}
}

bool
answer_build(struct buf *b, const struct question *q, const struct decision *d)
{
	bool	too_many;

	buf_reset(b);
	too_many = q->ask.verb == ENGINE_FINAL && !q->paged &&
	    d->finals.n + 16 * d->nfinals > FINALS_ROOM;
	if (too_many)
		put_code(b, 451, "4.5.3", "too many recipients for one answer");
	else
		put_code(b, d->code, d->status, d->text);
	if (q->tag.p != NULL)
		record_put(b, ROUTE_TAG, q->tag);
	if (q->ask.verb == ENGINE_FINAL && !too_many)
		put_finals(b, q, d);
	/* smtpd may learn whose mailbox it is, never which command runs. */
	if (q->ask.verb == ENGINE_RCPT && d->nfinals == 1 &&
	    d->kind == FINAL_USER && d->code == 250)
		buf_addstr(b, buf_view(&d->finals));
	if (d->names.n < FINALS_ROOM)
		buf_addstr(b, buf_view(&d->names));
	buf_addstr(b, buf_view(&d->why));
	return buf_ok(b);
}
