/* route/hop_answer.c - records of proto_hop.h. The client is queue. */
#include "route/hop_answer.h"

#include "common/fmt/record.h"

bool
hop_ask_parse(struct str rec, struct hop_ask *out)
{
	struct str	verb;

	return record_ok(rec) && record_get(rec, HOP_VERB, &verb) &&
	    str_eq(verb, STR("hop")) &&
	    record_getu(rec, HOP_NUMBER, UINT64_MAX, &out->number) &&
	    record_get(rec, HOP_DOMAIN, &out->domain) &&
	    out->domain.n > 0 && out->domain.n <= HOP_ASK_MAX;
}

static void
put_target(struct buf *out, struct buf *tmp, const struct hop_target *t)
{
	char	text[ADDR_TEXT_SIZE];

	buf_reset(tmp);
	if (*t->host != '\0')
		record_puts(tmp, TARGET_HOST, t->host);
	record_puts(tmp, TARGET_ADDR, t->path != NULL ? t->path :
	    addr_text(&t->addr, false, text));
	if (t->path == NULL)
		record_putu(tmp, TARGET_PORT, t->port);
	record_putu(tmp, TARGET_PREF, t->pref);
	if (buf_ok(tmp))
		record_put(out, HOP_TARGET, buf_view(tmp));
	else
		out->bad = true;
}

static void
put_destination(struct buf *out, const struct hop_choice *c)
{
	char		text[ADDR_TEXT_SIZE];
	struct buf	tmp;
	size_t		i, before;

	record_puts(out, HOP_KEY, c->key);
	record_putu(out, HOP_EXPIRES, c->expires);
	if (c->connections != NULL)
		record_puts(out, HOP_CONNECTIONS, c->connections);
	if (c->rate != NULL)
		record_puts(out, HOP_RATE, c->rate);
	record_puts(out, HOP_PROTOCOL, c->protocol);
	record_puts(out, HOP_TLS, c->tls);
	for (i = 0; i < c->nsources; i++)
		record_puts(out, HOP_SOURCE,
		    addr_text(&c->sources[i], false, text));
	buf_init(&tmp, 1024);
	for (i = 0; i < c->ntargets; i++) {
		before = out->n;
		put_target(out, &tmp, &c->targets[i]);
		if (i > 0 && out->n > HOP_ANSWER_MAX) {
			out->n = before;
			break;
		}
	}
	buf_free(&tmp);
}

bool
hop_answer_build(struct buf *out, const struct hop_ask *ask,
    const struct hop_choice *c)
{
	buf_reset(out);
	record_putu(out, HOP_NUMBER, ask->number);
	record_put(out, HOP_DOMAIN, ask->domain);
	record_putf(out, HOP_CODE, "%u", c->code);
	record_puts(out, HOP_STATUS, c->status);
	record_puts(out, HOP_TEXT, c->text);
	buf_addstr(out, buf_view(&c->why));
	if (c->code == 250)
		put_destination(out, c);
	return buf_ok(out);
}
