/*
 * imapd/thread_links.c - steps 1 to 3 of THREAD=REFERENCES (RFC 5256): who answered whom. Run by the session; the references
 * came from anybody.
 */
#include <errno.h>
#include <stdlib.h>

#include "imapd/threading.h"
#include "imapd/sorting.h"

/* Steps up, all together: chains are seldom long, and what somebody has made to be searched for ever is cut. */
#define STEPS_MAX	(UINT32_C(1) << 26)

struct linking {
	struct threads		*t;
	struct thread_table	 ids;
	uint32_t		 steps;		/* that are left */
};

/* The set that a node is in; paths become shorter on the way. */
static uint32_t
set_of(struct threads *t, uint32_t i)
{
	while (t->nodes[i].set != i) {
		t->nodes[i].set = t->nodes[t->nodes[i].set].set;
		i = t->nodes[i].set;
	}
	return i;
}

/*
 * Would parent be below child? Nodes that were never connected cannot be, and one without children has nothing below it, so that
 * the way up is seldom gone.
 */
static bool
makes_loop(struct linking *l, uint32_t parent, uint32_t child)
{
	struct threads	*t = l->t;

	if (parent == child)
		return true;
	if (t->nodes[child].first == THREAD_NONE ||
	    set_of(t, parent) != set_of(t, child))
		return false;
	for (; l->steps > 0 && parent != THREAD_NONE && parent != child;
	    l->steps--)
		parent = t->nodes[parent].parent;
	return l->steps == 0 || parent == child;
}

/*
 * Children are counted only while links are made: whether there are any is all that is asked, and lists are made at the end,
 * when no link is broken any more.
 */
static void
link_child(struct threads *t, uint32_t parent, uint32_t child)
{
	struct thread_node	*p = &t->nodes[parent];

	t->nodes[child].parent = parent;
	p->first = child;
	t->nodes[set_of(t, child)].set = set_of(t, parent);
}

/* "<a@b> " of "<a@b> <c@d>": the next one. */
static bool
next_id(struct str *rest, struct str *id)
{
	size_t	n = 0;

	while (rest->n > 0 && *rest->p == ' ') {
		rest->p++;
		rest->n--;
	}
	if (rest->n == 0)
		return false;
	while (n < rest->n && !(n > 0 && rest->p[n - 1] == '>' &&
	    rest->p[n] == ' '))
		n++;
	*id = (struct str){ rest->p, n };
	rest->p += n;
	rest->n -= n;
	return true;
}

/* The node of a Message-ID, a dummy if there is none yet. */
static uint32_t
node_of(struct linking *l, struct str id)
{
	uint32_t	*at = thread_table_at(&l->ids, id);

	if (at == NULL)
		return THREAD_NONE;
	if (*at == THREAD_NONE)
		*at = thread_add(l->t, THREAD_NONE);
	return *at;
}

/* The node of a message: that of its id, unless another message has that. */
static uint32_t
message_node(struct linking *l, struct str id, uint32_t message)
{
	uint32_t	i;

	if (id.n == 0)
		return thread_add(l->t, message);
	if ((i = node_of(l, id)) == THREAD_NONE)
		return THREAD_NONE;
	if (l->t->nodes[i].message != THREAD_NONE)
		return thread_add(l->t, message);
	l->t->nodes[i].message = message;
	return i;
}

/* Steps 1 A and B for one message. */
static int
link_message(struct linking *l, uint32_t self, struct str references)
{
	struct threads	*t = l->t;
	uint32_t	 before = THREAD_NONE, i;
	struct str	 id;

	while (next_id(&references, &id)) {
		if ((i = node_of(l, id)) == THREAD_NONE)
			return -1;
		if (before != THREAD_NONE &&
		    t->nodes[i].parent == THREAD_NONE &&
		    !makes_loop(l, before, i))
			link_child(t, before, i);
		before = i;
	}
	t->nodes[self].parent = THREAD_NONE;
	if (before != THREAD_NONE && !makes_loop(l, before, self))
		link_child(t, before, self);
	return 0;
}

static int
link_one(struct linking *l, struct view *view, uint32_t message)
{
	struct cache_head	head;
	uint32_t		self;
	int64_t			sent;

	if (view_head(view, message, &head) == -1)
		return errno == ENOENT ? 0 : -1;
	if ((self = message_node(l, head.message_id, message)) ==
	    THREAD_NONE || link_message(l, self, head.references) == -1)
		return -1;
	if (head.has_date)
		sent = head.sent;
	else if (sort_sent(view, message, &sent) == -1)
		return errno == ENOENT ? 0 : -1;
	l->t->nodes[self].sent = sent;
	return 0;
}

/* Step 2, and the lists of children, in the order in which nodes came to be. */
static void
make_lists(struct threads *t)
{
	uint32_t	i, parent;

	for (i = 0; i < t->n; i++)
		t->nodes[i].first = t->nodes[i].last = t->nodes[i].next =
		    THREAD_NONE;
	for (i = 1; i < t->n; i++) {
		parent = t->nodes[i].parent;
		thread_append(t, parent == THREAD_NONE ? 0 : parent, i);
	}
}

/* A dummy gives its place to its children. */
static void
splice(struct threads *t, uint32_t parent, uint32_t dummy)
{
	struct thread_node	*p = &t->nodes[parent], *d = &t->nodes[dummy];

	if (d->first == THREAD_NONE)
		return;
	if (p->first == THREAD_NONE)
		p->first = d->first;
	else
		t->nodes[p->last].next = d->first;
	p->last = d->last;
}

/* Step 3 for the children of one node, when it has been done for all below them. */
static void
prune_children(struct threads *t, uint32_t parent)
{
	uint32_t		 i = t->nodes[parent].first, next;
	struct thread_node	*n;

	t->nodes[parent].first = t->nodes[parent].last = THREAD_NONE;
	for (; i != THREAD_NONE; i = next) {
		n = &t->nodes[i];
		next = n->next;
		n->next = THREAD_NONE;
		if (n->message != THREAD_NONE ||
		    (parent == 0 && n->first != n->last))
			thread_append(t, parent, i);
		else
			splice(t, parent, i);
	}
}

static int
prune(struct threads *t)
{
	uint32_t	*order;
	size_t		 i, n;

	if ((order = thread_preorder(t, &n)) == NULL)
		return -1;
	for (i = n; i-- > 0;)
		prune_children(t, order[i]);
	prune_children(t, 0);
	free(order);
	return 0;
}

int
thread_links(struct threads *t, struct view *view, const struct found *found,
    struct progress *progress)
{
	struct linking	l = { .t = t, .steps = STEPS_MAX };
	size_t		i;
	int		r;

	r = thread_table_init(&l.ids, found->n);
	for (i = 0; r == 0 && i < found->n; i++) {
		r = link_one(&l, view, found->at[i]);
		if (r == 0 && progress != NULL)
			r = progress_step(progress, i);
	}
	thread_table_free(&l.ids);
	if (r == -1)
		return -1;
	make_lists(t);
	return prune(t);
}
