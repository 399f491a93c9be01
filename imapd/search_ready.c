/* imapd/search_ready.c - a search program is made ready for a mailbox: sorted by cost, numbers and names looked up. Run by the session. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "imapd/numbers.h"
#include "imapd/search_run_impl.h"

static uint8_t
key_cost(const struct search_node *n)
{
	switch ((enum search_key)n->key) {
	case KEY_ALL:
	case KEY_AND:
	case KEY_OR:
	case KEY_FLAGS:
	case KEY_KEYWORD:
	case KEY_NUMBERS:
	case KEY_UIDS:
	case KEY_RESULT:
	case KEY_MODSEQ:
	case KEY_THREADID:
		return COST_NONE;
	case KEY_LARGER:
	case KEY_SMALLER:
		return COST_SIZE;
	case KEY_DATE:
		return n->date == DATE_SENT ? COST_HEAD : COST_INFO;
	case KEY_OLDER:
	case KEY_YOUNGER:
	case KEY_EMAILID:
		return COST_INFO;
	case KEY_HEADER:
		return n->field == FIELD_OTHER ? COST_HEADER : COST_HEAD;
	case KEY_BODY:
	case KEY_TEXT:
		return COST_TEXT;
	}
	return COST_TEXT;
}

/* Siblings in order of cost, those of one cost as they were; the largest cost is the parent's. */
static void
sort_children(struct search_node *parent)
{
	struct search_node	*heads[COSTS] = { NULL }, **tails[COSTS], *n,
				*next, **tail = &parent->child;
	unsigned		 i;

	for (i = 0; i < COSTS; i++)
		tails[i] = &heads[i];
	for (n = parent->child; n != NULL; n = next) {
		next = n->next;
		n->next = NULL;
		*tails[n->cost] = n;
		tails[n->cost] = &n->next;
		if (n->cost > parent->cost)
			parent->cost = n->cost;
	}
	for (i = 0; i < COSTS; i++) {
		*tail = heads[i];
		if (heads[i] != NULL)
			tail = tails[i];
	}
}

static void
number_nodes(struct search_node *n, uint32_t *slots, size_t *texts)
{
	struct search_node	*child;

	n->slot = (*slots)++;
	n->cost = key_cost(n);
	if (n->cost == COST_TEXT)
		(*texts)++;
	for (child = n->child; child != NULL; child = child->next)
		number_nodes(child, slots, texts);
	sort_children(n);
}

/* A set of UIDs that can be asked: '*' is known, and the client's is left as it was for other mailboxes. */
static int
uids_ready(struct search_run *r, const struct imap_set *in,
    struct imap_set *out)
{
	size_t	n = view_count(r->view);

	out->n = in->n;
	out->r = arena_get(&r->arena, (in->n + 1) * sizeof(*out->r));
	if (out->r == NULL)
		return -1;
	if (in->n > 0)
		memcpy(out->r, in->r, in->n * sizeof(*out->r));
	imap_set_end(out, n == 0 ? 0 : view_message(r->view, n - 1)->uid);
	return 0;
}

/* Sequence numbers become the UIDs that they mean now. */
static int
numbers_ready(struct search_run *r, const struct imap_set *in,
    struct imap_set *out)
{
	size_t		 count = view_count(r->view), i, n = 0;
	struct imap_range *range;

	if (uids_ready(r, in, out) == -1)
		return -1;
	if (in->n > 0)
		memcpy(out->r, in->r, in->n * sizeof(*out->r));
	out->n = in->n;
	imap_set_end(out, (uint32_t)count);
	for (i = 0; i < out->n; i++) {
		range = &out->r[i];
		if (range->from == 0 || range->from > count)
			continue;
		if (range->to > count)
			range->to = (uint32_t)count;
		out->r[n].from = view_message(r->view, range->from - 1)->uid;
		out->r[n++].to = view_message(r->view, range->to - 1)->uid;
	}
	out->n = n;
	return 0;
}

static int
result_ready(struct search_run *r, const struct search_result *result,
    struct imap_set *out)
{
	size_t	i, n = 0, count = result == NULL ? 0 : result->n;

