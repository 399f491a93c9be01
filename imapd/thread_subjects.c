/* imapd/thread_subjects.c - threads by subject: ORDEREDSUBJECT, and step 5 of REFERENCES (RFC 5256). Run by the session. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/sorting.h"
#include "imapd/threading.h"

#define SUBJECT_MAX	(1u << 20)

/* Base subjects become numbers. */
struct subjects {
	struct view		*view;
	struct thread_table	 table;
	struct head_text	 head;
	struct buf		 text;
	uint32_t		 n;
};

static int
subjects_init(struct subjects *b, struct view *view, size_t expected)
{
	memset(b, 0, sizeof(*b));
	b->view = view;
	head_text_init(&b->head);
	buf_init(&b->text, SUBJECT_MAX);
	return thread_table_init(&b->table, expected);
}

static void
subjects_free(struct subjects *b)
{
	thread_table_free(&b->table);
	head_text_free(&b->head);
	buf_free(&b->text);
}

/* The number of a message's base subject; THREAD_NONE: it is empty. */
static int
subject_of(struct subjects *b, uint32_t message, uint32_t *number,
    bool *reply)
{
	struct cache_head	head;
	uint32_t		*at;

	*number = THREAD_NONE;
	*reply = false;
	if (view_head(b->view, message, &head) == -1)
		return errno == ENOENT ? 0 : -1;
	buf_reset(&b->text);
	if (sort_subject(&b->head, head.envelope, &b->text, reply) == -1)
		return -1;
	if (b->text.n == 0)
		return 0;
	if ((at = thread_table_at(&b->table, buf_view(&b->text))) == NULL)
		return -1;
	if (*at == THREAD_NONE)
		*at = b->n++;
	*number = *at;
	return 0;
}

/* ---- step 5 */

struct root {
	uint32_t	node, subject;
	bool		reply;
};

struct gathering {
	struct threads	*t;
	struct root	*roots;
	size_t		 n;
	struct root	*holders;	/* the subject table: by number of the subject */
};

static bool
is_dummy(const struct gathering *g, uint32_t node)
{
	return g->t->nodes[node].message == THREAD_NONE;
}

/* 5 B for one root: may it hold its subject? */
static void
hold(struct gathering *g, const struct root *r)
{
	struct root	*holder = &g->holders[r->subject];

	if (holder->node == THREAD_NONE || (!is_dummy(g, holder->node) &&
	    (is_dummy(g, r->node) || (holder->reply && !r->reply))))
		*holder = *r;
}

static void
move_below(struct gathering *g, uint32_t parent, uint32_t child)
{
	thread_append(g->t, parent, child);
	g->t->nodes[child].parent = parent;
}

/* 5 C for one root. */
static int
merge_root(struct gathering *g, const struct root *r)
{
	struct root	*holder = &g->holders[r->subject];
	uint32_t	 i, next, dummy;

	if (holder->node == r->node)
		return 0;
	if (is_dummy(g, holder->node) && is_dummy(g, r->node)) {
		for (i = g->t->nodes[r->node].first; i != THREAD_NONE;
		    i = next) {
			next = g->t->nodes[i].next;
			move_below(g, holder->node, i);
		}
		g->t->nodes[r->node].parent = holder->node;
		return 0;
	}
	if (is_dummy(g, holder->node) || (r->reply && !holder->reply)) {
		move_below(g, holder->node, r->node);
		return 0;
	}
	if ((dummy = thread_add(g->t, THREAD_NONE)) == THREAD_NONE)
		return -1;
	g->t->nodes[dummy].parent = 0;
	move_below(g, dummy, holder->node);
	move_below(g, dummy, r->node);
	holder->node = dummy;
	holder->reply = false;
	return 0;
}

static int
roots_list(struct gathering *g, struct subjects *b)
{
	struct threads	*t = g->t;
	struct root	*r;
	uint32_t	 i, message;

	for (i = t->nodes[0].first; i != THREAD_NONE; i = t->nodes[i].next) {
		r = &g->roots[g->n++];
		r->node = i;
		t->nodes[i].parent = 0;
		message = is_dummy(g, i) ? t->nodes[t->nodes[i].first].message :
		    t->nodes[i].message;
		if (subject_of(b, message, &r->subject, &r->reply) == -1)
			return -1;
	}
	return 0;
}

