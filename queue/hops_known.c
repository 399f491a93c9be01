/*
 * queue/hops_known.c - domains that are asked about or known, found by name; of
 * the known ones those go that were not used for longest.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/hops.h"

#define KNOWN_MAX	20000u
#define KNOWN_BYTES	(16u << 20)

static struct entry **
bucket(struct hops *hs, const char *domain)
{
	uint64_t	h = hs->seed;

	for (; *domain != '\0'; domain++)
		h = (h ^ (unsigned char)*domain) * UINT64_C(0x100000001b3);
	return &hs->by_domain[(h ^ (h >> 32)) % HOPS_BUCKETS];
}

struct entry *
known_find(struct hops *hs, const char *domain)
{
	struct entry	*e;

	for (e = *bucket(hs, domain); e != NULL; e = e->same)
		if (strcmp(e->domain, domain) == 0)
			return e;
	return NULL;
}

struct entry *
known_new(struct hops *hs, const char *domain)
{
	struct entry	*e, **b = bucket(hs, domain);

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	if ((e->domain = strdup(domain)) == NULL) {
		free(e);
		return NULL;
	}
	TAILQ_INIT(&e->tasks);
	e->same = *b;
	*b = e;
	e->state = ENTRY_WANTED;
	TAILQ_INSERT_TAIL(&hs->wanted, e, link);
	return e;
}

static struct entry_list *
list_of(struct hops *hs, const struct entry *e)
{
	return e->state == ENTRY_WANTED ? &hs->wanted :
	    e->state == ENTRY_ASKED ? &hs->asked : &hs->known;
}

void
known_set_state(struct hops *hs, struct entry *e, enum entry_state next)
{
	TAILQ_REMOVE(list_of(hs, e), e, link);
	hs->nasked -= e->state == ENTRY_ASKED;
	hs->nknown -= e->state == ENTRY_KNOWN;
	e->state = next;
	TAILQ_INSERT_TAIL(list_of(hs, e), e, link);
	hs->nasked += next == ENTRY_ASKED;
	hs->nknown += next == ENTRY_KNOWN;
}

void
known_forget_answer(struct hops *hs, struct entry *e)
{
	if (e->hop != NULL)
		hs->bytes -= e->hop->rec.n;
	hop_release(&e->hop);
}

void
known_free(struct hops *hs, struct entry *e)
{
	struct entry	**at = bucket(hs, e->domain);

	while (*at != e)
		at = &(*at)->same;
	*at = e->same;
	known_set_state(hs, e, ENTRY_KNOWN);
	TAILQ_REMOVE(&hs->known, e, link);
	hs->nknown--;
	known_forget_answer(hs, e);
	free(e->domain);
	free(e);
}

void
known_forget_oldest(struct hops *hs)
{
	while (hs->nknown > KNOWN_MAX ||
	    (hs->bytes > KNOWN_BYTES && hs->nknown > 1))
		known_free(hs, TAILQ_FIRST(&hs->known));
}
