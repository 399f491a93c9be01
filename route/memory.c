/* route/memory.c - a sorted table in memory. */
#include "route/memory.h"

#include <stdlib.h>

#define TEXT_MAX	(2048ul << 20)

void
memory_init(struct memory *m)
{
	*m = (struct memory){ .n = 0 };
	buf_init(&m->text, TEXT_MAX);
}

void
memory_free(struct memory *m)
{
	buf_free(&m->text);
	free(m->rows);
	memory_init(m);
}

int
memory_add(struct memory *m, struct str key, struct str value,
    const char *file, unsigned line)
{
	struct memory_row	*rows;
	size_t			 cap;

	if (m->n == m->cap) {
		cap = m->cap == 0 ? 64 : m->cap * 2;
		rows = reallocarray(m->rows, cap, sizeof(*rows));
		if (rows == NULL)
			return -1;
		m->rows = rows;
		m->cap = cap;
	}
	rows = &m->rows[m->n];
	*rows = (struct memory_row){ m->text.n, m->text.n + key.n, key.n,
	    value.n, file, line };
	if (buf_addstr(&m->text, key) == -1 ||
	    buf_addstr(&m->text, value) == -1)
		return -1;
	m->n++;
	return 0;
}

struct str
memory_key(const struct memory *m, const struct memory_row *r)
{
	return (struct str){ m->text.p + r->key, r->key_n };
}

struct str
memory_value(const struct memory *m, const struct memory_row *r)
{
	return (struct str){ m->text.p + r->value, r->value_n };
}

/* Of equal keys the one that was read first comes first. */
static int
by_key(const void *a, const void *b, void *arg)
{
	const struct memory_row	*x = a, *y = b;
	const struct memory	*m = arg;
	int			 r;

	r = str_cmp(memory_key(m, x), memory_key(m, y));
	if (r != 0)
		return r;
	return x->key < y->key ? -1 : x->key > y->key;
}

void
memory_sort(struct memory *m, void (*twice)(void *, const struct memory_row *,
    const struct memory_row *), void *arg)
{
	size_t	i, first = 0;

	if (m->n > 1)
		qsort_r(m->rows, m->n, sizeof(*m->rows), by_key, m);
	for (i = 1; i < m->n; i++) {
		if (str_eq(memory_key(m, &m->rows[first]),
		    memory_key(m, &m->rows[i])))
			twice(arg, &m->rows[first], &m->rows[i]);
		else
			first = i;
	}
}

bool
memory_get(const struct memory *m, struct str key, struct str *value)
{
	size_t	from = 0, to = m->n, mid;
	int	r;

	while (from < to) {
		mid = from + (to - from) / 2;
		r = str_cmp(key, memory_key(m, &m->rows[mid]));
		if (r == 0) {
			*value = memory_value(m, &m->rows[mid]);
			return true;
		}
		if (r < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return false;
}
