/*
 * queue/message.c - a message under way: loaded, its recipients routed and
 * delivered, then done with or put back to wait. Nothing is ever lost: a file
 * goes only when each recipient was delivered to or its sender was told.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/final.h"
#include "queue/queue.h"

#define MEM_MAX		(64u << 20)	/* finals of one message */
#define SOON_MS		30000		/* the most, after a failure of ours */
#define LATER_MS	60000		/* a file that cannot be read now */

static struct message **
bucket(struct queue *q, struct id id)
{
	return &q->by_id[(id.random ^ id.time_us) % RUNNING_BUCKETS];
}

static void
enlist(struct queue *q, struct message *m)
{
	struct message	**b = bucket(q, m->id);

	m->same = *b;
	*b = m;
	TAILQ_INSERT_TAIL(&q->running, m, link);
	q->nrunning++;
}

static void
message_free(struct queue *q, struct message *m)
{
	struct message	**at = bucket(q, m->id);

	while (*at != m)
		at = &(*at)->same;
	*at = m->same;
	TAILQ_REMOVE(&q->running, m, link);
	q->nrunning--;
	if (m->retry)
		q->nretries--;
	if (m->removed)
		closer_add(q, &m->fd);
	else
		fdio_close(&m->fd);
	envelope_free(&m->env);
	arena_free(&m->mem);
	free(m->tasks);
	free(m);
}

void
message_free_all(struct queue *q)
{
	struct message	*m;

	while ((m = TAILQ_FIRST(&q->running)) != NULL)
		message_free(q, m);
}

struct message *
message_find(const struct queue *q, struct id id)
{
	struct message	*m;

	for (m = q->by_id[(id.random ^ id.time_us) % RUNNING_BUCKETS];
	    m != NULL; m = m->same)
		if (id_eq(m->id, id))
			return m;
	return NULL;
}

/*
 * It stays in its file; a restart would find it as well. What is in incoming
 * still is found there by the next scan.
 */
static void
wait_until(struct queue *q, enum spool_place place, struct id id, int64_t due)
{
	char	name[ID_SIZE];

	if (place == SPOOL_INCOMING || waiting_add(&q->waiting, id, due) == 0)
		return;
	id_format(id, name);
	log_error("forgotten id=%s why=\"out of memory, found again at the "
	    "next start\"", name);
}

void
message_corrupt(struct queue *q, enum spool_place place, struct id id,
    const char *why)
{
	char	name[ID_SIZE];

	id_format(id, name);
	log_error("corrupt id=%s why=\"%s\"", name, why);
	q->corrupt++;
	if (spool_move(&q->spool, id, place, SPOOL_CORRUPT) == -1)
		intake_complain(q, "move to corrupt", name);
}

/* A file that smtpd wrote may say whom of our users it means, never a command. */
static bool
hint_ok(const struct envelope *env, struct str final)
{
	struct final	f;

	return final.n > 0 && final_decode(final, &f) &&
	    (env->owner == geteuid() || f.kind == FINAL_USER);
}

static int
make_tasks(struct message *m)
{
	struct envelope	*env = &m->env;
	struct task	*t;
	size_t		 i;

	m->tasks = calloc(env->nrcpts == 0 ? 1 : env->nrcpts,
	    sizeof(*m->tasks));
	if (m->tasks == NULL)
		return -1;
	for (i = 0; i < env->nrcpts; i++) {
		/* What is not believed now must not be in a file of ours later. */
		if (!hint_ok(env, env->rcpts[i].final))
			env->rcpts[i].final = STR("");
		if (!envelope_rcpt_waits(&env->rcpts[i]))
			continue;
		t = &m->tasks[m->ntasks++];
		t->m = m;
		t->rcpt = i;
		if (env->rcpts[i].final.n > 0) {
			t->finals = &env->rcpts[i].final;
			t->nfinals = 1;
		}
	}
	return 0;
}

