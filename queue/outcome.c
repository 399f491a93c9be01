/*
 * queue/outcome.c - what became of the recipients of a message: their states,
 * what is noted and logged of each, and at the end whether it is done with,
 * waits or is held. Nothing is ever lost: a file goes only when each recipient
 * was delivered to or its sender was told.
 */
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/final.h"
#include "queue/brake.h"
#include "queue/queue.h"

#define REPORT_LIVES	2	/* lifetimes of a message, until a person has to look why its report fails */

void
outcome_note(struct queue *q, const struct message *m,
    const struct envelope_rcpt *r, const char *status, struct str text)
{
	struct buf	line;

	buf_init(&line, 4096);
	buf_addf(&line, "%lld %.*s %s %.*s", (long long)(now_real_ms() / 1000),
	    STR_ARG(r->addr), status, STR_ARG(text));
	if (!buf_ok(&line) ||
	    spool_status_add(&q->spool, m->id, buf_view(&line)) == -1)
		log_debug("status id=%s why=\"%s\"", m->env.id,
		    strerror(errno));
	buf_free(&line);
}

/* What another host said is told with its name. */
static void
note_verdict(struct queue *q, const struct message *m,
    const struct envelope_rcpt *r, const struct verdict *v)
{
	struct buf	text;

	buf_init(&text, 4096);
	if (v->host.n > 0)
		buf_addf(&text, "%.*s%s ", STR_ARG(v->host),
		    v->said ? " said:" : ":");
	buf_addstr(&text, v->text);
	outcome_note(q, m, r, v->status, buf_view(&text));
	buf_free(&text);
}

/* " key=value", or nothing if there is no value. */
static void
add_key(struct buf *line, const char *key, struct str value)
{
	char	safe[LOG_SAFE_MAX];

	if (value.n > 0)
		buf_addf(line, " %s=%s", key,
		    log_safe(safe, sizeof(safe), value));
}

static void
log_result(const struct message *m, const struct task *t, const char *event,
    const struct verdict *v)
{
	struct buf	line;
	struct final	f = { .user = STR("") };
	char		why[LOG_SAFE_MAX];

	buf_init(&line, LOG_LINE_MAX);
	add_key(&line, "to", m->env.rcpts[t->rcpt].addr);
	if (v->remote) {
		add_key(&line, "relay", v->host);
		add_key(&line, "tls", v->tls);
	} else {
		if (t->nfinals > 0 && !final_decode(t->finals[0], &f))
			f.user = STR("");
		add_key(&line, "user", f.user);
	}
	log_info("%s id=%s%.*s status=%s delay=%lldms why=%s", event,
	    m->env.id, STR_ARG(buf_view(&line)), v->status,
	    (long long)(now_real_ms() - m->env.arrival_ms),
	    log_safe(why, sizeof(why), v->text));
	buf_free(&line);
}

/* One recipient's end; the message's own comes behind the last of them. */
static void
one_less(struct queue *q, struct message *m, const struct envelope_rcpt *r)
{
	/* The last one is written only if the file stays. */
	if (--m->pending == 0)
		message_finish(q, m);
	else if (!envelope_rcpt_waits(r))
		settle_states(q, m, r, 1);
}

static void
delivered(struct queue *q, const struct message *m, struct envelope_rcpt *r,
    const struct verdict *v)
{
	r->state = RCPT_DELIVERED;
	if (!(r->notify & NOTIFY_SUCCESS))
		return;
	/* RFC 3461 5.2.1: the wish went along, the report comes from there */
	if (v->dsn)
		r->state = RCPT_TOLD;
	else if (v->remote && !v->lmtp)
		note_verdict(q, m, r, v);
	else	/* where it was stored is nobody else's affair */
		outcome_note(q, m, r, v->status, STR("delivered"));
}

void
task_ended(struct queue *q, struct task *t, const struct verdict *v)
{
	struct message		*m = t->m;
	struct envelope_rcpt	*r = &m->env.rcpts[t->rcpt];

	switch (v->status[0]) {
	case '2':
		q->delivered++;
		log_result(m, t, "delivered", v);
		delivered(q, m, r, v);
		break;
	case '5':
		q->failed++;
		r->state = RCPT_FAILED;
		log_result(m, t, "failed", v);
		note_verdict(q, m, r, v);
		brake_failed(q, m);
		break;
	default:
		q->deferred++;
		m->tried = t->tried = true;
		log_result(m, t, "deferred", v);
		note_verdict(q, m, r, v);
		break;
	}
	one_less(q, m, r);
}

void
task_done(struct queue *q, struct task *t, const char *status, struct str text)
{
	struct verdict	v = { .text = text };

	strlcpy(v.status, status, sizeof(v.status));
	task_ended(q, t, &v);
}

void
task_later(struct queue *q, struct task *t, int64_t due, uint32_t tag,
    struct str why)
{
	struct message			*m = t->m;
	const struct envelope_rcpt	*r = &m->env.rcpts[t->rcpt];

	q->postponed++;
	if (m->later == 0 || due < m->later) {
		m->later = due;
		m->later_for = tag;
	}
	/* at first: mailq shows it, and the report if it comes to that */
	if (!m->retry || now_real_ms() - m->env.arrival_ms <
	    q->settings->queue.retry_first)
		outcome_note(q, m, r, "4.4.1", why);
	one_less(q, m, r);
}

void
message_give_up(struct queue *q, struct message *m, struct str why)
{
	struct envelope_rcpt	*r;
	char			 to[LOG_SAFE_MAX];
	size_t			 i;

	for (i = 0; i < m->env.nrcpts; i++) {
		r = &m->env.rcpts[i];
		if (!envelope_rcpt_waits(r))
			continue;
		q->failed++;
		r->state = RCPT_FAILED;
		log_info("expired id=%s to=%s status=%s why=\"%.*s\"",
		    m->env.id, log_safe(to, sizeof(to), r->addr),
		    STATUS_EXPIRED, STR_ARG(why));
		outcome_note(q, m, r, STATUS_EXPIRED, why);
	}
}

static void
warn_late(struct queue *q, struct message *m, int64_t now)
{
	int64_t	after = q->settings->queue.delay_warning;

	if (after != 0 && now - m->env.arrival_ms >= after &&
	    bounce_late(q, m) == -1)
		intake_complain(q, "report", m->env.id);
}

void
message_finish(struct queue *q, struct message *m)
{
	int64_t	now = now_real_ms();

	if (message_waiting(m) > 0 &&
	    now - m->env.arrival_ms > q->settings->queue.lifetime)
		message_give_up(q, m, STR("it could not be delivered before "
		    "its time was over"));
	switch (bounce_ended(q, m)) {
	case BOUNCE_DONE:
		if (message_waiting(m) == 0)
			settle_done(q, m);
		else {
			warn_late(q, m, now);
			settle_back(q, m, now);
		}
		break;
	case BOUNCE_LATER:
		intake_complain(q, "report", m->env.id);
		m->soon = true;
		/* It cannot be for ever that there is no room for a report. */
		if (now - m->env.arrival_ms > REPORT_LIVES *
		    q->settings->queue.lifetime)
			settle_hold(q, m, "no report could be written");
		else
			settle_back(q, m, now);
		break;
	case BOUNCE_NOBODY:
		settle_hold(q, m, "a report to the postmaster failed");
		break;
	}
	message_free(q, m);
	queue_kick(q);
}
