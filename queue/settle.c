/*
 * queue/settle.c - where the file of a message comes to rest after an attempt:
 * its states written down, moved to wait in the queue, held, or removed.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "queue/queue.h"

#define SOON_MS		30000		/* the most, after a failure of ours */
#define LATER_MS	60000		/* a file that cannot be read now */

/* It stays in its file; a restart would find it as well. */
static void
wait_until(struct queue *q, struct waiting w)
{
	char	name[ID_SIZE];

	if (waiting_add(&q->waiting, w) == 0)
		return;
	id_format(w.id, name);
	log_error("forgotten id=%s why=\"out of memory, found again at the "
	    "next start\"", name);
}

void
settle_later(struct queue *q, enum spool_place place, struct id id, bool fresh)
{
	wait_until(q, (struct waiting){ .id = id,
	    .due = now_real_ms() + LATER_MS, .place = (uint8_t)place,
	    .fresh = fresh });
}

/*
 * The file that was loaded, to be changed. The offsets of the states are
 * true of no other: if it was replaced (a rewrite that failed half-way), what
 * is there now has states of its own.
 */
static int
open_loaded(struct queue *q, const struct message *m)
{
	struct stat	was, is;
	int		fd;

	fd = spool_file(&q->spool, m->place, m->id, true);
	if (fd == -1)
		return -1;
	if (fstat(m->fd, &was) == 0 && fstat(fd, &is) == 0 &&
	    was.st_ino == is.st_ino && was.st_dev == is.st_dev)
		return fd;
	fdio_close(&fd);
	errno = ESTALE;
	return -1;
}

void
settle_states(struct queue *q, const struct message *m,
    const struct envelope_rcpt *r, size_t n)
{
	int	fd, w = 0;
	size_t	i;

	/* a state that is not written is a message that comes twice */
	if ((fd = open_loaded(q, m)) == -1 && errno == EMFILE) {
		fdio_close(&q->spare);
		fd = open_loaded(q, m);
	}
	if (fd == -1)
		w = -1;
	for (i = 0; i < n && w == 0; i++)
		if (r[i].state != RCPT_WAITING)
			w = envelope_set_state(fd, &r[i], r[i].state);
	if (w == -1)
		log_error("state id=%s why=\"%s\"", m->env.id, strerror(errno));
	fdio_close(&fd);
	if (q->spare == -1)
		q->spare = fcntl(q->spool.root, F_DUPFD_CLOEXEC, 0);
}

void
settle_hold(struct queue *q, const struct message *m, const char *why)
{
	settle_states(q, m, m->env.rcpts, m->env.nrcpts);
	q->held++;
	log_warn("held id=%s why=\"%s\"", m->env.id, why);
	if (spool_move(&q->spool, m->id, m->place, SPOOL_HOLD) == -1) {
		intake_complain(q, "hold", m->env.id);
		settle_later(q, m->place, m->id, !m->retry);
	}
}

/* With its states. The message keeps the offsets of the file that it has open. */
static int
write_anew(struct queue *q, const struct message *m)
{
	struct envelope	out = m->env;
	int		r, saved;

	out.rcpts = calloc(out.nrcpts, sizeof(*out.rcpts));
	if (out.rcpts == NULL)
		return -1;
	memcpy(out.rcpts, m->env.rcpts, out.nrcpts * sizeof(*out.rcpts));
	r = spool_rewrite(&q->spool, &out, STR(""), m->fd, m->env.content_at,
	    m->env.content_len);
	saved = errno;
	/* It may have its name, flushed or not: the file in incoming is the one that counts. */
	if (r == -1 && m->place == SPOOL_INCOMING &&
	    spool_forget(&q->spool, SPOOL_QUEUE, m->id) == -1)
		intake_complain(q, "remove", m->env.id);
	free(out.rcpts);
	errno = saved;
	return r;
}

