/*
 * route/engine.c - a question to a decision: relay permission, then the walk
 * to the final recipients, then the answer's code. Pure but for the look-ups.
 */
#include "route/engine.h"

#include <string.h>

#include "common/fmt/record.h"
#include "common/proc/proto_route.h"
#include "route/sender.h"
#include "route/walk.h"

#define FINALS_MAX	(64u << 20)	/* ROUTE_FINALS of the longest */
#define ANSWER_MAX	(48u << 10)

void
engine_init(struct engine *e)
{
	seen_init(&e->visited);
	seen_init(&e->nobody);
	seen_init(&e->finals);
	seen_init(&e->unknown);
	buf_init(&e->scratch, 16384);
}

void
engine_free(struct engine *e)
{
	seen_free(&e->visited);
	seen_free(&e->nobody);
	seen_free(&e->finals);
	seen_free(&e->unknown);
	buf_free(&e->scratch);
}

void
decision_init(struct decision *d)
{
	*d = (struct decision){ .code = 451 };
	buf_init(&d->finals, FINALS_MAX);
	buf_init(&d->names, ANSWER_MAX);
	buf_init(&d->why, ANSWER_MAX);
}

void
decision_free(struct decision *d)
{
	buf_free(&d->finals);
	buf_free(&d->names);
	buf_free(&d->why);
}

static void
decide(struct decision *d, unsigned code, const char *status, const char *text)
{
	d->code = code;
	d->status = status;
	d->text = text;
}

/* Finals of a refused address are nobody's. */
static void
refuse(struct decision *d, unsigned code, const char *status, const char *text)
{
	decide(d, code, status, text);
	buf_reset(&d->finals);
	buf_reset(&d->names);
	d->nfinals = 0;
}

static void
conclude(struct walk *w, enum engine_verb verb, enum outcome o)
{
	struct decision	*d = w->out;

	if (o == OUT_OK && d->nfinals == 0 && w->partly)
		o = OUT_UNKNOWN;
	if (o == OUT_OK && w->partly)
		o = walk_unknown(w);
	switch (o) {
	case OUT_OK:
		decide(d, 250, "2.1.5", "recipient ok");
		return;
	case OUT_CONFIG:
		if (verb == ENGINE_FINAL)
			refuse(d, 451, "4.3.5", "the postmaster has no mailbox "
			    "yet");
		else
			decide(d, 250, "2.1.5", "recipient ok");
		return;
	case OUT_NONE:
	case OUT_UNKNOWN:
		refuse(d, 550, "5.1.1", "user unknown");
		return;
	case OUT_BAD:
		refuse(d, 553, "5.1.3", "this is no address");
		return;
	case OUT_LOOP:
		refuse(d, 550, "5.4.6", "this address leads back to itself");
		return;
	case OUT_DEEP:
		refuse(d, 550, "5.4.6", "too many aliases in one another");
		return;
	case OUT_WIDE:
		refuse(d, 550, "5.2.4", "this address means more than 100000 "
		    "recipients");
		return;
	case OUT_TEMP:
		refuse(d, 451, "4.3.0", "temporary failure of a look-up");
		return;
	}
}

/* "user%host@here" and the like would make the next host relay for us. */
static bool
is_source_routed(const struct node *n)
{
	return strpbrk(n->local, "%@!") != NULL;
}

/* May this client send to another host? */
static bool
may_relay(struct walk *w, const struct engine_ask *q)
{
	const struct setting_item *it;
	char			   text[ADDR_TEXT_SIZE];

	if (q->auth.n > 0) {
		walk_why(w, "user %.*s has logged in and may relay",
		    STR_ARG(q->auth));
		return true;
	}
	if (!q->has_client) {
		walk_why(w, "submitted on this host, may relay");
		return true;
	}
	it = site_relay(w->site, &q->client);
	if (it != NULL) {
		walk_why_item(w, it, "client %s is in relay-from %s",
		    addr_text(&q->client, false, text), it->text);
		return true;
	}
	walk_why(w, "client %s is not in relay-from",
	    q->client.valid ? addr_text(&q->client, false, text) : "without "
	    "an address");
	return false;
}

