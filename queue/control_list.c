/*
 * queue/control_list.c - the list that mailq asks for: what there was when it
 * began, read from the files a piece at a time, so that mail goes on in
 * between.
 */
#include <stdlib.h>

#include "common/fmt/record.h"
#include "common/proc/proto_queue.h"
#include "queue/entry.h"
#include "queue/queue.h"

#define ANSWER_FULL	(MSG_MAX - ENTRY_SIZE_MAX - 64u)	/* another entry might not fit */
#define PER_ANSWER	500u

struct listing {
	struct entry	*items;
	size_t		 n, cap, next;
	struct filter	 filter;
	bool		 bare;		/* who asks reads the files himself */
	bool		 brief;		/* or does without the status files */
	struct buf	 scratch;
};

struct adding {
	struct queue		*q;
	struct listing		*l;
	enum spool_place	 place;
};

static int
listing_add(struct listing *l, struct entry e)
{
	struct entry	*more;
	size_t		 cap = l->cap + l->cap / 2 + 64;

	if (l->n == l->cap) {
		more = reallocarray(l->items, cap, sizeof(*more));
		if (more == NULL)
			return -1;
		l->items = more;
		l->cap = cap;
	}
	l->items[l->n++] = e;
	return 0;
}

static int
add_found(void *arg, const struct id *id, const char *name, int64_t at)
{
	struct adding	*a = arg;

	(void)name;
	(void)at;
	/* what is under way lies in incoming, too, and is in the list already */
	if (a->place == SPOOL_INCOMING && message_find(a->q, *id) != NULL)
		return 0;
	return listing_add(a->l, (struct entry){ .id = *id, .place = a->place,
	    .due = ENTRY_DUE_FILE });
}

/* What waits in incoming was found there, too: what is known of it counts. */
static void
merge(struct entry *e, const struct entry *twin)
{
	if (!e->running && !e->waits)
		*e = *twin;
}

static void
leave_out_twins(struct listing *l)
{
	size_t	i, n = 0;

	for (i = 0; i < l->n; i++)
		if (n > 0 && id_eq(l->items[n - 1].id, l->items[i].id))
			merge(&l->items[n - 1], &l->items[i]);
		else
			l->items[n++] = l->items[i];
	l->n = n;
}

static void
listing_free(struct listing *l)
{
	if (l == NULL)
		return;
	free(l->items);
	buf_free(&l->scratch);
	free(l);
}

/* What queue knows by heart, then what lies in the other places. */
static int
fill(struct queue *q, struct listing *l)
{
	static const enum spool_place	places[] = {
		SPOOL_HOLD, SPOOL_INCOMING, SPOOL_DROP
	};
	struct adding	 a = { .q = q, .l = l };
	struct message	*m;
	size_t		 i;
	int		 r = 0;

	/* Most of it at once: what grows in steps leaves holes behind. */
	l->cap = q->waiting.n + q->nrunning + 64;
	if ((l->items = reallocarray(NULL, l->cap, sizeof(*l->items))) == NULL)
		return -1;
	for (i = 0; i < q->waiting.n && r == 0; i++)
		r = listing_add(l, (struct entry){ .id = q->waiting.w[i].id,
		    .place = q->waiting.w[i].place, .waits = true,
		    .due = q->waiting.w[i].due });
	TAILQ_FOREACH(m, &q->running, link)
		if (r == 0)
			r = listing_add(l, (struct entry){ .id = m->id,
			    .place = m->place, .running = true });
	for (i = 0; i < nitems(places) && r == 0; i++) {
		a.place = places[i];
		r = spool_names(&q->spool, places[i], add_found, &a);
	}
	return r;
}

static struct listing *
listing_new(struct queue *q, struct str rec)
{
	struct listing	*l;
	struct str	 v;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	buf_init(&l->scratch, (1u << 20) + 4096);
	l->bare = record_get(rec, FILTER_BARE, &v);
	l->brief = record_get(rec, FILTER_BRIEF, &v);
	if (!filter_get(rec, &l->filter) || fill(q, l) != 0) {
		listing_free(l);
		return NULL;
	}
	if (l->n > 0)
		qsort(l->items, l->n, sizeof(*l->items), entry_order);
	leave_out_twins(l);
	return l;
}

void
control_gone(struct peer *p)
{
	listing_free(peer_get(p));
	peer_set(p, NULL);
}

static void
put_entries(struct queue *q, struct listing *l, struct buf *out)
{
	struct buf		 entry, *status = &l->scratch;
	const struct entry	*e;
	size_t			 n = 0;

	if (l->brief && *l->filter.text == '\0')
		status = NULL;
	buf_init(&entry, ENTRY_SIZE_MAX);
	while (l->next < l->n && out->n < ANSWER_FULL && n++ < PER_ANSWER) {
		e = &l->items[l->next++];
		buf_reset(&entry);
		/* What has gone since is no loss for the list. */
		if (!l->bare && entry_read(&q->spool, e, &l->filter, status,
		    &entry) == -1)
			continue;
		if (l->bare && entry_is_in_place(e, &l->filter))
			entry_bare(e, &entry);
		if (entry.n > 0 && buf_ok(&entry))
			record_put(out, QUEUE_ENTRY, buf_view(&entry));
	}
	buf_free(&entry);
}

int
control_list(struct queue *q, struct peer *p, struct str rec, bool begin)
{
	struct listing	*l;
	struct buf	 body, out;
	int		 r = -1;

	if (begin) {
		control_gone(p);
		if ((l = listing_new(q, rec)) == NULL)
			return -1;
		peer_set(p, l);
	} else if ((l = peer_get(p)) == NULL)
		return -1;
	buf_init(&body, MSG_MAX);
	buf_init(&out, MSG_MAX);
	put_entries(q, l, &body);
	record_puts(&out, QUEUE_VERB, l->next < l->n ? "more" : "end");
	if (buf_addstr(&out, buf_view(&body)) == 0 && buf_ok(&out) &&
	    buf_ok(&body))
		r = peer_send(p, &out);
	if (l->next >= l->n)
		control_gone(p);
	buf_free(&body);
	buf_free(&out);
	return r;
}
