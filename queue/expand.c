/*
 * queue/expand.c - a recipient that means several (an alias) becomes several
 * recipients in a file of our own, so that each has a state of its own.
 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/final.h"
#include "queue/queue.h"

struct place {
	struct final	final;
	unsigned	notify;		/* what the first who goes there wants to be told of */
};

struct widened {
	struct envelope	 out;
	struct place	*places;	/* as many as recipients, of those that wait */
	size_t		 max, nplaces;
	size_t		 kept;		/* recipients that room is kept for */
	void		*known;		/* tree of tsearch(3) over places */
};

bool
expand_is_needed(const struct message *m)
{
	size_t	i;

	for (i = 0; i < m->ntasks; i++)
		if (m->tasks[i].nfinals > 1)
			return true;
	return false;
}

static int
place_cmp(const void *a, const void *b)
{
	const struct final	*x = &((const struct place *)a)->final;
	const struct final	*y = &((const struct place *)b)->final;
	int			 r;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if ((r = str_cmp(x->user, y->user)) != 0 ||
	    (r = str_cmp(x->arg, y->arg)) != 0)
		return r;
	return str_cmp(x->ext, y->ext);
}

/*
 * 1: nobody else here goes there, 0: somebody does, who wants to be told of
 * *notify, -1: ENOMEM.
 */
