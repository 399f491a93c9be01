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
#include "queue/queue.h"

static void
note_status(struct queue *q, const struct message *m,
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

static void
log_result(const struct message *m, const struct task *t, const char *event,
    const char *status, struct str text)
{
	const struct envelope_rcpt	*r = &m->env.rcpts[t->rcpt];
	struct final	f;
	char		to[LOG_SAFE_MAX], user[LOG_SAFE_MAX], why[LOG_SAFE_MAX];

	if (t->nfinals == 0 || !final_decode(t->finals[0], &f))
		f.user = STR("");
	log_info("%s id=%s to=%s user=%s status=%s delay=%lldms why=%s", event,
	    m->env.id, log_safe(to, sizeof(to), r->addr),
	    log_safe(user, sizeof(user), f.user), status,
	    (long long)(now_real_ms() - m->env.arrival_ms),
	    log_safe(why, sizeof(why), text));
}

void
task_done(struct queue *q, struct task *t, const char *status, struct str text)
{
	struct message		*m = t->m;
	struct envelope_rcpt	*r = &m->env.rcpts[t->rcpt];

	switch (status[0]) {
	case '2':
		q->delivered++;
		r->state = RCPT_DELIVERED;
		log_result(m, t, "delivered", status, text);
		/* where it was stored is nobody else's affair */
		if (r->notify & NOTIFY_SUCCESS)
			note_status(q, m, r, status, STR("delivered"));
		break;
	case '5':
		q->failed++;
		r->state = RCPT_FAILED;
		log_result(m, t, "failed", status, text);
		note_status(q, m, r, status, text);
		break;
	default:
		q->deferred++;
		log_result(m, t, "deferred", status, text);
		note_status(q, m, r, status, text);
		break;
	}
	/* The last one is written only if the file stays. */
	if (--m->pending == 0)
		message_finish(q, m);
	else if (!envelope_rcpt_waits(r))
		settle_states(q, m, r, 1);
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
		note_status(q, m, r, STATUS_EXPIRED, why);
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
		settle_back(q, m, now);
		break;
	case BOUNCE_NOBODY:
		settle_hold(q, m, "a report to the postmaster failed");
		break;
	}
	message_free(q, m);
	queue_kick(q);
}
