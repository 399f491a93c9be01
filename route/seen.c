/* route/seen.c - a set of byte strings, by open addressing. */
#include "route/seen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST	64
#define SLOTS_KEPT	4096
#define BYTES_MAX	(64u << 20)

void
seen_init(struct seen *s)
{
	*s = (struct seen){ .nslots = 0 };
	buf_init(&s->bytes, BYTES_MAX);
}

void
seen_free(struct seen *s)
{
	buf_free(&s->bytes);
	free(s->slots);
	free(s->ends);
	seen_init(s);
}

void
seen_reset(struct seen *s)
{
	if (s->nslots > SLOTS_KEPT) {
		seen_free(s);
		return;
	}
	if (s->n > 0)
		memset(s->slots, 0, s->nslots * sizeof(*s->slots));
	s->n = 0;
	buf_reset(&s->bytes);
}

static uint32_t
hash(struct str s)
{
	uint32_t	h = 2166136261u;	/* FNV-1a */
	size_t		i;

	for (i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h ^ (h >> 15);
}

static struct str
member(const struct seen *s, uint32_t i)
{
	uint32_t	from = i == 0 ? 0 : s->ends[i - 1];

	return (struct str){ s->bytes.p + from, s->ends[i] - from };
}

/* The slot where it is or belongs; there is always a free one. */
static size_t
find(const struct seen *s, struct str what)
{
	size_t	i = hash(what) & (s->nslots - 1);

	while (s->slots[i] != 0 && !str_eq(member(s, s->slots[i] - 1), what))
		i = (i + 1) & (s->nslots - 1);
	return i;
}

static int
grow(struct seen *s)
{
	size_t		 n = s->nslots == 0 ? SLOTS_FIRST : s->nslots * 2;
	uint32_t	*slots, *ends, i;

	if ((slots = calloc(n, sizeof(*slots))) == NULL)
		return -1;
	if ((ends = reallocarray(s->ends, n, sizeof(*ends))) == NULL) {
		free(slots);
		return -1;
	}
	free(s->slots);
	s->slots = slots;
	s->ends = ends;
	s->nslots = n;
	for (i = 0; i < s->n; i++)
		s->slots[find(s, member(s, i))] = i + 1;
	return 0;
}

int
seen_add(struct seen *s, struct str what)
{
	size_t	i;

	if (s->n * 2 >= s->nslots && grow(s) == -1)
		return -1;
	i = find(s, what);
	if (s->slots[i] != 0)
		return 0;
	/* A member without bytes needs memory to point at, too. */
	if (buf_reserve(&s->bytes, what.n + 1) == -1 ||
	    buf_addstr(&s->bytes, what) == -1)
		return -1;
	s->ends[s->n++] = (uint32_t)s->bytes.n;
	s->slots[i] = (uint32_t)s->n;
	return 1;
}

bool
seen_has(const struct seen *s, struct str what)
{
	return s->nslots > 0 && s->slots[find(s, what)] != 0;
}
