/*
 * deliver/remote_tx.c - a transaction, in a worker of remote(8): MAIL, RCPT and
 * the order of things. Commands go out together where the server allows it
 * (RFC 2920), and the content with them if it is short and goes by BDAT.
 */
#include "deliver/remote_tx.h"

#include <stdlib.h>
#include <string.h>

#include "deliver/remote_address.h"
#include "deliver/remote_tx_impl.h"

#define TWICE		"; it may have taken the message, which may come twice"

void
tx_settle(struct tx *t, struct job_rcpt *r, const struct verdict *v)
{
	r->settled = true;
	t->nsettled++;
	t->ops->result(t->ops->arg, r, v);
}

void
tx_settle_all(struct tx *t, const struct verdict *v)
{
	size_t	i;

	for (i = 0; i < t->n; i++)
		if (!t->rcpts[i]->settled && !t->rcpts[i]->later)
			tx_settle(t, t->rcpts[i], v);
}

bool
tx_failure(struct tx *t, const char *doing, struct verdict *v)
{
	verdict_reply(v, &t->s->reply);
	if (t->s->reply.code >= 400)
		return true;
	session_nonsense(t->s, doing, v);
	return false;
}

bool
tx_uses_bdat(const struct tx *t)
{
	return t->s->ehlo.chunking && !t->job->no_bdat && t->down == NULL;
}

/* ---- what is said */

static void
put_mail(struct tx *t)
{
	struct session	*s = t->s;
	struct job	*j = t->job;
	struct buf	*out = &s->conn.out;

	s->mails++;
	buf_adds(out, "MAIL FROM:<");
	(void)address_wire(out, j->sender, t->utf8);	/* was tried before */
	buf_adds(out, ">");
	if (s->ehlo.size && t->down == NULL)
		buf_addf(out, " SIZE=%lld", (long long)j->len);
	if (s->ehlo.eightbit && (t->facts.body || t->facts.header ||
	    str_eq_nocase(j->body, STR("8bitmime"))))
		buf_adds(out, " BODY=8BITMIME");
	if (t->utf8)
		buf_adds(out, " SMTPUTF8");
	if (s->ehlo.dsn && j->ret.n > 0)
		buf_addf(out, " RET=%.*s", STR_ARG(j->ret));
	if (s->ehlo.dsn && j->envid.n > 0)
		buf_addf(out, " ENVID=%.*s", STR_ARG(j->envid));
	session_put(s, "MAIL", "%s", "");
}

static void
put_rcpt(struct tx *t, const struct job_rcpt *r)
{
	struct buf	*out = &t->s->conn.out;

	buf_adds(out, "RCPT TO:<");
	(void)address_wire(out, r->addr, t->utf8);
	buf_adds(out, ">");
	if (t->s->ehlo.dsn && r->notify.n > 0)
		buf_addf(out, " NOTIFY=%.*s", STR_ARG(r->notify));
	if (t->s->ehlo.dsn && r->orcpt.n > 0 &&
	    (t->utf8 || is_ascii(r->orcpt)))
		buf_addf(out, " ORCPT=%.*s", STR_ARG(r->orcpt));
	session_put(t->s, "RCPT", "%s", "");
}

/* ---- what is answered */

/* What went with the content may have been taken: then its answer counts as the last one does. */
static int
hear(struct tx *t, const char *doing)
{
	if (t->ended)
		return tx_hear_sent(t, doing, t->set->command_timeout);
	return session_reply(t->s, doing, t->set->command_timeout, t->why);
}

/* False: the session is of no more use; *why. */
static bool
hear_reset(struct tx *t)
{
	t->s->reset = false;
	if (hear(t, "RSET") == -1)
		return false;
	if (t->s->reply.code / 100 == 2)
		return true;
	(void)tx_failure(t, "RSET", t->why);
	t->why->status[0] = '4';	/* whatever it is, the message is not to blame */
	t->s->broken = true;
	return false;
}

static bool
hear_mail(struct tx *t)
{
	struct verdict	v;

	if (hear(t, "MAIL") == -1)
		return false;
	t->mail = t->s->reply.code / 100 == 2;
	if (t->mail)
		return true;
	if (!tx_failure(t, "MAIL", &v) || t->s->closing) {
		*t->why = v;
		return false;
	}
	tx_settle_all(t, &v);
	*t->why = v;
	return true;
}

/*
 * RFC 5321 4.5.3.1.10: too many at a time, the rest in another transaction.
 * 552 is the old code for that; also that of a full mailbox, which says so.
 */
