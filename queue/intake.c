/*
 * queue/intake.c - new mail: in incoming, where smtpd wrote it and where it
 * stays as long as it need not wait, and in drop. The files tell what there
 * is; pokes only save the wait for the next scan.
 */
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "queue/queue.h"

#define COMPLAIN_MS	60000

void
intake_complain(struct queue *q, const char *what, const char *id)
{
	int64_t	now = now_ms();
	int	saved = errno;

	if (q->complained != 0 && now - q->complained < COMPLAIN_MS)
		return;
	q->complained = now;
	log_error("spool what=\"%s\" id=%s why=\"%s\"", what, id,
	    strerror(saved));
	errno = saved;
}

static bool
has_room(const struct queue *q)
{
	return q->nrunning < (size_t)q->settings->queue.running;
}

static void
take_drop(struct queue *q, struct id id)
{
	char	name[ID_SIZE];

	if (drop_take(q, id) == 0)
		q->taken++;
	else if (errno != ENOENT) {	/* that is taken already */
		id_format(id, name);
		intake_complain(q, "take", name);
	}
}

static void
take_incoming(struct queue *q, struct id id)
{
	char	name[ID_SIZE];

	if (message_find(q, id) != NULL)
		return;
	/* Its copy in queue/ is the later one: a crash left both. */
	if (spool_has(&q->spool, SPOOL_QUEUE, id)) {
		id_format(id, name);
		log_info("left-over id=%s place=incoming", name);
		if (spool_forget(&q->spool, SPOOL_INCOMING, id) == -1)
			intake_complain(q, "remove", name);
		else if (waiting_find(&q->waiting, id) == q->waiting.n &&
		    waiting_add(&q->waiting, id, now_real_ms()) == -1)
			intake_complain(q, "wait", name);
		return;
	}
	if (message_start(q, SPOOL_INCOMING, id, false))
		q->taken++;
}

static void
take(struct queue *q, enum spool_place place, struct id id)
{
	if (place == SPOOL_DROP)
		take_drop(q, id);
	else
		take_incoming(q, id);
}

struct scan {
	struct queue		*q;
	enum spool_place	 place;
};

/* Non-zero: enough for now. */
static int
found_new(void *arg, const struct id *id, const char *name, int64_t mtime)
{
	struct scan	*s = arg;
	char		 safe[LOG_SAFE_MAX];

	(void)mtime;
	if (id == NULL) {
		log_debug("strange-file place=%s name=%s",
		    s->place == SPOOL_DROP ? "drop" : "incoming",
		    log_safe(safe, sizeof(safe), str_from(name)));
		return 0;
	}
	if (!has_room(s->q))
		return 1;
	take(s->q, s->place, *id);
	return 0;
}

static void
scan_place(struct queue *q, enum spool_place place, bool *more)
{
	struct scan	s = { q, place };
	int		r;

	if (!*more || !has_room(q))
		return;
	if ((r = spool_scan(&q->spool, place, found_new, &s)) == -1)
		intake_complain(q, "scan", "");
	*more = r == 1;
}

void
intake_scan(struct queue *q)
{
	scan_place(q, SPOOL_INCOMING, &q->incoming_more);
	scan_place(q, SPOOL_DROP, &q->drop_more);
}

void
intake_poked(struct queue *q, enum spool_place place, struct id id)
{
	if (has_room(q))
		take(q, place, id);
	else if (place == SPOOL_DROP)
		q->drop_more = true;
	else
		q->incoming_more = true;
}

static int
found_old(void *arg, const struct id *id, const char *name, int64_t mtime)
{
	struct queue	*q = arg;
	char		 safe[LOG_SAFE_MAX];

	if (id == NULL) {
		log_warn("strange-file place=queue name=%s",
		    log_safe(safe, sizeof(safe), str_from(name)));
		return 0;
	}
	return waiting_add(&q->waiting, *id, mtime);
}

int
intake_start(struct queue *q)
{
	int	n;

	if ((n = spool_recover(&q->spool)) == -1)
		return -1;
	if (n > 0)
		log_info("recovered place=tmp files=%d", n);
	return spool_scan(&q->spool, SPOOL_QUEUE, found_old, q);
}
