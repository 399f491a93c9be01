/* imapd/ordered.c - what is taken out is counted in a tree of sums until there is time to close the gaps. */
#include "imapd/ordered.h"

#include <errno.h>
#include <stdlib.h>

struct ordered_row {
	uint32_t	uid;
	uint32_t	at;
};

static int
by_uid(const void *pa, const void *pb)
{
	const struct ordered_row	*a = pa, *b = pb;

	return a->uid < b->uid ? -1 : a->uid > b->uid;
}

static int
begin(struct ordered *o)
{
	size_t	i;

	o->rows = malloc((o->n + 1) * sizeof(*o->rows));
	o->gone = calloc(o->n + 1, sizeof(*o->gone));
	if (o->rows == NULL || o->gone == NULL) {
		ordered_settle(o);
		errno = ENOMEM;
		return -1;
	}
	for (i = 0; i < o->n; i++)
		o->rows[i] = (struct ordered_row){ o->uids[i], (uint32_t)i };
	if (o->n > 1)
		qsort(o->rows, o->n, sizeof(*o->rows), by_uid);
	return 0;
}

/* How many in front of this one are gone? */
static size_t
gone_before(const struct ordered *o, size_t at)
{
	size_t	sum = 0;

	for (; at > 0; at -= at & -at)
		sum += o->gone[at];
	return sum;
}

static void
mark_gone(struct ordered *o, size_t at)
{
	o->uids[at] = 0;
	o->taken++;
	for (at++; at <= o->n; at += at & -at)
		o->gone[at]++;
}

int
ordered_take(struct ordered *o, uint32_t uid, size_t *place)
{
	struct ordered_row	 key = { .uid = uid };
	const struct ordered_row *row;

	*place = 0;
	if (o->n == 0)
		return 0;
	if (o->rows == NULL && begin(o) == -1)
		return -1;
	row = bsearch(&key, o->rows, o->n, sizeof(*o->rows), by_uid);
	if (row == NULL || o->uids[row->at] == 0)
		return 0;
	*place = row->at - gone_before(o, row->at) + 1;
	mark_gone(o, row->at);
	return 0;
}

void
ordered_settle(struct ordered *o)
{
	size_t	i, kept = 0;

	free(o->rows);
	free(o->gone);
	o->rows = NULL;
	o->gone = NULL;
	if (o->taken == 0)
		return;
	for (i = 0; i < o->n; i++)
		if (o->uids[i] != 0)
			o->uids[kept++] = o->uids[i];
	o->n = kept;
	o->taken = 0;
}

void
ordered_set(struct ordered *o, uint32_t *uids, size_t n)
{
	ordered_free(o);
	o->uids = uids;
	o->n = n;
}

void
ordered_free(struct ordered *o)
{
	free(o->uids);
	free(o->rows);
	free(o->gone);
	*o = (struct ordered){ .uids = NULL };
}
