/* queue/waiting.c - a binary heap; pure but for its memory. */
#include "queue/waiting.h"

#include <stdlib.h>

#define CAP_FIRST	64u

static void
swap(struct waiting *a, struct waiting *b)
{
	struct waiting	t = *a;

	*a = *b;
	*b = t;
}

static void
up(struct waiting_heap *h, size_t i)
{
	for (; i > 0 && h->w[i].due < h->w[(i - 1) / 2].due; i = (i - 1) / 2)
		swap(&h->w[i], &h->w[(i - 1) / 2]);
}

static void
down(struct waiting_heap *h, size_t i)
{
	size_t	least = i, child;

	for (;;) {
		for (child = 2 * i + 1; child <= 2 * i + 2; child++)
			if (child < h->n && h->w[child].due < h->w[least].due)
				least = child;
		if (least == i)
			return;
		swap(&h->w[i], &h->w[least]);
		i = least;
	}
}

int
waiting_add(struct waiting_heap *h, struct waiting w)
{
	size_t		 cap = h->cap + h->cap / 2 + CAP_FIRST;
	struct waiting	*more;

	if (h->n == h->cap) {
		more = reallocarray(h->w, cap, sizeof(*more));
		if (more == NULL)
			return -1;
		h->w = more;
		h->cap = cap;
	}
	h->w[h->n] = w;
	up(h, h->n++);
	return 0;
}

void
waiting_order(struct waiting_heap *h)
{
	size_t	i;

	for (i = h->n / 2; i-- > 0; )
		down(h, i);
}

void
waiting_remove(struct waiting_heap *h, size_t i)
{
	struct waiting	*less;
	size_t		 cap = h->n + h->n / 2 + CAP_FIRST;

	h->w[i] = h->w[--h->n];
	if (i < h->n) {
		up(h, i);
		down(h, i);
	}
	/* What a great queue needed is given back when it has gone. */
	if (h->n < h->cap / 4 && cap < h->cap &&
	    (less = reallocarray(h->w, cap, sizeof(*less))) != NULL) {
		h->w = less;
		h->cap = cap;
	}
}

size_t
waiting_find(const struct waiting_heap *h, struct id id)
{
	size_t	i;

	for (i = 0; i < h->n; i++)
		if (id_eq(h->w[i].id, id))
			break;
	return i;
}

void
waiting_free(struct waiting_heap *h)
{
	free(h->w);
	*h = (struct waiting_heap){ NULL, 0, 0 };
}

int64_t
waiting_delay(int64_t age, int64_t first, int64_t max, uint32_t chance)
{
	int64_t	delay = age;

	if (delay < first)
		delay = first;
	if (delay > max)
		delay = max;
	return delay + (int64_t)((uint64_t)(delay / 10) * chance / UINT32_MAX);
}
