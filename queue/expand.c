/*
 * queue/expand.c - a recipient that means several (an alias) becomes several
 * recipients in a file of our own, so that each has a state of its own.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/fmt/esmtp.h"
#include "common/fmt/final.h"
#include "queue/queue.h"

#define SAME_MAX	2000u	/* so many are compared with each other */

bool
expand_is_needed(const struct message *m)
{
	size_t	i;

	for (i = 0; i < m->ntasks; i++)
		if (m->tasks[i].nfinals > 1)
			return true;
	return false;
}

static bool
same_place(struct str a, struct str b)
{
	struct final	x, y;

	return final_decode(a, &x) && final_decode(b, &y) &&
	    x.kind == y.kind && str_eq(x.user, y.user) &&
	    str_eq(x.arg, y.arg) && str_eq(x.ext, y.ext);
}

/* Somebody who has it from this message anyway; with notify only if he wants to be told of the same. */
static bool
is_there(const struct envelope *out, struct str final, const unsigned *notify)
{
	size_t	i;

	for (i = 0; i < out->nrcpts && i < SAME_MAX; i++)
		if (envelope_rcpt_waits(&out->rcpts[i]) &&
		    (notify == NULL || out->rcpts[i].notify == *notify) &&
		    same_place(out->rcpts[i].final, final))
			return true;
	return false;
}

static const struct task *
task_of(const struct message *m, size_t rcpt)
{
	size_t	i;

	for (i = 0; i < m->ntasks; i++)
		if (m->tasks[i].rcpt == rcpt)
			return &m->tasks[i];
	return NULL;
}

static void
copy_single(const struct task *t, const struct envelope_rcpt *r,
    struct envelope *out)
{
	struct envelope_rcpt	to = *r;

	if (t != NULL && t->nfinals == 1) {
		to.final = t->finals[0];
		if (is_there(out, to.final, &r->notify))
			return;
	}
	out->rcpts[out->nrcpts++] = to;
}

/*
 * Once for each place that it means, but for those who get it already. A wish
 * to be told of success is answered with the expansion, not with what becomes
 * of each (RFC 3461 5.2.7.3 (c)).
 */
static void
copy_several(const struct task *t, const struct envelope_rcpt *r,
    struct envelope *out)
{
	struct envelope_rcpt	to = *r;
	size_t			i;

	if ((r->notify & NOTIFY_SUCCESS) != 0) {
		to.state = RCPT_EXPANDED;
		out->rcpts[out->nrcpts++] = to;
		to.state = r->state;
		to.notify = r->notify == NOTIFY_SUCCESS ? NOTIFY_NEVER :
		    r->notify & ~(unsigned)NOTIFY_SUCCESS;
	}
	for (i = 0; i < t->nfinals; i++) {
		to.final = t->finals[i];
		if (!is_there(out, to.final, NULL))
			out->rcpts[out->nrcpts++] = to;
	}
}

/* Those first that mean one: whoever was named himself is told what he asked for. */
static void
copy_rcpts(const struct message *m, struct envelope *out)
{
	const struct envelope_rcpt	*r = m->env.rcpts;
	const struct task		*t;
	size_t				 i;

	for (i = 0; i < m->env.nrcpts; i++)
		if ((t = task_of(m, i)) == NULL || t->nfinals <= 1)
			copy_single(t, &r[i], out);
	for (i = 0; i < m->env.nrcpts; i++)
		if ((t = task_of(m, i)) != NULL && t->nfinals > 1)
			copy_several(t, &r[i], out);
}

int
expand(struct queue *q, struct message *m)
{
	struct envelope	out = m->env;
	size_t		i, n = m->env.nrcpts;
	int		r = -1, saved;

	for (i = 0; i < m->ntasks; i++)
		n += m->tasks[i].nfinals;
	out.nrcpts = 0;
	if (n > ENVELOPE_RCPTS) {
		errno = EMSGSIZE;
		return -1;
	}
	if ((out.rcpts = calloc(n, sizeof(*out.rcpts))) == NULL)
		return -1;
	copy_rcpts(m, &out);
	r = spool_rewrite(&q->spool, &out, STR(""), m->fd, m->env.content_at,
	    m->env.content_len);
	saved = errno;
	/* If one of the two stays now, the next scan finds that it is a left-over. */
	if (r == -1 && m->place == SPOOL_INCOMING &&
	    spool_forget(&q->spool, SPOOL_QUEUE, m->id) == -1)
		intake_complain(q, "remove", m->env.id);
	if (r == 0 && m->place == SPOOL_INCOMING &&
	    spool_forget(&q->spool, SPOOL_INCOMING, m->id) == -1)
		intake_complain(q, "remove", m->env.id);
	free(out.rcpts);
	errno = saved;
	return r;
}
