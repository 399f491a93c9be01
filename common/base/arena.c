/* common/base/arena.c - blocks in a list; the newest is filled. */
#include "common/base/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE	2048u

struct arena_block {
	struct arena_block	*next;
	size_t			 used, size;
	alignas(max_align_t) char bytes[];
};

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){ NULL, 0, max };
}

static struct arena_block *
block_with(struct arena *a, size_t n)
{
	struct arena_block	*b = a->blocks;
	size_t			 size = n > BLOCK_SIZE ? n : BLOCK_SIZE;

	if (b != NULL && b->size - b->used >= n)
		return b;
	if ((b = malloc(sizeof(*b) + size)) == NULL)
		return NULL;
	b->next = a->blocks;
	b->used = 0;
	b->size = size;
	a->blocks = b;
	return b;
}

void *
arena_get(struct arena *a, size_t n)
{
	struct arena_block	*b;
	void			*p;

	/* rounded up, and with a block's head, it must not wrap */
	if (n > SIZE_MAX / 2 || n > a->max - a->used) {
		errno = EMSGSIZE;
		return NULL;
	}
	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (n > a->max - a->used) {
		errno = EMSGSIZE;
		return NULL;
	}
	if ((b = block_with(a, n)) == NULL)
		return NULL;
	p = b->bytes + b->used;
	b->used += n;
	a->used += n;
	memset(p, 0, n);
	return p;
}

int
arena_dup(struct arena *a, struct str s, struct str *out)
{
	char	*p;

	if (s.n >= a->max || (p = arena_get(a, s.n + 1)) == NULL) {
		if (s.n >= a->max)
			errno = EMSGSIZE;
		return -1;
	}
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	out->p = p;
	out->n = s.n;
	return 0;
}

void
arena_free(struct arena *a)
{
	struct arena_block	*b;

	while ((b = a->blocks) != NULL) {
		a->blocks = b->next;
		free(b);
	}
	a->used = 0;
}
