/* imapd/thread_table.c - a hash table from strings to numbers. Run by the session; the strings came from anybody, so its hash has a secret. */
#include <stdlib.h>
#include <string.h>

#include "imapd/threading.h"

static int
slots_make(struct thread_table *t, size_t n)
{
	size_t	i;

	if ((t->slots = malloc(n * sizeof(*t->slots))) == NULL)
		return -1;
	t->nslots = n;
	for (i = 0; i < n; i++)
		t->slots[i].used = false;
	return 0;
}

int
thread_table_init(struct thread_table *t, size_t expected)
{
	size_t	n = 64;

	memset(t, 0, sizeof(*t));
	arc4random_buf(t->secret, sizeof(t->secret));
	while (n < expected * 2)
		n *= 2;
	return slots_make(t, n);
}

void
thread_table_free(struct thread_table *t)
{
	free(t->slots);
	t->slots = NULL;
}

static struct thread_slot *
slot_of(struct thread_table *t, struct siphash hash)
{
	size_t			 i = hash.w[0] & (t->nslots - 1);
	struct thread_slot	*slot;

	for (;; i = (i + 1) & (t->nslots - 1)) {
		slot = &t->slots[i];
		if (!slot->used || (slot->hash.w[0] == hash.w[0] &&
		    slot->hash.w[1] == hash.w[1]))
			return slot;
	}
}

static int
grow(struct thread_table *t)
{
	struct thread_slot	*old = t->slots;
	size_t			 i, n = t->nslots;

	if (slots_make(t, n * 2) == -1) {
		t->slots = old;
		return -1;
	}
	for (i = 0; i < n; i++)
		if (old[i].used)
			*slot_of(t, old[i].hash) = old[i];
	free(old);
	return 0;
}

uint32_t *
thread_table_at(struct thread_table *t, struct str s)
{
	struct siphash		 hash = siphash(t->secret, s);
	struct thread_slot	*slot = slot_of(t, hash);

	if (slot->used)
		return &slot->value;
	if (t->used >= t->nslots / 2) {
		if (grow(t) == -1)
			return NULL;
		slot = slot_of(t, hash);
	}
	t->used++;
	*slot = (struct thread_slot){ hash, THREAD_NONE, true };
	return &slot->value;
}
