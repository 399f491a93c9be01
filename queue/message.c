/*
 * queue/message.c - a message under way: loaded, its recipients routed and
 * handed to those who deliver. What becomes of them is for outcome.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/final.h"
#include "queue/brake.h"
#include "queue/queue.h"

#define MEM_MAX		(64u << 20)	/* finals of one message */

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

void
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

size_t
message_waiting(const struct message *m)
{
	size_t	i, n = 0;

	for (i = 0; i < m->env.nrcpts; i++)
		n += envelope_rcpt_waits(&m->env.rcpts[i]);
	return n;
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

/* The power failed while it was moved to hold or from there: it is held, and has this name no more. -1: errno */
static int
not_held(struct queue *q, const struct message *m, struct diag *why)
{
	char	name[ID_SIZE];

	if (!spool_is_also(&q->spool, SPOOL_HOLD, m->id, m->fd))
		return 0;
	id_format(m->id, name);
	log_info("left-over id=%s place=%s", name,
	    m->place == SPOOL_QUEUE ? "queue" : "incoming");
	if (spool_forget(&q->spool, m->place, m->id) == -1)
		return diag_errno(why, "remove");
	errno = ENOENT;
	return -1;
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
	TAILQ_INIT(&m->jobs);
	enlist(q, m);
	id_format(id, name);
	/* read-only: it goes to processes of the recipients */
	if ((m->fd = spool_file(&q->spool, place, id, false)) == -1) {
		r = -1;
		diag_errno(&why, "open");
	} else if ((r = not_held(q, m, &why)) == 0 &&
	    (r = envelope_load(m->fd, &m->env, &why)) == 0) {
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

static bool
start(struct queue *q, enum spool_place place, struct id id, bool retry,
    bool judged)
{
	struct message	*m;
	size_t		 i;

	if ((m = message_load(q, place, id)) == NULL) {
		/* gone: an administrator removed it, or it was corrupt */
		if (errno != ENOENT && errno != EBADMSG && errno != ELOOP) {
			intake_complain(q, "load", "");
			settle_later(q, place, id, !retry);
		}
		return false;
	}
	m->retry = retry;
	q->nretries += retry;
	if (!retry)
		log_queued(m);
	if (!retry && !judged && brake_holds(q, m)) {
		message_free(q, m);
		return true;
	}
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

bool
message_start(struct queue *q, enum spool_place place, struct id id,
    bool retry)
{
	return start(q, place, id, retry, false);
}

static void
dispatch(struct queue *q, struct task *t)
{
	struct final	f;
	int64_t		until = recent_until(q->recent, t->m->id, t->rcpt,
			    now_real_ms());

	if (until != 0)
		task_later(q, t, until, 0, STR("tried a short time ago"));
	else if (!final_decode(t->finals[0], &f))
		task_done(q, t, "4.3.0", STR("malformed answer of route"));
	else if (f.kind == FINAL_REMOTE)
		hops_ask(q, t);
	else
		agents_deliver(q, t);
}

void
message_routed(struct queue *q, struct message *m)
{
	struct id	id = m->id;
	bool		retry = m->retry;
	bool		wide;
	int		r = 0;
	size_t		i;

	if (expand_is_needed(m))
		r = expand_limit(q, m);
	if ((wide = expand_is_needed(m)) && r == 0 && expand(q, m) == 0) {
		message_free(q, m);
		(void)start(q, SPOOL_QUEUE, id, retry, true);
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

int
message_expire(struct queue *q, enum spool_place place, struct id id)
{
	struct message	*m;

	if ((m = message_load(q, place, id)) == NULL)
		return -1;
	m->retry = true;
	q->nretries++;
	message_give_up(q, m, STR("an administrator gave it up"));
	message_finish(q, m);
	return 0;
}

bool
message_may_retry(const struct queue *q)
{
	size_t	most = (size_t)q->settings->queue.running;

	return q->nrunning < most && q->nretries <= most * 3 / 4;
}

void
message_schedule(struct queue *q)
{
	int64_t		now = now_real_ms();
	struct waiting	w;
	size_t		n = 0;

	while (q->waiting.n > 0 && q->waiting.w[0].due <= now &&
	    message_may_retry(q)) {
		if (n++ == TURN_MAX) {
			queue_kick(q);
			return;
		}
		w = q->waiting.w[0];
		waiting_remove(&q->waiting, 0);
		if (w.place == SPOOL_INCOMING)
			intake_again(q, w.id, w.fresh);
		else if (message_find(q, w.id) == NULL)
			message_start(q, w.place, w.id, !w.fresh);
	}
}