static struct message *
message_load(struct queue *q, enum spool_place place, struct id id)
{
	struct message	*m;
	struct diag	 why = { "" };
	char		 name[ID_SIZE];
	int		 r;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return NULL;
	m->id = id;
	m->place = place;
	arena_init(&m->mem, MEM_MAX);
	enlist(q, m);
	id_format(id, name);
	/* read-only: it goes to processes of the recipients */
	if ((m->fd = spool_file(&q->spool, place, id, false)) == -1) {
		r = -1;
		diag_errno(&why, "open");
	} else if ((r = envelope_load(m->fd, &m->env, &why)) == 0) {
		r = make_tasks(m);
		if (r == 0 && strcmp(m->env.id, name) != 0) {
			r = diag_set(&why, "it says it is %s", m->env.id);
			errno = EBADMSG;
		}
	}
	if (r == 0)
		return m;
	r = errno;
	if (r == EBADMSG || r == ELOOP)
		message_corrupt(q, place, id, why.text);
	message_free(q, m);
	errno = r;
	return NULL;
}

static void
log_queued(const struct message *m)
{
	char	from[LOG_SAFE_MAX];

	log_info("queued id=%s from=%s size=%lld nrcpts=%zu origin=%.*s",
	    m->env.id, log_safe(from, sizeof(from), m->env.sender),
	    (long long)m->env.content_len, m->env.nrcpts,
	    STR_ARG(m->env.origin));
}

static void	message_finish(struct queue *, struct message *);

bool
message_start(struct queue *q, enum spool_place place, struct id id,
    bool retry)
{
	struct message	*m;
	size_t		 i;

	if ((m = message_load(q, place, id)) == NULL) {
		/* gone: an administrator removed it, or it was corrupt */
		if (errno != ENOENT && errno != EBADMSG && errno != ELOOP) {
			intake_complain(q, "load", "");
			wait_until(q, place, id, now_real_ms() + LATER_MS);
		}
		return false;
	}
	m->retry = retry;
	q->nretries += retry;
	if (!retry)
		log_queued(m);
	m->pending = m->ntasks;
	if (m->ntasks == 0) {
		message_finish(q, m);
		return true;
	}
	for (i = 0; i < m->ntasks; i++)
		m->routing += m->tasks[i].nfinals == 0;
	if (m->routing == 0) {
		message_routed(q, m);
		return true;
	}
	/* The last answer may free the message: nothing of it afterwards. */
	for (i = 0; i < m->ntasks; i++)
		if (m->tasks[i].nfinals == 0)
			router_ask(q, &m->tasks[i]);
	return true;
}

static void
dispatch(struct queue *q, struct task *t)
{
	struct final	f;

	if (!final_decode(t->finals[0], &f))
		task_done(q, t, "4.3.0", STR("malformed answer of route"));
	else if (f.kind == FINAL_REMOTE)
		task_done(q, t, "4.4.0", STR("this version does not send mail "
		    "to other hosts"));
	else
		agents_deliver(q, t);
}

void
message_routed(struct queue *q, struct message *m)
{
	struct id	id = m->id;
	bool		retry = m->retry;
	bool		wide = expand_is_needed(m);
	size_t		i;

	if (wide && expand(q, m) == 0) {
		message_free(q, m);
		message_start(q, SPOOL_QUEUE, id, retry);
		return;
	}
	if (wide) {
		intake_complain(q, "expand", m->env.id);
		m->soon = true;
	}
	/* One more than there are, so that the last task_done is ours. */
	m->pending++;
	for (i = 0; i < m->ntasks; i++)
		if (m->tasks[i].nfinals > 0 && wide)
			task_done(q, &m->tasks[i], "4.3.0",
			    STR("the spool cannot be written"));
		else if (m->tasks[i].nfinals > 0)
			dispatch(q, &m->tasks[i]);
	if (--m->pending == 0)
		message_finish(q, m);
}

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

/* One of them, or with r NULL all. */
static void
write_state(struct queue *q, const struct message *m,
    const struct envelope_rcpt *r)
{
	int	fd, w = 0;
	size_t	i;

	if ((fd = open_loaded(q, m)) == -1)
		w = -1;
	for (i = 0; i < m->env.nrcpts && w == 0; i++)
		if (m->env.rcpts[i].state != RCPT_WAITING &&
		    (r == NULL || r == &m->env.rcpts[i]))
			w = envelope_set_state(fd, &m->env.rcpts[i],
			    m->env.rcpts[i].state);
	if (w == -1)
		log_error("state id=%s why=\"%s\"", m->env.id, strerror(errno));
	fdio_close(&fd);
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
		write_state(q, m, r);
}

static size_t
count_waiting(const struct message *m)
{
	size_t	i, n = 0;

	for (i = 0; i < m->env.nrcpts; i++)
		n += envelope_rcpt_waits(&m->env.rcpts[i]);
	return n;
}