static int
is_new(struct widened *w, struct str final, unsigned *notify)
{
	struct place	*p = &w->places[w->nplaces];
	struct place	*const *found;

	if (!final_decode(final, &p->final))
		return 1;
	p->notify = *notify;
	if ((found = tsearch(p, &w->known, place_cmp)) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	*notify = (*found)->notify;
	if (*found != p)
		return 0;
	w->nplaces++;
	return 1;
}

static int
add_rcpt(struct widened *w, const struct envelope_rcpt *r)
{
	if (w->out.nrcpts + w->kept >= w->max) {
		errno = EMSGSIZE;
		return -1;
	}
	w->out.rcpts[w->out.nrcpts++] = *r;
	return 0;
}

/* Whoever goes to the same place and wants to be told of the same is one with the first. */
static int
copy_single(struct widened *w, const struct task *t,
    const struct envelope_rcpt *r)
{
	struct envelope_rcpt	to = *r;
	unsigned		notify = r->notify;
	int			fresh;

	if (t == NULL || t->nfinals == 0)
		return add_rcpt(w, r);
	to.final = t->finals[0];
	if ((fresh = is_new(w, to.final, &notify)) == -1)
		return -1;
	return fresh == 0 && notify == r->notify ? 0 : add_rcpt(w, &to);
}

/*
 * Once for each place that it means, but for those who get it already. A wish
 * to be told of success is answered with the expansion, not with what becomes
 * of each (RFC 3461 5.2.7.3 (c)).
 */
static int
copy_several(struct widened *w, const struct task *t,
    const struct envelope_rcpt *r)
{
	struct envelope_rcpt	to = *r;
	unsigned		notify;
	size_t			i;
	int			fresh;

	if ((r->notify & NOTIFY_SUCCESS) != 0) {
		to.state = RCPT_EXPANDED;
		if (add_rcpt(w, &to) == -1)
			return -1;
		to.state = r->state;
		to.notify = r->notify == NOTIFY_SUCCESS ? NOTIFY_NEVER :
		    r->notify & ~(unsigned)NOTIFY_SUCCESS;
	}
	for (i = 0; i < t->nfinals; i++) {
		to.final = t->finals[i];
		notify = to.notify;
		if ((fresh = is_new(w, to.final, &notify)) == -1 ||
		    (fresh == 1 && add_rcpt(w, &to) == -1))
			return -1;
	}
	return 0;
}

/* Those that mean one, or those that mean several; the tasks are in the order of their recipients. */
static int
copy_rcpts(struct widened *w, const struct message *m, bool several)
{
	const struct task	*t = m->tasks, *own;
	size_t			 i;
	int			 r = 0;

	for (i = 0; r == 0 && i < m->env.nrcpts; i++) {
		own = t < m->tasks + m->ntasks && t->rcpt == i ? t++ : NULL;
		if ((own != NULL && own->nfinals > 1) != several)
			continue;
		r = several ? copy_several(w, own, &m->env.rcpts[i]) :
		    copy_single(w, own, &m->env.rcpts[i]);
	}
	return r;
}

/* As many as they can be: each, and once more that it was expanded. */
static size_t
most(const struct message *m)
{
	size_t	i, n = m->env.nrcpts;

	for (i = 0; i < m->ntasks; i++)
		n += m->tasks[i].nfinals + 1;
	return n;
}

static int
widened_init(struct widened *w, const struct message *m)
{
	size_t	n = most(m);

	w->out = m->env;
	w->out.nrcpts = 0;
	w->max = n < ENVELOPE_RCPTS ? n : ENVELOPE_RCPTS;
	w->out.rcpts = calloc(w->max, sizeof(*w->out.rcpts));
	/* one more, for a place that is looked up */
	w->places = calloc(w->max + 1, sizeof(*w->places));
	return w->out.rcpts == NULL || w->places == NULL ? -1 : 0;
}

static int
widen(struct widened *w, const struct message *m)
{
	if (widened_init(w, m) == -1)
		return -1;
	/* Those first that mean one: whoever was named himself is told what he asked for. */
	return copy_rcpts(w, m, false) == -1 || copy_rcpts(w, m, true) == -1 ?
	    -1 : 0;
}

static void
keep_place(void *place)
{
	(void)place;	/* one of an array */
}

static void
widened_free(struct widened *w)
{
	tdestroy(w->known, keep_place);
	free(w->places);
	free(w->out.rcpts);
}

/* Back to so many recipients and places. */
static void
take_back(struct widened *w, size_t nrcpts, size_t nplaces)
{
	while (w->nplaces > nplaces)
		tdelete(&w->places[--w->nplaces], &w->known, place_cmp);
	w->out.nrcpts = nrcpts;
}

static void
fail_wide(struct queue *q, struct task *t)
{
	struct message	*m = t->m;
	struct buf	 text;

	buf_init(&text, 1024);
	buf_addf(&text, "%.*s means %zu recipients, and a message can have "
	    "%u in all", STR_ARG(m->env.rcpts[t->rcpt].addr), t->nfinals,
	    ENVELOPE_RCPTS);
	t->nfinals = 0;
	m->pending++;		/* the message does not end here */
	task_done(q, t, "5.2.4", buf_view(&text));
	m->pending--;
	buf_free(&text);
}

int
expand_limit(struct queue *q, struct message *m)
{
	struct widened	w = { .known = NULL };
	struct task	*t;
	size_t		 i, nrcpts, nplaces;
	int		 r, saved;

	if (most(m) <= ENVELOPE_RCPTS)
		return 0;
	if ((r = widened_init(&w, m)) == 0)
		r = copy_rcpts(&w, m, false);
	for (i = 0; i < m->ntasks; i++)
		w.kept += m->tasks[i].nfinals > 1;
	for (t = m->tasks; r == 0 && t < m->tasks + m->ntasks; t++) {
		if (t->nfinals <= 1)
			continue;
		w.kept--;
		nrcpts = w.out.nrcpts;
		nplaces = w.nplaces;
		r = copy_several(&w, t, &m->env.rcpts[t->rcpt]);
		if (r == -1 && errno == EMSGSIZE) {
			take_back(&w, nrcpts, nplaces);
			fail_wide(q, t);
			r = add_rcpt(&w, &m->env.rcpts[t->rcpt]);
		}
	}
	saved = errno;
	widened_free(&w);
	errno = saved;
	return r;
}

/* An account of the log: those who stand for others have ended with it. */
static void
log_expanded(const struct message *m, const struct envelope *out)
{
	size_t	i, before = 0, after = 0;

	for (i = 0; i < m->env.nrcpts; i++)
		before += m->env.rcpts[i].state == RCPT_EXPANDED;
	for (i = 0; i < out->nrcpts; i++)
		after += out->rcpts[i].state == RCPT_EXPANDED;
	log_info("expanded id=%s was=%zu nrcpts=%zu ended=%zu", m->env.id,
	    m->env.nrcpts, out->nrcpts, after - before);
}

int
expand(struct queue *q, struct message *m)
{
	struct widened	w = { .known = NULL };
	int		r, saved;

	if ((r = widen(&w, m)) == 0) {
		r = spool_rewrite(&q->spool, &w.out, STR(""), m->fd,
		    m->env.content_at, m->env.content_len);
		saved = errno;
		if (r == 0)
			log_expanded(m, &w.out);
		/* If one of the two stays now, the next scan finds that it is a left-over. */
		if (m->place == SPOOL_INCOMING && spool_forget(&q->spool,
		    r == -1 ? SPOOL_QUEUE : SPOOL_INCOMING, m->id) == -1)
			intake_complain(q, "remove", m->env.id);
		errno = saved;
	}
	saved = errno;
	widened_free(&w);
	errno = saved;
	return r;
}