static int
gather(struct gathering *g, struct subjects *b)
{
	struct threads	*t = g->t;
	size_t		 i, old = t->n;

	if (roots_list(g, b) == -1)
		return -1;
	g->holders = calloc(b->n + 1, sizeof(*g->holders));
	if (g->holders == NULL)
		return -1;
	for (i = 0; i < b->n; i++)
		g->holders[i].node = THREAD_NONE;
	for (i = 0; i < g->n; i++)
		if (g->roots[i].subject != THREAD_NONE)
			hold(g, &g->roots[i]);
	for (i = 0; i < g->n; i++)
		if (g->roots[i].subject != THREAD_NONE &&
		    merge_root(g, &g->roots[i]) == -1)
			return -1;
	t->nodes[0].first = t->nodes[0].last = THREAD_NONE;
	for (i = 0; i < g->n; i++)
		if (t->nodes[g->roots[i].node].parent == 0)
			thread_append(t, 0, g->roots[i].node);
	for (i = old; i < t->n; i++)
		thread_append(t, 0, (uint32_t)i);
	return 0;
}

int
thread_gather(struct threads *t, struct view *view)
{
	struct gathering	g = { .t = t };
	struct subjects		b;
	int			r;

	r = subjects_init(&b, view, 1024);
	g.roots = calloc(t->n + 1, sizeof(*g.roots));
	if (r == 0 && g.roots != NULL)
		r = gather(&g, &b);
	else
		r = -1;
	free(g.roots);
	free(g.holders);
	subjects_free(&b);
	return r;
}

/* ---- ORDEREDSUBJECT */

/* Nodes of the messages below one for each subject; those without a subject are one thread, too. */
static int
by_subject(struct threads *t, struct subjects *b, const struct found *found,
    struct progress *progress)
{
	uint32_t	*number, i;
	size_t		 k;
	bool		 reply;

	if ((number = calloc(found->n + 1, sizeof(*number))) == NULL)
		return -1;
	for (k = 0; k < found->n; k++) {
		i = thread_add(t, found->at[k]);
		if (i == THREAD_NONE ||
		    subject_of(b, found->at[k], &number[k], &reply) == -1 ||
		    (sort_sent(b->view, found->at[k], &t->nodes[i].sent) == -1
		    && errno != ENOENT) ||
		    (progress != NULL && progress_step(progress, k) == -1)) {
			free(number);
			return -1;
		}
	}
	for (k = 0; k <= b->n; k++)
		if (thread_add(t, THREAD_NONE) == THREAD_NONE) {
			free(number);
			return -1;
		}
	for (k = 0; k < found->n; k++)
		thread_append(t, (uint32_t)(1 + found->n +
		    (number[k] == THREAD_NONE ? b->n : number[k])),
		    (uint32_t)(k + 1));
	free(number);
	return 0;
}

/* The first of each subject becomes a root, and the others its children. */
static int
make_roots(struct threads *t, size_t from)
{
	uint32_t	i, first, next;
	size_t		k;

	for (k = from; k < t->n; k++) {
		if (thread_sort_children(t, (uint32_t)k) == -1)
			return -1;
		if ((first = t->nodes[k].first) == THREAD_NONE)
			continue;
		i = t->nodes[first].next;
		thread_append(t, 0, first);
		for (; i != THREAD_NONE; i = next) {
			next = t->nodes[i].next;
			thread_append(t, first, i);
		}
	}
	return thread_sort_children(t, 0);
}

int
thread_by_subject(struct threads *t, struct view *view,
    const struct found *found, struct progress *progress)
{
	struct subjects	b;
	int		r;

	r = subjects_init(&b, view, found->n);
	if (r == 0)
		r = by_subject(t, &b, found, progress);
	if (r == 0)
		r = make_roots(t, 1 + found->n);
	subjects_free(&b);
	return r;
}
