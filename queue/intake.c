/*
 * queue/intake.c - new mail: in incoming, where smtpd wrote it and where it
 * stays until an attempt was made in vain, and in drop. The files tell what there
 * is; pokes only save the wait for the next scan.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "queue/queue.h"

#define COMPLAIN_MS	60000
#define POKE_MS		2000	/* what is younger is being told of */
#define POKED_MAX	100000u	/* ids kept before anybody looked for their files */

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
take_incoming(struct queue *q, struct id id, bool retry)
{
	char	name[ID_SIZE];

	if (message_find(q, id) != NULL)
		return;
	/* Its copy in queue/ is the later one: a crash left both, or a disk that failed. */
	if (spool_has(&q->spool, SPOOL_QUEUE, id)) {
		if (!spool_has(&q->spool, SPOOL_INCOMING, id))
			return;
		id_format(id, name);
		log_info("left-over id=%s place=incoming", name);
		if (spool_forget(&q->spool, SPOOL_INCOMING, id) == -1)
			intake_complain(q, "remove", name);
		else if (waiting_find(&q->waiting, id) == q->waiting.n &&
		    waiting_add(&q->waiting, (struct waiting){ .id = id,
		    .due = now_real_ms(), .place = SPOOL_QUEUE }) == -1)
			intake_complain(q, "wait", name);
		return;
	}
	if (message_start(q, SPOOL_INCOMING, id, retry) && !retry)
		q->taken++;
}

void
intake_again(struct queue *q, struct id id, bool fresh)
{
	take_incoming(q, id, !fresh);
}

/* It is begun with when there is room. */
static int
take_later(struct queue *q, struct id id)
{
	return waiting_add(&q->fresh, (struct waiting){ .id = id,
	    .due = (int64_t)id.time_us, .place = SPOOL_INCOMING });
}

/* ---- the scans */

struct scan {
	struct queue	*q;
	struct id	*known;		/* in incoming, and met before; sorted */
	size_t		 nknown;
};

static void
add_known(struct scan *s, const struct waiting_heap *h)
{
	size_t	i;

	for (i = 0; i < h->n; i++)
		if (h->w[i].place == SPOOL_INCOMING)
			s->known[s->nknown++] = h->w[i].id;
}

static int
know(struct scan *s)
{
	const struct queue	*q = s->q;

	s->known = calloc(q->waiting.n + q->fresh.n + 1, sizeof(*s->known));
	if (s->known == NULL)
		return -1;
	add_known(s, &q->waiting);
	add_known(s, &q->fresh);
	qsort(s->known, s->nknown, sizeof(*s->known), id_cmp);
	return 0;
}

/* One whose time is still to come was written before the clock was put back. */
static bool
is_told_of(struct id id)
{
	int64_t	age = now_real_ms() - (int64_t)(id.time_us / 1000);

	return age >= 0 && age < POKE_MS;
}

static int
found_incoming(void *arg, const struct id *id, const char *name, int64_t at)
{
	struct scan	*s = arg;
	struct queue	*q = s->q;
	struct stat	 st;

	(void)at;
	if (message_find(q, *id) == NULL &&
	    (!q->scanned || !is_told_of(*id)) &&
	    bsearch(id, s->known, s->nknown, sizeof(*id), id_cmp) == NULL &&
	    fstatat(q->spool.incoming, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode))	/* what is no file is left alone */
		return take_later(q, *id);
	return 0;
}

static void
scan_incoming(struct queue *q)
{
	struct scan	s = { .q = q };

	if (!q->incoming_more)
		return;
	q->incoming_more = false;
	if (know(&s) == -1 || spool_names(&q->spool, SPOOL_INCOMING,
	    found_incoming, &s) != 0)
		intake_complain(q, "scan", "");
	else
		q->scanned = true;
	free(s.known);
}

/* Non-zero: enough for now. */
static int
found_drop(void *arg, const struct id *id, const char *name, int64_t mtime)
{
	struct queue	*q = arg;
	char		 safe[LOG_SAFE_MAX];

	(void)mtime;
	if (id == NULL) {
		log_debug("strange-file place=drop name=%s",
		    log_safe(safe, sizeof(safe), str_from(name)));
		return 0;
	}
	if (!has_room(q))
		return 1;
	take_drop(q, *id);
	return 0;
}

static void
scan_drop(struct queue *q)
{
	int	r;

	if (!q->drop_more || !has_room(q))
		return;
	drop_clear(q);
	if ((r = spool_scan(&q->spool, SPOOL_DROP, found_drop, q)) == -1)
		intake_complain(q, "scan", "");
	q->drop_more = r == 1;
}

void
intake_work(struct queue *q)
{
	struct id	id;
	size_t		n = 0;

	scan_incoming(q);
	while (q->fresh.n > 0 && has_room(q) && n++ < TURN_MAX) {
		id = q->fresh.w[0].id;
		waiting_remove(&q->fresh, 0);
		take_incoming(q, id, false);
	}
	if (q->fresh.n > 0 && has_room(q))
		queue_kick(q);
	scan_drop(q);
}

void
intake_poked(struct queue *q, enum spool_place place, struct id id)
{
	if (place == SPOOL_DROP && has_room(q))
		take_drop(q, id);
	else if (place == SPOOL_DROP)
		q->drop_more = true;
	else if (has_room(q) && q->fresh.n == 0)
		take_incoming(q, id, false);
	else if (q->fresh.n < POKED_MAX && take_later(q, id) == -1)
		intake_complain(q, "wait", "");
	/* The next scan finds what was not kept. */
}

/* ---- the start */

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
	return waiting_add(&q->waiting, (struct waiting){ .id = *id,
	    .due = mtime, .place = SPOOL_QUEUE });
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