	out->r = arena_get(&r->arena, (count + 1) * sizeof(*out->r));
	if (out->r == NULL)
		return -1;
	for (i = 0; i < count; i++)
		if (n > 0 && out->r[n - 1].to + 1 == result->uids[i])
			out->r[n - 1].to++;
		else
			out->r[n++] = (struct imap_range){ result->uids[i],
			    result->uids[i] };
	out->n = n;
	return 0;
}

static int
node_ready(struct search_run *r, struct session *s, struct search_node *n,
    size_t *texts)
{
	struct slot	*slot = &r->slots[n->slot];

	switch ((enum search_key)n->key) {
	case KEY_NUMBERS:
		return numbers_ready(r, &n->numbers, &slot->uids);
	case KEY_UIDS:
		return uids_ready(r, &n->numbers, &slot->uids);
	case KEY_RESULT:
		return result_ready(r, s->result, &slot->uids);
	case KEY_KEYWORD:
		slot->keyword = view_keyword_bit(r->view, n->text, false);
		return 0;
	case KEY_HEADER:
		slot->has_needle = true;
		return needle_begin(&slot->needle, n->text);
	case KEY_BODY:
	case KEY_TEXT:
		slot->text = (*texts)++;
		return text_key(&r->text, slot->text, n->text,
		    n->key == KEY_TEXT);
	case KEY_ALL:
	case KEY_AND:
	case KEY_OR:
	case KEY_FLAGS:
	case KEY_MODSEQ:
	case KEY_LARGER:
	case KEY_SMALLER:
	case KEY_DATE:
	case KEY_OLDER:
	case KEY_YOUNGER:
	case KEY_EMAILID:
	case KEY_THREADID:
		break;
	}
	return 0;
}

static int
nodes_ready(struct search_run *r, struct session *s, struct search_node *n,
    size_t *texts)
{
	struct search_node	*child;

	if (node_ready(r, s, n, texts) == -1)
		return -1;
	for (child = n->child; child != NULL; child = child->next)
		if (nodes_ready(r, s, child, texts) == -1)
			return -1;
	return 0;
}

int
search_begin(struct search_run **out, struct session *s, struct view *view,
    struct search_program *program)
{
	struct search_run	*r;
	uint32_t		 slots = 0;
	size_t			 texts = 0, i = 0;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return -1;
	*out = r;
	r->view = view;
	r->program = program;
	r->now = now_real().tv_sec;
	arena_init(&r->arena, 64u << 20);
	head_text_init(&r->head_text);
	number_nodes(program->root, &slots, &texts);
	r->nslots = slots;
	if (text_init(&r->text, view, texts) == -1 ||
	    (r->slots = calloc(slots, sizeof(*r->slots))) == NULL ||
	    nodes_ready(r, s, program->root, &i) == -1) {
		search_free(out);
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

/* What is meant by '*' in a set of UIDs (of numbers it stays what it was, RFC 5267 4.3), and bits of keywords. */
static void
nodes_again(struct search_run *r, const struct search_node *n)
{
	const struct search_node	*child;
	struct imap_set			*uids = &r->slots[n->slot].uids;
	size_t				 count = view_count(r->view);

	if (n->key == KEY_KEYWORD)
		r->slots[n->slot].keyword = view_keyword_bit(r->view, n->text,
		    false);
	if (n->key == KEY_UIDS && n->numbers.n > 0) {
		memcpy(uids->r, n->numbers.r, n->numbers.n * sizeof(*uids->r));
		uids->n = n->numbers.n;
		imap_set_end(uids, count == 0 ? 0 :
		    view_message(r->view, count - 1)->uid);
	}
	for (child = n->child; child != NULL; child = child->next)
		nodes_again(r, child);
}

void
search_again(struct search_run *r)
{
	r->now = now_real().tv_sec;
	nodes_again(r, r->program->root);
}

void
search_free(struct search_run **r)
{
	size_t	i;

	if (*r == NULL)
		return;
	for (i = 0; (*r)->slots != NULL && i < (*r)->nslots; i++)
		if ((*r)->slots[i].has_needle)
			needle_free(&(*r)->slots[i].needle);
	text_free(&(*r)->text);
	head_text_free(&(*r)->head_text);
	arena_free(&(*r)->arena);
	free((*r)->slots);
	free(*r);
	*r = NULL;
}
