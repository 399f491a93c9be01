/* imapd/threading.c - the forest of threads: building, sorting, writing. Run by the session. */
#include "imapd/threading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/sorting.h"

uint32_t
thread_add(struct threads *t, uint32_t message)
{
	struct thread_node	*grown;
	size_t			 room;

	if (t->n == t->room) {
		room = t->room == 0 ? 1024 : t->room * 2;
		if (room > THREAD_NONE / 2 || (grown = reallocarray(t->nodes,
		    room, sizeof(*grown))) == NULL) {
			errno = ENOMEM;
			return THREAD_NONE;
		}
		t->nodes = grown;
		t->room = room;
	}
	t->nodes[t->n] = (struct thread_node){ THREAD_NONE, THREAD_NONE,
	    THREAD_NONE, THREAD_NONE, message, (uint32_t)t->n, 0 };
	return (uint32_t)t->n++;
}

void
thread_append(struct threads *t, uint32_t parent, uint32_t child)
{
	struct thread_node	*p = &t->nodes[parent];

	t->nodes[child].next = THREAD_NONE;
	if (p->first == THREAD_NONE)
		p->first = child;
	else
		t->nodes[p->last].next = child;
	p->last = child;
}

/* Level by level: the order of siblings does not matter to those who ask. */
uint32_t *
thread_preorder(const struct threads *t, size_t *n)
{
	uint32_t	*order, i;
	size_t		 done;

	if ((order = malloc((t->n + 1) * sizeof(*order))) == NULL)
		return NULL;
	*n = 0;
	for (i = t->nodes[0].first; i != THREAD_NONE; i = t->nodes[i].next)
		order[(*n)++] = i;
	for (done = 0; done < *n; done++)
		for (i = t->nodes[order[done]].first; i != THREAD_NONE;
		    i = t->nodes[i].next)
			order[(*n)++] = i;
	return order;
}

/* Who stands for a node: a dummy is its first child. */
static uint32_t
face(const struct threads *t, uint32_t i)
{
	while (t->nodes[i].message == THREAD_NONE &&
	    t->nodes[i].first != THREAD_NONE)
		i = t->nodes[i].first;
	return i;
}

static int
by_number(const void *arg, uint32_t a, uint32_t b)
{
	const struct threads	*t = arg;
	uint32_t		 x = t->nodes[face(t, a)].message;
	uint32_t		 y = t->nodes[face(t, b)].message;

	return x < y ? -1 : x > y;
}

int
thread_sort_children(struct threads *t, uint32_t parent)
{
	struct sort_row	*rows;
	uint32_t	 i;
	size_t		 n = 0, k;

	i = t->nodes[parent].first;
	if (i == THREAD_NONE || t->nodes[i].next == THREAD_NONE)
		return 0;
	for (; i != THREAD_NONE; i = t->nodes[i].next)
		n++;
	if ((rows = calloc(2 * n, sizeof(*rows))) == NULL)
		return -1;
	i = t->nodes[parent].first;
	for (k = 0; k < n; k++, i = t->nodes[i].next)
		rows[k] = (struct sort_row){
		    sort_signed(t->nodes[face(t, i)].sent), i };
	sort_rows(rows, rows + n, n, by_number, t);
	t->nodes[parent].first = t->nodes[parent].last = THREAD_NONE;
	for (k = 0; k < n; k++)
		thread_append(t, parent, rows[k].place);
	free(rows);
	return 0;
}

/* Step 6: grandchildren before children. */
static int
sort_all(struct threads *t)
{
	uint32_t	*order;
	size_t		 i, n;
	int		 r = 0;

	if ((order = thread_preorder(t, &n)) == NULL)
		return -1;
	for (i = n; r == 0 && i-- > 0;)
		r = thread_sort_children(t, order[i]);
	free(order);
	return r;
}

