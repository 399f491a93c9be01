/*
 * deliver/remote_fit.c - how a message and its recipients fit to what a server
 * offers: its size, 8 bits, UTF-8, and how many at a time (RFC 9422).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/remote_address.h"
#include "deliver/remote_tx_impl.h"

static bool
look_at_content(struct tx *t)
{
	const struct ehlo	*e = &t->s->ehlo;

	t->facts = (struct content_facts){ false, false };
	if (e->eightbit && (e->utf8 || !t->job->utf8) &&
	    str_eq_nocase(t->job->body, STR("8bitmime")))
		return true;
	if (content_scan(t->job, &t->facts) == 0)
		return true;
	verdict_set(t->why, "4.3.0", "read the message: %s", strerror(errno));
	return false;
}

/* To 7 bits, for a server that has no more: 5.6.3 if that cannot be done. */
static bool
plan_conversion(struct tx *t)
{
	if (t->s->ehlo.eightbit || !t->facts.body)
		return true;
	if ((t->down = malloc(sizeof(*t->down))) != NULL) {
		downgrade_init(t->down);
		if (content_plan(t->job, t->down) == 0)
			return true;
	}
	verdict_set(t->why, errno == EINVAL ? "5.6.3" : "4.3.0",
	    "%s takes 7 bits only, and the message cannot be converted: %s",
	    t->s->peer, errno == EINVAL ? "it is signed, or of an unknown "
	    "encoding, or too complicated" : strerror(errno));
	return false;
}

bool
tx_is_sayable(struct tx *t)
{
	const struct ehlo	*e = &t->s->ehlo;
	struct buf		 wire;
	bool			 ok;

	if (e->size_max > 0 && (uint64_t)t->job->len > e->size_max) {
		verdict_set(t->why, "5.3.4", "%s takes messages of %llu bytes, "
		    "this one has %llu", t->s->peer,
		    (unsigned long long)e->size_max,
		    (unsigned long long)t->job->len);
		return false;
	}
	if (!look_at_content(t) || !plan_conversion(t))
		return false;
	t->utf8 = e->utf8 && (t->job->utf8 || !is_ascii(t->job->sender));
	buf_init(&wire, 4096);
	ok = address_wire(&wire, t->job->sender, e->utf8) &&
	    (e->utf8 || !t->job->utf8 || !t->facts.header);
	buf_free(&wire);
	if (!ok)
		verdict_set(t->why, "5.6.7", "%s does not take addresses or "
		    "header fields in UTF-8 (SMTPUTF8)", t->s->peer);
	return ok;
}

/* Is the recipient in this transaction, too? One whose address cannot be said is settled. */
static bool
is_in(struct tx *t, struct job_rcpt *r, size_t domains)
{
	const struct ehlo	*e = &t->s->ehlo;
	struct verdict		 v;
	struct buf		 wire;
	bool			 ok;

	if (r->settled || domains > (e->rcpt_domain_max > 0 ?
	    e->rcpt_domain_max : REMOTE_RCPTS))
		return false;
	buf_init(&wire, 4096);
	ok = address_wire(&wire, r->addr, e->utf8);
	buf_free(&wire);
	if (!ok) {
		verdict_set(&v, "5.6.7", "%s does not take addresses in UTF-8 "
		    "(SMTPUTF8)", t->s->peer);
		tx_settle(t, r, &v);
		return false;
	}
	if (e->utf8 && !is_ascii(r->addr))
		t->utf8 = true;
	return true;
}

static bool
is_new_domain(const struct tx *t, struct str addr)
{
	size_t	i;

	for (i = 0; i < t->n; i++)
		if (address_same_domain(t->rcpts[i]->addr, addr))
			return false;
	return true;
}

void
tx_choose(struct tx *t)
{
	size_t	i, max = (size_t)t->set->recipients, domains = 0;
	bool	new;

	if (t->s->ehlo.rcpt_max > 0 && t->s->ehlo.rcpt_max < max)
		max = t->s->ehlo.rcpt_max;
	for (i = 0; i < t->job->nrcpts && t->n < max; i++) {
		new = is_new_domain(t, t->job->rcpts[i].addr);
		t->job->rcpts[i].later = false;
		if (!is_in(t, &t->job->rcpts[i], domains + new))
			continue;
		domains += new;
		t->rcpts[t->n++] = &t->job->rcpts[i];
	}
}
