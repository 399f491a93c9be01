/*
 * queue/schedule_flow.c - the order of the jobs at one destination: classes have
 * shares of 4, 2 and 1, within a class the senders take turns, and what a sender
 * sent first goes first. Each class that has jobs gets one in seven at least, so
 * nobody starves. Pure but for its memory.
 */
#include <stdlib.h>

#include "queue/schedule_impl.h"

static const unsigned	shares[SCHEDULE_CLASSES] = { 4, 2, 1 };

static struct schedule_flow **
bucket(struct schedule *s, const struct schedule_dest *d, uint64_t sender,
    enum schedule_class class)
{
	uint64_t	h = (d->hash ^ sender) * UINT64_C(0x9e3779b97f4a7c15);

	return &s->flows[((h >> 32) + class) % FLOW_BUCKETS];
}

static struct schedule_flow *
flow_get(struct schedule *s, struct schedule_dest *d, uint64_t sender,
    enum schedule_class class)
{
	struct schedule_flow	**b = bucket(s, d, sender, class), *f;

	for (f = *b; f != NULL; f = f->same)
		if (f->dest == d && f->sender == sender && f->class == class)
			return f;
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return NULL;
	f->dest = d;
	f->sender = sender;
	f->class = class;
	TAILQ_INIT(&f->jobs);
	f->same = *b;
	*b = f;
	TAILQ_INSERT_TAIL(&d->flows[class], f, link);
	s->nflows++;
	return f;
}

static void
flow_free(struct schedule *s, struct schedule_flow *f)
{
	struct schedule_flow	**at = bucket(s, f->dest, f->sender, f->class);

	while (*at != f)
		at = &(*at)->same;
	*at = f->same;
	TAILQ_REMOVE(&f->dest->flows[f->class], f, link);
	s->nflows--;
	free(f);
}

int
flow_add(struct schedule *s, struct schedule_dest *d, struct schedule_job *j)
{
	struct schedule_flow	*f = flow_get(s, d, j->sender, j->class);

	if (f == NULL)
		return -1;
	TAILQ_INSERT_TAIL(&f->jobs, j, link);
	j->flow = f;
	j->dest = d;
	d->queued++;
	d->messages += j->first;
	s->queued++;
	return 0;
}

static void
taken(struct schedule *s, struct schedule_job *j)
{
	struct schedule_flow	*f = j->flow;
	struct schedule_dest	*d = f->dest;

	TAILQ_REMOVE(&f->jobs, j, link);
	d->queued--;
	d->messages -= j->first;
	s->queued--;
	if (TAILQ_EMPTY(&f->jobs))
		flow_free(s, f);
	else {
		TAILQ_REMOVE(&d->flows[f->class], f, link);
		TAILQ_INSERT_TAIL(&d->flows[f->class], f, link);
	}
	j->flow = NULL;
}

/* The first class that has jobs and something left of its share. */
static struct schedule_flow *
whose_turn(struct schedule_dest *d)
{
	size_t	c, round;

	for (round = 0; round < 2; round++) {
		for (c = 0; c < SCHEDULE_CLASSES; c++)
			if (d->credit[c] > 0 && !TAILQ_EMPTY(&d->flows[c])) {
				d->credit[c]--;
				return TAILQ_FIRST(&d->flows[c]);
			}
		for (c = 0; c < SCHEDULE_CLASSES; c++)
			d->credit[c] = shares[c];
	}
	return NULL;
}

struct schedule_job *
flow_take(struct schedule *s, struct schedule_dest *d)
{
	struct schedule_flow	*f = whose_turn(d);
	struct schedule_job	*j;

	if (f == NULL)
		return NULL;
	j = TAILQ_FIRST(&f->jobs);
	taken(s, j);
	return j;
}

struct schedule_job *
flow_take_last(struct schedule *s, struct schedule_dest *d)
{
	struct schedule_job	*j;
	size_t			 c = SCHEDULE_CLASSES;

	while (c-- > 0)
		if (!TAILQ_EMPTY(&d->flows[c])) {
			j = TAILQ_LAST(&TAILQ_FIRST(&d->flows[c])->jobs,
			    schedule_jobs);
			taken(s, j);
			return j;
		}
	return NULL;
}
