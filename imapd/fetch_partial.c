/* imapd/fetch_partial.c - places in messages that are taken piece by piece; pure. */
#include "imapd/fetch_partial.h"

#define NEAR	131072		/* octets: that is one who goes on, or nearly so */
#define FAR	1048576		/* worth a place on the way */

static bool
is_same(const struct partial_memo *a, const struct partial_memo *b)
{
	return a->size != 0 && a->size == b->size && a->inode == b->inode &&
	    a->device == b->device && a->changed == b->changed &&
	    a->from == b->from && a->decoded == b->decoded;
}

struct partial_memo
partial_resume(const struct partials *p, const struct partial_memo *begin,
    uint64_t skip)
{
	const struct partial_memo	*best = begin, *m;
	size_t				 i;

	for (i = 0; i < PARTIAL_PLACES; i++) {
		m = &p->place[i];
		if (is_same(m, begin) && m->made <= skip &&
		    m->made > best->made)
			best = m;
	}
	return *best;
}

static struct partial_memo *
slot_for(struct partials *p, const struct partial_memo *m,
    const struct partial_memo *reached_from, uint64_t wanted)
{
	struct partial_memo	*slot, *far = NULL;
	size_t			 i;

	for (i = 0; i < PARTIAL_PLACES; i++) {
		slot = &p->place[i];
		if (!is_same(slot, m))
			continue;
		if (slot->made == m->made || (wanted - reached_from->made <=
		    NEAR && slot->made == reached_from->made))
			return slot;
		if (slot->made > wanted)
			far = slot;
	}
	if (far != NULL)
		return far;
	p->next = (p->next + 1) % PARTIAL_PLACES;
	return &p->place[p->next];
}

void
partial_keep(struct partials *p, const struct partial_memo *m,
    const struct partial_memo *reached_from, uint64_t wanted)
{
	if (m->made > 0)
		*slot_for(p, m, reached_from, wanted) = *m;
}

bool
partial_is_halfway(const struct partial_memo *m,
    const struct partial_memo *reached_from, uint64_t wanted)
{
	uint64_t	way = wanted - reached_from->made;

	return way > FAR && m->made - reached_from->made >= way / 2 &&
	    m->made < wanted;
}