/*
 * What has to wait goes from incoming to queue. The time of the next attempt is the file's; only its
 * owner may set that, so a file of smtpd's is written anew.
 */
static int
move_to_queue(struct queue *q, struct message *m)
{
	if (m->env.owner != geteuid()) {
		if (write_anew(q, m) == -1)
			return -1;
		if (m->place == SPOOL_INCOMING && spool_forget(&q->spool,
		    SPOOL_INCOMING, m->id) == -1)
			intake_complain(q, "remove", m->env.id);
	} else {
		settle_states(q, m, m->env.rcpts, m->env.nrcpts);
		if (m->place == SPOOL_INCOMING && spool_move(&q->spool, m->id,
		    SPOOL_INCOMING, SPOOL_QUEUE) == -1)
			return -1;
	}
	m->place = SPOOL_QUEUE;
	return 0;
}

static int
set_due(struct queue *q, struct message *m, int64_t due)
{
	int	fd, r;

	if (move_to_queue(q, m) == -1 || (fd = spool_file(&q->spool,
	    SPOOL_QUEUE, m->id, true)) == -1)
		return -1;
	r = spool_set_due(fd, due);
	fdio_close(&fd);
	return r;
}

/* It comes back before those that were tried now may be tried again. */
static void
remember_tried(struct queue *q, const struct message *m, int64_t until)
{
	size_t	i;

	for (i = 0; i < m->ntasks; i++)
		if (m->tasks[i].tried)
			recent_add(q->recent, m->id, m->tasks[i].rcpt, until);
}

/*
 * Where nobody was tried there is nothing to remember: a new file is written only
 * for an attempt, not for each of thousands that wait for the same dead host.
 */
static bool
may_stay(const struct message *m)
{
	return m->place == SPOOL_INCOMING && m->later != 0 && !m->tried &&
	    !m->soon;
}

static bool
is_untouched(const struct message *m)
{
	size_t	i;

	for (i = 0; i < m->env.nrcpts; i++)
		if (m->env.rcpts[i].state != RCPT_WAITING)
			return false;
	return true;
}

void
settle_back(struct queue *q, struct message *m, int64_t now)
{
	const struct queue_settings *set = &q->settings->queue;
	int64_t	delay, first = set->retry_first;
	bool	later;

	delay = waiting_delay(now - m->env.arrival_ms, first, set->retry_max,
	    arc4random());
	if (m->soon)
		delay = first < SOON_MS ? first : SOON_MS;
	/* Somebody's turn that has not come yet. */
	later = m->later != 0 && (!m->tried || m->later < now + delay);
	if (later && m->tried)
		remember_tried(q, m, now + delay);
	if (later)
		delay = m->later > now ? m->later - now : 0;
	if (may_stay(m)) {
		if (!is_untouched(m))
			settle_states(q, m, m->env.rcpts, m->env.nrcpts);
	} else if (set_due(q, m, now + delay) == -1) {
		intake_complain(q, "due", m->env.id);
		settle_states(q, m, m->env.rcpts, m->env.nrcpts);
	}
	/* What is sent back again and again is no news. */
	if (m->tried || m->later == 0 || !m->retry)
		log_info("waits id=%s nrcpts=%zu next=%llds", m->env.id,
		    message_waiting(m), (long long)(delay / 1000));
	wait_until(q, (struct waiting){ .id = m->id, .due = now + delay,
	    .dest = later ? m->later_for : 0, .place = (uint8_t)m->place });
}

void
settle_done(struct queue *q, struct message *m)
{
	q->done++;
	if (spool_remove(&q->spool, m->place, m->id) == 0) {
		m->removed = true;
		log_info("done id=%s nrcpts=%zu", m->env.id, m->env.nrcpts);
		return;
	}
	/* It must not be delivered once more at the next start. */
	intake_complain(q, "remove", m->env.id);
	settle_states(q, m, m->env.rcpts, m->env.nrcpts);
	settle_later(q, m->place, m->id, false);
}
