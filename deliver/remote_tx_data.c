/*
 * deliver/remote_tx_data.c - the content of a transaction, by DATA or BDAT
 * (RFC 3030), and what is said at its end: for all, or by an LMTP server for
 * each. The end is sent once: what is lost after it may have arrived.
 */
#include <string.h>

#include "common/base/now.h"
#include "deliver/remote_tx_impl.h"

#define LAST_WORDS	1000	/* ms for the reply of a server that stopped taking content */
#define GRACE		5000	/* ms for the last replies, all of them, when we are to stop */

int
tx_hear_sent(struct tx *t, const char *doing, int64_t timeout)
{
	struct session		*s = t->s;
	const volatile int	*stop = s->conn.stop;
	int64_t			 left;
	int			 r;

	s->conn.master = -1;
	if (t->grace == 0) {
		if (session_reply(s, doing, timeout, t->why) == 0) {
			s->conn.master = s->r->queue;
			return 0;
		}
		if (*stop == 0)
			return -1;
		t->grace = now_ms() + GRACE;
		s->broken = false;
	}
	left = t->grace - now_ms();
	s->conn.stop = NULL;
	r = session_reply(s, doing, left < 0 ? 0 : left, t->why);
	/* nothing more is begun */
	s->conn.stop = stop;
	return r;
}

/* The last reply, or one of the last ones. */
static int
hear_end(struct tx *t, const char *doing)
{
	return tx_hear_sent(t, doing, t->set->end_timeout);
}

/*
 * It offers BDAT and does not know it: DATA, then, over another connection,
 * for what this one takes the content for is not known.
 */
static bool
knows_bdat(struct tx *t)
{
	unsigned	code = t->s->reply.code;

	if (!tx_uses_bdat(t) || (code != 500 && code != 502 && code != 503))
		return true;
	t->job->no_bdat = t->s->broken = true;
	t->ended = t->begun = false;
	verdict_reply(t->why, &t->s->reply);
	t->why->status[0] = '4';
	return false;
}

static void
settle_end(struct tx *t, size_t i)
{
	struct verdict	v;

	if (t->s->reply.code / 100 == 2) {
		reply_status(&t->s->reply, v.status);
		memcpy(v.text, t->s->reply.text, sizeof(v.text));
		v.said = true;
	} else {
		if (!tx_failure(t, "end of the content", &v))
			*t->why = v;	/* the others', too */
		t->s->reset |= tx_uses_bdat(t);	/* RFC 3030 2: a must */
	}
	tx_settle(t, t->rcpts[i], &v);
}

/* One reply for all, from an LMTP server one for each (RFC 2033 4.2). */
static bool
hear_ends(struct tx *t)
{
	size_t	i;
	bool	heard = false;

	for (i = 0; i < t->n; i++) {
		if (!t->accepted[i])
			continue;
		if ((!heard || t->s->lmtp) &&
		    (t->s->broken || hear_end(t, "end of the content") == -1))
			return false;
		if (!heard && !knows_bdat(t))
			return false;
		heard = true;
		settle_end(t, i);
	}
	return true;
}

/* The server stopped taking it; perhaps it says why. */
static bool
hear_last_words(struct tx *t)
{
	struct verdict	v;

	buf_reset(&t->s->conn.out);
	t->s->broken = false;	/* what comes in may be whole */
	if (session_reply(t->s, "content", LAST_WORDS, &v) == 0 &&
	    t->s->reply.code >= 400) {
		verdict_reply(&v, &t->s->reply);
		tx_settle_all(t, &v);
	}
	t->s->broken = true;
	return false;
}

static bool
send_rest(struct tx *t)
{
	t->ended = session_flush(t->s, t->set->block_timeout, t->why) == 0;
	return t->ended || hear_last_words(t);
}

bool
tx_bdat(struct tx *t, bool sent)
{
	struct session	*s = t->s;

	t->begun = true;
	if (!sent) {
		session_put(s, "BDAT", "BDAT %lld LAST",
		    (long long)t->job->len);
		if (send_plain(s, t->job, t->why) == -1)
			return hear_last_words(t);
		if (!send_rest(t))
			return false;
	}
	if (t->naccepted == 0) {
		/* it had to take the content all the same, and to refuse it */
		s->reset = true;
		if (hear_end(t, "BDAT") == -1)
			return false;
		/* it does not know BDAT: it took the content for commands */
		s->broken |= s->reply.code == 500 || s->reply.code == 502;
		return true;
	}
	return hear_ends(t);
}

static bool
send_content(struct tx *t)
{
	int	r;

	t->begun = true;
	r = t->down == NULL ? send_dots(t->s, t->job, t->why) :
	    send_downgraded(t->s, t->job, t->down, t->why);
	if (r == -1)
		return hear_last_words(t);
	return send_rest(t) && hear_ends(t);
}

bool
tx_data(struct tx *t, bool said)
{
	struct session	*s = t->s;
	struct verdict	 v;

	if (!said)
		session_put(s, "DATA", "DATA");
	if (session_reply(s, "DATA", t->set->data_timeout, t->why) == -1)
		return false;
	if (s->reply.code == 354 && t->naccepted > 0)
		return send_content(t);
	s->reset = true;
	if (s->reply.code == 354) {
		/* RFC 2920 3.1: nobody is to get it, but there has to be an end */
		if (s->lmtp) {
			session_nonsense(s, "DATA without recipients", t->why);
			return false;
		}
		session_put(s, "end", ".");
		return hear_end(t, "end") == 0;
	}
	if (!tx_failure(t, "DATA", &v) || s->closing) {
		*t->why = v;
		return false;
	}
	tx_settle_all(t, &v);
	return true;
}
