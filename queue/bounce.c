/*
 * queue/bounce.c - who is told of what (RFC 3461): what failed for good, what
 * waits, and successes where they were asked for. A report (report.c) has no
 * sender, so one that fails goes to the postmaster, and if that fails it is
 * held: nothing loops and nothing is lost.
 */
#include "common/base/log.h"
#include "common/fmt/esmtp.h"
#include "queue/queue.h"

bool
bounce_wants(const struct envelope_rcpt *r, enum dsn_kind kind)
{
	switch (kind) {
	case DSN_FAILURE:
		return r->state == RCPT_FAILED && (r->notify == 0 ||
		    (r->notify & NOTIFY_FAILURE) != 0);
	case DSN_SUCCESS:
		return (r->state == RCPT_DELIVERED ||
		    r->state == RCPT_EXPANDED) && (r->notify & NOTIFY_SUCCESS) != 0;
	case DSN_DELAY:
		return r->state == RCPT_WAITING && (r->notify == 0 ||
		    (r->notify & NOTIFY_DELAY) != 0);
	}
	return false;
}

size_t
bounce_count(const struct message *m, enum dsn_kind kind)
{
	size_t	i, n = 0;

	for (i = 0; i < m->env.nrcpts; i++)
		n += bounce_wants(&m->env.rcpts[i], kind);
	return n;
}

/* Those that a report of this kind was about, or that want none. */
static void
mark(const struct message *m, enum dsn_kind kind)
{
	struct envelope_rcpt	*r;
	size_t			 i;

	for (i = 0; i < m->env.nrcpts; i++) {
		r = &m->env.rcpts[i];
		if (kind == DSN_FAILURE && r->state == RCPT_FAILED)
			r->state = RCPT_TOLD;
		else if (kind == DSN_SUCCESS && bounce_wants(r, kind))
			r->state = RCPT_TOLD;
		else if (kind == DSN_DELAY && r->state == RCPT_WAITING)
			r->state = RCPT_LATE;
	}
}

static enum bounce_end
failures(struct queue *q, const struct message *m)
{
	size_t	i, n = 0, wanted = bounce_count(m, DSN_FAILURE);

	for (i = 0; i < m->env.nrcpts; i++)
		n += m->env.rcpts[i].state == RCPT_FAILED;
	if (n == 0)
		return BOUNCE_DONE;
	/* Nobody is left who could be told. */
	if (str_eq(m->env.origin, STR(ORIGIN_DOUBLE)))
		return BOUNCE_NOBODY;
	if (wanted > 0 && report_make(q, m, DSN_FAILURE) == -1)
		return BOUNCE_LATER;
	if (wanted < n)
		log_info("discarded id=%s nrcpts=%zu why=\"its sender wants "
		    "no report\"", m->env.id, n - wanted);
	mark(m, DSN_FAILURE);
	return BOUNCE_DONE;
}

enum bounce_end
bounce_ended(struct queue *q, const struct message *m)
{
	enum bounce_end	end = failures(q, m);

	/* RFC 3461 5.2.3: nobody asked for a report of a report */
	if (end != BOUNCE_DONE || m->env.sender.n == 0 ||
	    bounce_count(m, DSN_SUCCESS) == 0)
		return end;
	if (report_make(q, m, DSN_SUCCESS) == -1)
		return BOUNCE_LATER;
	mark(m, DSN_SUCCESS);
	return BOUNCE_DONE;
}

int
bounce_late(struct queue *q, const struct message *m)
{
	if (m->env.sender.n > 0 && bounce_count(m, DSN_DELAY) > 0 &&
	    report_make(q, m, DSN_DELAY) == -1)
		return -1;
	mark(m, DSN_DELAY);
	return 0;
}
