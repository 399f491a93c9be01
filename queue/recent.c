/* queue/recent.c - who was tried a short time ago; pure but for its memory. */
#include "queue/recent.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS	65536u

struct slot {
	uint64_t	who;	/* a hash; that of another makes this one wait, no more */
	int64_t		until;
};

struct recent {
	struct slot	slots[SLOTS];
};

static uint64_t
who(struct id id, size_t rcpt)
{
	uint64_t	h = id.time_us ^ (id.random << 16);

	h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ rcpt) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ (h >> 33);
}

int
recent_new(struct recent **out)
{
	return (*out = calloc(1, sizeof(**out))) == NULL ? -1 : 0;
}

void
recent_free(struct recent **r)
{
	free(*r);
	*r = NULL;
}

void
recent_add(struct recent *r, struct id id, size_t rcpt, int64_t until)
{
	uint64_t	h = who(id, rcpt);

	if (r != NULL)
		r->slots[h % SLOTS] = (struct slot){ h, until };
}

int64_t
recent_until(const struct recent *r, struct id id, size_t rcpt, int64_t now)
{
	uint64_t	h = who(id, rcpt);

	if (r == NULL || r->slots[h % SLOTS].who != h ||
	    r->slots[h % SLOTS].until <= now)
		return 0;
	return r->slots[h % SLOTS].until;
}

void
recent_clear(struct recent *r)
{
	if (r != NULL)
		memset(r, 0, sizeof(*r));
}
