/* imapd/numbers.c - sets of messages, as numbers of the view. */
#include "imapd/numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint32_t
numbers_largest(const struct session *s, bool uid)
{
	size_t	n = view_count(s->view);

	if (n == 0)
		return 0;
	return uid ? view_message(s->view, n - 1)->uid : (uint32_t)n;
}

static size_t
lower(const struct session *s, bool uid, uint32_t number)
{
	return uid ? view_find(s->view, number) : number - 1;
}

/* From number r->from (incl.) to to (excl.) of the view. */
static void
bounds(const struct session *s, const struct imap_range *r, bool uid,
    size_t *from, size_t *to)
{
	size_t	n = view_count(s->view);

	*from = lower(s, uid, r->from);
	*to = r->to == UINT32_MAX ? n : lower(s, uid, r->to + 1);
	if (*from > n)
		*from = n;
	if (*to > n)
		*to = n;
}

int
numbers_resolve(struct session *s, const struct imap_set *set, bool uid,
    size_t **at, size_t *n)
{
	size_t	i, from, to, k, sum = 0;

	for (i = 0; i < set->n; i++) {
		bounds(s, &set->r[i], uid, &from, &to);
		sum += to - from;
	}
	*at = arena_get(&s->memory, (sum + 1) * sizeof(**at));
	if (*at == NULL)
		return -1;
	*n = 0;
	for (i = 0; i < set->n; i++) {
		bounds(s, &set->r[i], uid, &from, &to);
		for (k = from; k < to; k++)
			(*at)[(*n)++] = k;
	}
	return 0;
}

static int
saved(struct session *s, size_t **at, size_t *n)
{
	const struct search_result *r = s->result;
	size_t			 i, k, have = r == NULL ? 0 : r->n;

	*n = 0;
	*at = arena_get(&s->memory, (have + 1) * sizeof(**at));
	if (*at == NULL)
		return -1;
	for (i = 0; i < have; i++) {
		k = view_find(s->view, r->uids[i]);
		if (k < view_count(s->view) &&
		    view_message(s->view, k)->uid == r->uids[i])
			(*at)[(*n)++] = k;
	}
	return 0;
}

/* Before imap_set_end: it makes "9:*" of 8 messages the last one, which is right for UIDs. */
static bool
beyond(const struct imap_set *set, uint32_t largest)
{
	size_t	i;

	for (i = 0; i < set->n; i++)
		if (set->r[i].from > largest || set->r[i].to > largest)
			return true;
	return largest == 0;
}

bool
numbers_take(struct session *s, struct command *c, bool uid, size_t **at,
    size_t *n)
{
	struct imap_set	set;
	uint32_t	largest = numbers_largest(s, uid);
	int		r;

	if (cur_byte(&c->args, '$'))
		r = saved(s, at, n);
	else if (!imap_set(&c->args, &s->memory, &set)) {
		command_bad(c, "this is no set of messages");
		return false;
	} else {
		if (!uid && beyond(&set, largest)) {
			command_bad(c, "there is no message of that number");
			return false;
		}
		imap_set_end(&set, largest);
		r = numbers_resolve(s, &set, uid, at, n);
	}
	if (r == -1)
		command_failed(s, c, "number the messages");
	return r == 0;
}

int
result_set(struct session *s, const uint32_t *uids, size_t n)
{
	struct search_result	*r = s->result;
	uint32_t		*copy;

	if (r == NULL && (r = s->result = calloc(1, sizeof(*r))) == NULL)
		return -1;
	if ((copy = malloc((n + 1) * sizeof(*copy))) == NULL)
		return -1;
	if (n > 0)
		memcpy(copy, uids, n * sizeof(*copy));
	free(r->uids);
	r->uids = copy;
	r->n = n;
	return 0;
}

void
result_clear(struct session *s)
{
	if (s->result == NULL)
		return;
	free(s->result->uids);
	free(s->result);
	s->result = NULL;
}
