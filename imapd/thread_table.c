/* imapd/thread_table.c - a hash table from strings to numbers. Run by the session; the strings came from anybody, so its hash has a secret. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/threading.h"

#define TEXT_MAX	(1u << 30)

static uint64_t
hash_of(const struct thread_table *t, struct str s)
{
	uint64_t	h = t->secret ^ s.n, word;
	size_t		n;

	for (; s.n > 0; s.p += n, s.n -= n) {
		n = s.n < sizeof(word) ? s.n : sizeof(word);
		word = 0;
		memcpy(&word, s.p, n);
		h = (h ^ word) * (t->secret | 1);
		h ^= h >> 31;
	}
	return h * UINT64_C(0x9e3779b97f4a7c15);
}

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
	arc4random_buf(&t->secret, sizeof(t->secret));
	buf_init(&t->text, TEXT_MAX);
	while (n < expected * 3)
		n *= 2;
	return slots_make(t, n);
}

void
thread_table_free(struct thread_table *t)
{
	free(t->slots);
	t->slots = NULL;
	buf_free(&t->text);
}

static struct thread_slot *
slot_of(struct thread_table *t, struct str s, uint64_t hash)
{
	size_t			 i = hash >> 20 & (t->nslots - 1);
	struct thread_slot	*slot;

	for (;; i = (i + 1) & (t->nslots - 1)) {
		slot = &t->slots[i];
		if (!slot->used || (slot->hash == hash && slot->n == s.n &&
		    memcmp(t->text.p + slot->from, s.p, s.n) == 0))
			return slot;
	}
}

static int
grow(struct thread_table *t)
{
	struct thread_slot	*old = t->slots;
	size_t			 i, j, n = t->nslots;

	if (slots_make(t, n * 2) == -1) {
		t->slots = old;
		return -1;
	}
	for (i = 0; i < n; i++) {
		if (!old[i].used)
			continue;
		j = old[i].hash >> 20 & (t->nslots - 1);
		while (t->slots[j].used)
			j = (j + 1) & (t->nslots - 1);
		t->slots[j] = old[i];
	}
	free(old);
	return 0;
}

uint32_t *
thread_table_at(struct thread_table *t, struct str s)
{
	uint64_t		 hash = hash_of(t, s);
	struct thread_slot	*slot = slot_of(t, s, hash);

	if (slot->used)
		return &slot->value;
	if (t->used >= t->nslots / 2) {
		if (grow(t) == -1)
			return NULL;
		slot = slot_of(t, s, hash);
	}
	if (t->text.n > UINT32_MAX / 2 || buf_addstr(&t->text, s) == -1)
		return NULL;
	t->used++;
	*slot = (struct thread_slot){ hash, (uint32_t)(t->text.n - s.n),
	    (uint32_t)s.n, THREAD_NONE, true };
	return &slot->value;
}
