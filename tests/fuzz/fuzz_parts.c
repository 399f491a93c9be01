/*
 * tests/fuzz/fuzz_parts.c - any bytes as a message: its parts are in order and in one another, and the same however it is
 * cut into pieces. The first two bytes choose the pieces.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/parts.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct parts *
parse(struct arena *a, struct str in, size_t first, size_t piece)
{
	struct parts	*p;
	size_t		 at, n = first;

	arena_init(a, PARTS_ARENA_MAX);
	if ((p = parts_begin(a)) == NULL)
		abort();
	for (at = 0; at < in.n; at += n, n = piece) {
		if (n > in.n - at)
			n = in.n - at;
		if (parts_feed(p, (struct str){ in.p + at, n }) == -1)
			abort();
	}
	if (parts_end(p) == -1)
		abort();
	return p;
}

static void
check_part(struct str in, const struct part *list, size_t n, size_t i)
{
	const struct part	*p = &list[i], *up = &list[p->parent];
	uint64_t		 lines = 0, bare = 0, k;

	if (p->header > p->body || p->body > p->end || p->end > in.n ||
	    p->kind > PART_MESSAGE)
		abort();
	if (p->next >= n || p->child >= n || (i > 0 && p->parent >= i) ||
	    (p->next != 0 && (p->next <= i || list[p->next].parent != p->parent ||
	    list[p->next].header < p->end)) ||
	    (p->child != 0 && (p->child <= i || list[p->child].parent != i)))
		abort();
	if (i > 0 && (p->header < up->body || p->end > up->end ||
	    up->kind == PART_LEAF))
		abort();
	if (p->kind == PART_MESSAGE && (p->child == 0 ||
	    list[p->child].next != 0 || list[p->child].header != p->body ||
	    list[p->child].end != p->end))
		abort();
	for (k = p->body; k < p->end; k++)
		if (in.p[k] == '\n') {
			lines++;
			bare += k == 0 || in.p[k - 1] != '\r';
		}
	if (lines != p->body_lines || p->end - p->body + bare != p->body_wire)
		abort();
}

static void
check_same(const struct parts *p, const struct parts *q)
{
	const struct part_fields	*f, *g;
	const struct part		*a, *b;
	size_t				 i, n, m;

	a = parts_list(p, &n);
	b = parts_list(q, &m);
	if (n != m || memcmp(a, b, n * sizeof(*a)) != 0)
		abort();
	for (i = 0; i < n; i++) {
		f = parts_fields(p, i);
		g = parts_fields(q, i);
		if (!str_eq(f->type, g->type) ||
		    !str_eq(f->subtype, g->subtype) ||
		    !str_eq(f->description, g->description) ||
		    !str_eq(f->header, g->header) ||
		    (f->params == NULL) != (g->params == NULL))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str		 in;
	struct arena		 a, b;
	struct parts		*p, *q;
	const struct part	*list;
	size_t			 i, n;

	if (size < 2)
		return 0;
	in = (struct str){ (const char *)data + 2, size - 2 };
	p = parse(&a, in, in.n, in.n);
	list = parts_list(p, &n);
	if (n == 0 || n > PARTS_MAX || list->header != 0 || list->end != in.n)
		abort();
	for (i = 0; i < n; i++)
		check_part(in, list, n, i);
	q = parse(&b, in, data[0] + 1u, data[1] % 32u + 1u);
	check_same(p, q);
	arena_free(&a);
	arena_free(&b);
	return 0;
}
