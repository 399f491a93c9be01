/* imapd/list_tree.c - folders and what is below them; pure. */
#include <stdlib.h>
#include <string.h>

#include "common/store/store.h"
#include "imapd/list_tree.h"

static int
by_name(const void *pa, const void *pb)
{
	const struct list_row	*a = pa, *b = pb;

	return store_name_cmp(a->folder, b->folder);
}

static size_t
merge(struct list_row *rows, size_t n)
{
	size_t	i, k = 0;

	for (i = 1; i < n; i++) {
		if (by_name(&rows[k], &rows[i]) != 0) {
			rows[++k] = rows[i];
			continue;
		}
		rows[k].marks |= rows[i].marks;
		if (rows[k].use == 0)
			rows[k].use = rows[i].use;
	}
	return n == 0 ? 0 : k + 1;
}

/* "INBOX.a" is below the inbox, whose row is "". */
static bool
is_inboxs(const struct list_row *rows, size_t i)
{
	return *rows[0].folder == '\0' &&
	    (strcmp(rows[i].folder, "INBOX") == 0 ||
	    store_is_below(rows[i].folder, "INBOX"));
}

size_t
list_tree_link(struct list_row *rows, size_t n, bool top)
{
	size_t	i, up;

	qsort(rows, n, sizeof(*rows), by_name);
	n = merge(rows, n);
	for (i = 0; i < n; i++) {
		/* The row before it, or one of those that that one is below. */
		up = i == 0 ? 0 : i - 1;
		while (!store_is_below(rows[i].folder, rows[up].folder) &&
		    rows[up].parent != up)
			up = rows[up].parent;
		if (i > 0 && store_is_below(rows[i].folder, rows[up].folder))
			rows[i].parent = (uint32_t)up;
		else
			rows[i].parent = (uint32_t)(top || is_inboxs(rows, i) ?
			    0 : i);
	}
	return n;
}

void
list_tree_sum(struct list_row *rows, size_t n)
{
	struct list_row	*r, *up;

	while (n-- > 0) {
		r = &rows[n];
		up = &rows[r->parent];
		if (up == r)
			continue;
		if (r->marks & (ROW_EXISTS | ROW_CHILDREN))
			up->marks |= ROW_CHILDREN;
		if (r->marks & (ROW_MEETS | ROW_MEETS_BELOW))
			up->marks |= ROW_MEETS_BELOW;
		if ((r->marks & ROW_LOST_BELOW) != 0 ||
		    (r->marks & (ROW_MEETS | ROW_MATCHES)) == ROW_MEETS)
			up->marks |= ROW_LOST_BELOW;
	}
}
