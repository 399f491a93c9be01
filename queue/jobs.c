/*
 * queue/jobs.c - recipients on other hosts become jobs: those of one message
 * whose servers are the same go together. What cannot go now goes back to wait
 * at once, so that no destination takes the room of others.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/final.h"
#include "common/proc/msg.h"
#include "common/proc/proto_remote.h"
#include "queue/remotes.h"

#define LOOKS_MAX	16u	/* jobs of a message that one more recipient might join */
#define SMALL_BYTES	65536
#define SMALL_RCPTS	10u
#define BULK_BYTES	1048576
#define BULK_RCPTS	50u
#define SPARE		1024u	/* of a packet */

void
job_begin(struct job *j)
{
	TAILQ_REMOVE(&j->m->jobs, j, link);
}

void
job_free(struct job **jp)
{
	hop_release(&(*jp)->hop);
	free(*jp);
	*jp = NULL;
}

/* The last one that is told may end the message. */
void
job_fail(struct queue *q, struct job **jp, struct str why, bool soon)
{
	struct task	*t;

	while ((t = TAILQ_FIRST(&(*jp)->tasks)) != NULL) {
		TAILQ_REMOVE(&(*jp)->tasks, t, link);
		t->m->soon |= soon;
		task_done(q, t, "4.3.0", why);
	}
	job_free(jp);
}

/* Not now: no attempt was made, so nothing is noted but once why. */
static void
job_later(struct queue *q, struct job *j)
{
	const struct schedule_dest	*d = j->sj.dest;
	struct str			 why = schedule_why(d);
	int64_t				 now = now_ms();
	struct buf			 text;
	struct task			*t;

	buf_init(&text, 1024);
	if (j->sj.dead)
		buf_addf(&text, "%.*s cannot be reached%s%.*s",
		    STR_ARG(schedule_key(d)), why.n > 0 ? ": " : "",
		    STR_ARG(why));
	else
		buf_addf(&text, "much waits for %.*s",
		    STR_ARG(schedule_key(d)));
	while ((t = TAILQ_FIRST(&j->tasks)) != NULL) {
		TAILQ_REMOVE(&j->tasks, t, link);
		task_later(q, t, now_real_ms() + j->sj.until - now,
		    schedule_tag(d), buf_view(&text));
	}
	buf_free(&text);
	job_free(&j);
}

void
jobs_refused(struct queue *q)
{
	struct schedule_job	*sj;
	struct job		*j;

	while ((sj = schedule_refused(q->remotes->schedule)) != NULL) {
		j = (struct job *)sj;
		job_begin(j);
		job_later(q, j);
	}
}

static struct str
address_of(const struct task *t)
{
	struct final	f;

	return final_decode(t->finals[0], &f) ? f.arg : STR("");
}

/* One of the message's that has room for the recipient and is not begun. */
static struct job *
find_open(struct queue *q, struct message *m, const struct hop *h, size_t bytes)
{
	struct job	*j;
	size_t		 i = 0;

	TAILQ_FOREACH_REVERSE(j, &m->jobs, job_list, link) {
		if (i++ == LOOKS_MAX)
			break;
		if (j->ntasks < (size_t)q->settings->remote.recipients &&
		    j->bytes + bytes <= MSG_MAX - SPARE &&
		    hop_alike(j->hop, h))
			return j;
	}
	return NULL;
}

static bool
is_first(const struct message *m, const struct hop *h)
{
	const struct job	*j = TAILQ_LAST(&m->jobs, job_list);

	return j == NULL || !str_eq(j->hop->key, h->key);
}

static enum schedule_class
class_of(const struct envelope *env)
{
	if (env->sender.n == 0 || (env->content_len <= SMALL_BYTES &&
	    env->nrcpts <= SMALL_RCPTS))
		return SCHEDULE_SMALL;
	if (env->content_len > BULK_BYTES || env->nrcpts > BULK_RCPTS)
		return SCHEDULE_BULK;
	return SCHEDULE_NORMAL;
}

static uint64_t
sender_hash(const struct remotes *rs, struct str sender)
{
	uint64_t	h = rs->seed;
	size_t		i;

	for (i = 0; i < sender.n; i++)
		h = (h ^ (unsigned char)sender.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static struct job *
job_new(struct queue *q, struct task *t, struct hop *h)
{
	struct job	*j;

	if ((j = calloc(1, sizeof(*j))) == NULL)
		return NULL;
	j->m = t->m;
	j->hop = hop_hold(h);
	j->bytes = remote_packet_head(&t->m->env, h);
	TAILQ_INIT(&j->tasks);
	j->sj.sender = sender_hash(q->remotes, t->m->env.sender);
	j->sj.hosts = h->hosts;
	j->sj.class = class_of(&t->m->env);
	j->sj.first = is_first(t->m, h);
	return j;
}

void
remotes_add(struct queue *q, struct task *t, struct hop *h)
{
	struct message	*m = t->m;
	size_t		 most = (size_t)q->settings->queue.running, room;
	size_t		 bytes = remote_packet_size(&m->env.rcpts[t->rcpt],
			    address_of(t));
	struct job	*j = find_open(q, m, h, bytes);
	int		 r = 0;

	room = most > q->nrunning ? most - q->nrunning : 0;
	if (j == NULL) {
		if ((j = job_new(q, t, h)) == NULL ||
		    (r = schedule_add(q->remotes->schedule, &j->sj, h->key,
		    &h->rules, room, now_ms())) == -1) {
			if (j != NULL)
				job_free(&j);
			t->m->soon = true;
			task_done(q, t, "4.3.0",
			    STR("no memory for a delivery"));
			return;
		}
	}
	TAILQ_INSERT_TAIL(&j->tasks, t, link);
	j->ntasks++;
	j->bytes += bytes;
	if (r == 1) {
		job_later(q, j);
		return;
	}
	if (j->ntasks == 1)
		TAILQ_INSERT_TAIL(&m->jobs, j, link);
	queue_kick(q);
}

void
schedule_wake(struct queue *q, struct str domain)
{
	struct str	key = { NULL, 0 };

	if (domain.n > 0 && (key = hops_key(q, domain)).n == 0)
		return;
	schedule_revive(q->remotes->schedule, key, now_ms());
	queue_kick(q);
}

static void
wake_rcpt(struct queue *q, const struct envelope_rcpt *r)
{
	struct final	 f;
	struct str	 addr = r->addr;
	const char	*at;

	if (r->final.n > 0 && final_decode(r->final, &f) &&
	    f.kind == FINAL_REMOTE)
		addr = f.arg;
	if ((at = memrchr(addr.p, '@', addr.n)) != NULL &&
	    at + 1 < addr.p + addr.n)
		schedule_wake(q, (struct str){ at + 1,
		    (size_t)(addr.p + addr.n - at - 1) });
}

void
schedule_wake_all_of(struct queue *q, const struct envelope *env)
{
	size_t	i;

	for (i = 0; i < env->nrcpts; i++)
		if (envelope_rcpt_waits(&env->rcpts[i]))
			wake_rcpt(q, &env->rcpts[i]);
}