/* REFS: threads in the order of their latest messages. */
static int
sort_latest(struct threads *t)
{
	struct thread_node	*n;
	struct sort_row		*rows;
	uint32_t		*order, i;
	int64_t			*latest;
	size_t			 k, count, roots = 0;

	if ((order = thread_preorder(t, &count)) == NULL)
		return -1;
	latest = malloc(t->n * sizeof(*latest));
	rows = calloc(2 * count + 1, sizeof(*rows));
	if (latest == NULL || rows == NULL) {
		free(order);
		free(latest);
		free(rows);
		return -1;
	}
	for (k = count; k-- > 0;) {
		n = &t->nodes[order[k]];
		latest[order[k]] = n->message == THREAD_NONE ? INT64_MIN :
		    n->sent;
		for (i = n->first; i != THREAD_NONE; i = t->nodes[i].next)
			if (latest[i] > latest[order[k]])
				latest[order[k]] = latest[i];
	}
	for (i = t->nodes[0].first; i != THREAD_NONE; i = t->nodes[i].next)
		rows[roots++] = (struct sort_row){ sort_signed(latest[i]), i };
	sort_rows(rows, rows + roots, roots, by_number, t);
	t->nodes[0].first = t->nodes[0].last = THREAD_NONE;
	for (k = 0; k < roots; k++)
		thread_append(t, 0, rows[k].place);
	free(order);
	free(latest);
	free(rows);
	return 0;
}

/* Step 4: roots, and the children of those that are dummies. */
static int
sort_roots(struct threads *t)
{
	uint32_t	i;

	for (i = t->nodes[0].first; i != THREAD_NONE; i = t->nodes[i].next)
		if (t->nodes[i].message == THREAD_NONE &&
		    thread_sort_children(t, i) == -1)
			return -1;
	return thread_sort_children(t, 0);
}

int
threads_make(struct threads *t, struct view *view, const struct found *found,
    enum thread_how how, struct progress *progress)
{
	memset(t, 0, sizeof(*t));
	if (thread_add(t, THREAD_NONE) == THREAD_NONE)
		return -1;
	switch (how) {
	case THREAD_ORDEREDSUBJECT:
		return thread_by_subject(t, view, found, progress);
	case THREAD_REFERENCES:
		if (thread_links(t, view, found, progress) == -1 ||
		    sort_roots(t) == -1 || thread_gather(t, view) == -1 ||
		    sort_all(t) == -1)
			return -1;
		return thread_sort_children(t, 0);
	case THREAD_REFS:
		if (thread_links(t, view, found, progress) == -1 ||
		    sort_all(t) == -1)
			return -1;
		return sort_latest(t);
	}
	return 0;
}

void
threads_free(struct threads *t)
{
	free(t->nodes);
	memset(t, 0, sizeof(*t));
}

/* ---- writing */

static void
put_message(struct buf *out, const struct thread_node *n, struct view *view,
    bool uid)
{
	buf_addf(out, "%u", uid ? view_message(view, n->message)->uid :
	    n->message + 1);
}

/*
 * A node opens a parenthesis unless it is the only child of its parent; who opened one closes it when the last below it is written.
 * While a node is written its parent is on the stack.
 */
static int
put_thread(struct buf *out, const struct threads *t, struct view *view,
    bool uid, uint32_t *stack)
{
	const struct thread_node	*n;
	size_t				 depth = 0;
	uint32_t			 i = t->nodes[0].first;
	bool				 only;

	stack[0] = 0;
	while (i != THREAD_NONE) {
		n = &t->nodes[i];
		only = depth > 0 && t->nodes[stack[depth]].first == i &&
		    n->next == THREAD_NONE;
		if (only)
			buf_addc(out, ' ');
		else if (depth > 0 && t->nodes[stack[depth]].first == i &&
		    t->nodes[stack[depth]].message != THREAD_NONE)
			buf_adds(out, " (");
		else
			buf_addc(out, '(');
		if (n->message != THREAD_NONE)
			put_message(out, n, view, uid);
		if (n->first != THREAD_NONE) {
			stack[++depth] = i;
			i = n->first;
			continue;
		}
		for (;;) {
			only = depth > 0 &&
			    t->nodes[stack[depth]].first == i &&
			    t->nodes[i].next == THREAD_NONE;
			if (!only)
				buf_addc(out, ')');
			if ((i = t->nodes[i].next) != THREAD_NONE ||
			    depth == 0)
				break;
			i = stack[depth--];
		}
	}
	return buf_ok(out) ? 0 : -1;
}

int
threads_put(struct buf *out, const struct threads *t, struct view *view,
    bool uid)
{
	uint32_t	*stack;
	int		 r;

	if ((stack = malloc((t->n + 1) * sizeof(*stack))) == NULL)
		return -1;
	r = put_thread(out, t, view, uid, stack);
	free(stack);
	return r;
}