/* What would only be returned is not taken. */
static bool
is_refused(struct walk *w, const struct node *n)
{
	const struct setting_item	*it;

	it = site_refused(w->site, str_from(n->domain));
	if (it == NULL)
		return false;
	walk_why_item(w, it, "transport %s none", it->text);
	refuse(w->out, 550, "5.4.4", "mail for this domain is not sent from "
	    "here");
	return true;
}

static void
decide_remote(struct walk *w, const struct engine_ask *q, struct node *n,
    const struct site_domain *d)
{
	bool	trusted;

	if (q->verb == ENGINE_VRFY || q->verb == ENGINE_EXPN) {
		walk_why(w, "%s is not a domain of this host", n->domain);
		decide(w->out, 252, "2.0.0", "cannot say, but will try to "
		    "send mail there");
		return;
	}
	if (q->verb == ENGINE_RCPT) {
		if (d != NULL)
			walk_why_item(w, d->item, "relay-domain %s", d->name);
		else
			walk_why(w, "%s is not a domain of this host",
			    n->domain);
		trusted = (d == NULL || is_source_routed(n)) &&
		    may_relay(w, q);
		if (d == NULL && !trusted) {
			refuse(w->out, 550, "5.7.1", "relaying denied");
			return;
		}
		if (is_source_routed(n) && !trusted) {
			walk_why(w, "%s names a further host", n->addr);
			refuse(w->out, 550, "5.7.1", "source routing denied");
			return;
		}
		if (is_refused(w, n))
			return;
	}
	conclude(w, q->verb, walk_resolve(w, n));
}

/* What VRFY shows is the address in full (RFC 5321 3.5.1); so does EXPN of a user. */
static void
name_itself(struct walk *w, const struct node *n)
{
	if (w->out->code == 250 && w->out->names.n == 0)
		record_putf(&w->out->names, ROUTE_NAME, "<%s>", n->addr);
	if (!buf_ok(&w->out->names))
		refuse(w->out, 252, "2.0.0", "too many names to list");
}

static void
start(struct engine *e, struct decision *d)
{
	seen_reset(&e->visited);
	seen_reset(&e->nobody);
	seen_reset(&e->finals);
	seen_reset(&e->unknown);
	buf_reset(&d->finals);
	buf_reset(&d->names);
	buf_reset(&d->why);
	d->nfinals = 0;
	d->kind = FINAL_USER;
}

void
engine_decide(struct engine *e, const struct site *site,
    const struct engine_tables *tables, const struct engine_ask *q,
    struct decision *d)
{
	struct walk			 w = { e, site, tables, d, false, false,
					    false };
	const struct site_domain	*domain;
	struct node			 n;

	start(e, d);
	if (q->verb == ENGINE_SENDER) {
		sender_decide(&w, q);
		return;
	}
	w.expn = q->verb == ENGINE_EXPN;
	if (!walk_node(&w, q->rcpt, NULL, &n)) {
		refuse(d, 553, "5.1.3", "this is no address");
		walk_why(&w, "\"%.*s\" is no address", STR_ARG(q->rcpt));
		return;
	}
	if (memchr(q->rcpt.p, '@', q->rcpt.n) == NULL)
		walk_why(&w, "without a domain: %s", n.addr);
	walk_why_domain(&w, &n);
	domain = site_find(site, str_from(n.domain));
	if (domain == NULL || domain->kind == SITE_RELAY)
		decide_remote(&w, q, &n, domain);
	else
		conclude(&w, q->verb, walk_resolve(&w, &n));
	if (q->verb == ENGINE_VRFY || q->verb == ENGINE_EXPN)
		name_itself(&w, &n);
}