static void
hold(struct queue *q, const struct message *m, const char *why)
{
	write_state(q, m, NULL);
	q->held++;
	log_warn("held id=%s why=\"%s\"", m->env.id, why);
	if (spool_move(&q->spool, m->id, m->place, SPOOL_HOLD) == -1) {
		intake_complain(q, "hold", m->env.id);
		wait_until(q, m->place, m->id, now_real_ms() + LATER_MS);
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
settle(struct queue *q, struct message *m)
{
	if (m->env.owner != geteuid()) {
		if (write_anew(q, m) == -1)
			return -1;
		if (m->place == SPOOL_INCOMING && spool_forget(&q->spool,
		    SPOOL_INCOMING, m->id) == -1)
			intake_complain(q, "remove", m->env.id);
	} else {
		write_state(q, m, NULL);
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

	if (settle(q, m) == -1 || (fd = spool_file(&q->spool, SPOOL_QUEUE,
	    m->id, true)) == -1)
		return -1;
	r = spool_set_due(fd, due);
	fdio_close(&fd);
	return r;
}

static void
put_back(struct queue *q, struct message *m, int64_t now)
{
	const struct queue_settings *set = &q->settings->queue;
	int64_t	delay, first = set->retry_first;

	delay = waiting_delay(now - m->env.arrival_ms, first, set->retry_max,
	    arc4random());
	if (m->soon)
		delay = first < SOON_MS ? first : SOON_MS;
	if (set_due(q, m, now + delay) == -1) {
		intake_complain(q, "due", m->env.id);
		write_state(q, m, NULL);
	}
	log_info("waits id=%s nrcpts=%zu next=%llds", m->env.id,
	    count_waiting(m), (long long)(delay / 1000));
	wait_until(q, m->place, m->id, now + delay);
}

static void
remove_done(struct queue *q, struct message *m)
{
	q->done++;
	if (spool_remove(&q->spool, m->place, m->id) == 0) {
		m->removed = true;
		log_info("done id=%s nrcpts=%zu", m->env.id, m->env.nrcpts);
		return;
	}
	/* It must not be delivered once more at the next start. */
	intake_complain(q, "remove", m->env.id);
	write_state(q, m, NULL);
	wait_until(q, m->place, m->id, now_real_ms() + LATER_MS);
}

/* RFC 3463 4.4.7 */
static void
expire(struct queue *q, struct message *m, struct str why)
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
		log_info("expired id=%s to=%s status=4.4.7 why=\"%.*s\"",
		    m->env.id, log_safe(to, sizeof(to), r->addr),
		    STR_ARG(why));
		note_status(q, m, r, "4.4.7", why);
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

static void
message_finish(struct queue *q, struct message *m)
{
	int64_t	now = now_real_ms();

	if (count_waiting(m) > 0 &&
	    now - m->env.arrival_ms > q->settings->queue.lifetime)
		expire(q, m, STR("it could not be delivered before its time "
		    "was over"));
	switch (bounce_ended(q, m)) {
	case BOUNCE_DONE:
		if (count_waiting(m) == 0)
			remove_done(q, m);
		else {
			warn_late(q, m, now);
			put_back(q, m, now);
		}
		break;
	case BOUNCE_LATER:
		intake_complain(q, "report", m->env.id);
		m->soon = true;
		put_back(q, m, now);
		break;
	case BOUNCE_NOBODY:
		hold(q, m, "a report to the postmaster failed");
		break;
	}
	message_free(q, m);
	queue_kick(q);
}

int
message_expire(struct queue *q, enum spool_place place, struct id id)
{
	struct message	*m;

	if ((m = message_load(q, place, id)) == NULL)
		return -1;
	m->retry = true;
	q->nretries++;
	expire(q, m, STR("an administrator gave it up"));
	message_finish(q, m);
	return 0;
}

void
message_schedule(struct queue *q)
{
	size_t		most = (size_t)q->settings->queue.running;
	int64_t		now = now_real_ms();
	struct id	id;

	/* Those that failed before must not take all the room. */
	while (q->waiting.n > 0 && q->waiting.w[0].due <= now &&
	    q->nrunning < most && q->nretries <= most * 3 / 4) {
		id = q->waiting.w[0].id;
		waiting_remove(&q->waiting, 0);
		message_start(q, SPOOL_QUEUE, id, true);
	}
}
