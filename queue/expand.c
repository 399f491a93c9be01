/*
 * queue/expand.c - a recipient that means several (an alias) becomes several
 * recipients in a file of our own, so that each has a state of its own.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/base/log.h"
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

static bool
is_there(const struct envelope *out, struct str final)
{
	size_t	i;

	for (i = 0; i < out->nrcpts && i < SAME_MAX; i++)
		if (envelope_rcpt_waits(&out->rcpts[i]) &&
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

/* One recipient of the old file: as it is, or once for each place that it means. */
static void
copy_rcpt(const struct message *m, size_t i, struct envelope *out)
{
	const struct envelope_rcpt	*r = &m->env.rcpts[i];
	const struct task		*t = task_of(m, i);
	struct envelope_rcpt		*to;
	size_t				 k;

	if (t == NULL || t->nfinals == 0) {
		out->rcpts[out->nrcpts++] = *r;
		return;
	}
	for (k = 0; k < t->nfinals; k++) {
		if (is_there(out, t->finals[k]))
			continue;
		to = &out->rcpts[out->nrcpts++];
		*to = *r;
		to->final = t->finals[k];
	}
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
	for (i = 0; i < m->env.nrcpts; i++)
		copy_rcpt(m, i, &out);
	r = spool_rewrite(&q->spool, &out, STR(""), m->fd, m->env.content_at,
	    m->env.content_len);
	saved = errno;
	/* If one of the two stays now, the next scan finds that it is a left-over. */
	if (r == -1 && m->place == SPOOL_INCOMING &&
	    spool_forget(&q->spool, SPOOL_QUEUE, m->id) == -1)
		intake_complain(q, "remove", m->env.id);
	if (r == 0)
		log_info("expanded id=%s was=%zu nrcpts=%zu", m->env.id,
		    m->env.nrcpts, out.nrcpts);
	if (r == 0 && m->place == SPOOL_INCOMING &&
	    spool_forget(&q->spool, SPOOL_INCOMING, m->id) == -1)
		intake_complain(q, "remove", m->env.id);
	free(out.rcpts);
	errno = saved;
	return r;
}