static bool
is_too_many(const struct tx *t)
{
	const struct reply	*r = &t->s->reply;

	return t->naccepted > 0 && (
	    (r->code == 452 && (r->status[0] == '\0' ||
	    strcmp(r->status, "4.5.3") == 0)) ||
	    (r->code == 552 && (r->status[0] == '\0' ||
	    strcmp(r->status, "5.5.3") == 0)));
}

static bool
hear_rcpt(struct tx *t, size_t i)
{
	struct verdict	v;

	if (hear(t, "RCPT") == -1)
		return false;
	if (!t->mail)
		return true;	/* it hangs on MAIL, whatever is said here */
	if (t->s->reply.code / 100 == 2) {
		t->accepted[i] = true;
		t->naccepted++;
		return true;
	}
	if (!tx_failure(t, "RCPT", &v) || t->s->closing) {
		*t->why = v;
		return false;
	}
	if (is_too_many(t))
		t->rcpts[i]->later = true;
	else
		tx_settle(t, t->rcpts[i], &v);
	return true;
}

/* ---- the order of things */

static bool
fits_in_one_go(const struct tx *t)
{
	return tx_uses_bdat(t) && t->job->len <= (off_t)SEND_PIECE;
}

static bool
run_pipelined(struct tx *t)
{
	struct session	*s = t->s;
	bool		 bdat = tx_uses_bdat(t), whole = fits_in_one_go(t);
	bool		 reset = s->reset;
	size_t		 i;

	if (reset)
		session_put(s, "RSET", "RSET");
	put_mail(t);
	for (i = 0; i < t->n; i++)
		put_rcpt(t, t->rcpts[i]);
	if (!bdat)
		session_put(s, "DATA", "DATA");
	if (whole) {
		session_put(s, "BDAT", "BDAT %lld LAST",
		    (long long)t->job->len);
		if (send_plain(s, t->job, t->why) == -1)
			return false;
		t->ended = true;
	}
	if ((reset && !hear_reset(t)) || !hear_mail(t))
		return false;
	for (i = 0; i < t->n; i++)
		if (!hear_rcpt(t, i))
			return false;
	if (!bdat)
		return tx_data(t, true);
	if (whole || t->naccepted > 0)
		return tx_bdat(t, whole);
	s->reset = true;
	return true;
}

static bool
run_in_turn(struct tx *t)
{
	struct session	*s = t->s;
	size_t		 i;

	if (s->reset) {
		session_put(s, "RSET", "RSET");
		if (!hear_reset(t))
			return false;
	}
	put_mail(t);
	if (!hear_mail(t))
		return false;
	for (i = 0; i < t->n && t->mail; i++) {
		put_rcpt(t, t->rcpts[i]);
		if (!hear_rcpt(t, i))
			return false;
	}
	if (t->naccepted > 0)
		return tx_uses_bdat(t) ? tx_bdat(t, false) :
		    tx_data(t, false);
	s->reset = true;
	return true;
}

static void
settle_everybody(struct tx *t)
{
	size_t	i;

	for (i = 0; i < t->job->nrcpts; i++)
		if (!t->job->rcpts[i].settled)
			tx_settle(t, &t->job->rcpts[i], t->why);
}

static bool
is_busy(const struct verdict *v)
{
	return strcmp(v->status, "4.3.2") == 0 ||
	    strcmp(v->status, "4.4.5") == 0 || strcmp(v->status, "4.3.1") == 0;
}

static void
tx_free(struct tx *t)
{
	if (t->down != NULL)
		downgrade_free(t->down);
	free(t->down);
}

enum tx_end
tx_run(struct session *s, struct job *j, const struct tx_ops *ops,
    struct verdict *why)
{
	struct tx	t = { .s = s, .job = j, .ops = ops, .why = why,
			    .set = &s->r->set->remote };
	struct verdict	v;
	bool		sound;

	/* what an earlier transaction came to is no reason in this one */
	verdict_set(why, "4.3.0", "not tried");
	if (!tx_is_sayable(&t)) {
		settle_everybody(&t);
		tx_free(&t);
		return TX_DONE;
	}
	tx_choose(&t);
	sound = t.n == 0 || (s->ehlo.pipelining ? run_pipelined(&t) :
	    run_in_turn(&t));
	tx_free(&t);
	if (sound && !s->broken)
		return t.n > 0 && !t.mail && is_busy(why) ? TX_BUSY : TX_DONE;
	if (!t.ended && !t.begun && t.nsettled == 0)
		return TX_EARLY;
	v = *why;
	if (t.ended && !v.said)
		strlcat(v.text, TWICE, sizeof(v.text));
	tx_settle_all(&t, &v);
	return TX_BROKEN;
}
