/* imapd/search_run.c - which messages match a search program. Run by the session. */
#include "imapd/search_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "imapd/head_text.h"
#include "imapd/numbers.h"
#include "imapd/search_text.h"

#define DAY	86400

enum { COST_NONE, COST_SIZE, COST_INFO, COST_HEAD, COST_HEADER, COST_TEXT, COSTS };

/* What belongs to a node in this run, by the node's slot. */
struct slot {
	struct imap_set	 uids;
	uint32_t	 keyword;
	size_t		 text;		/* number of its key in text */
	struct needle	 needle;
	bool		 has_needle;
};

struct search_run {
	struct view		*view;
	const struct search_program *program;
	struct slot		*slots;
	size_t			 nslots;
	struct arena		 arena;		/* sets */
	int64_t			 now;
	struct head_text	 head_text;
	struct text		 text;
	/* of the message under way */
	size_t			 at;
	const struct view_message *m;
	struct view_info	 info;
	struct cache_head	 head;
	bool			 has_info, has_head, has_text;
	int			 error;		/* errno, ENOENT: it is gone */
};

/* ---- made ready */

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

static void
keywords_again(struct search_run *r, const struct search_node *n)
{
	const struct search_node	*child;

	if (n->key == KEY_KEYWORD)
		r->slots[n->slot].keyword = view_keyword_bit(r->view, n->text,
		    false);
	for (child = n->child; child != NULL; child = child->next)
		keywords_again(r, child);
}

void
search_again(struct search_run *r)
{
	r->now = now_real().tv_sec;
	keywords_again(r, r->program->root);
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

/* ---- asked */

static bool
failed(struct search_run *r)
{
	r->error = errno == 0 ? EIO : errno;
	return false;
}

static bool
need_info(struct search_run *r)
{
	if (!r->has_info && view_info(r->view, r->at, &r->info) == -1)
		return failed(r);
	r->has_info = true;
	return true;
}

static bool
need_head(struct search_run *r)
{
	if (!r->has_head && view_head(r->view, r->at, &r->head) == -1)
		return failed(r);
	r->has_head = true;
	return true;
}

/* As a quotient that is rounded down, also before 1970. */
static int64_t
day_of(int64_t seconds)
{
	return seconds >= 0 ? seconds / DAY : -((DAY - 1 - seconds) / DAY);
}

/*
 * Of Date: the day as it stands there, long ago if it does not say, as with Dovecot; the others by UTC, as INTERNALDATE is shown.
 */
static bool
date_match(struct search_run *r, const struct search_node *n)
{
	int64_t	day, want = (int64_t)n->value;

	if (n->date == DATE_SENT) {
		if (!need_head(r))
			return false;
		day = r->head.has_date ?
		    day_of(r->head.sent + r->head.zone * 60) : 0;
	} else {
		if (!need_info(r))
			return false;
		day = day_of(n->date == DATE_SAVED ? r->info.saved :
		    r->info.internal_date);
	}
	switch ((enum search_when)n->when) {
	case WHEN_BEFORE:
		return day < want;
	case WHEN_ON:
		return day == want;
	case WHEN_SINCE:
		return day >= want;
	}
	return false;
}

static bool
size_match(struct search_run *r, const struct search_node *n)
{
	uint64_t	size;

	if (view_size(r->view, r->at, &size) == -1)
		return failed(r);
	return n->key == KEY_LARGER ? size > n->value : size < n->value;
}

/* How long ago it came; what is to come is no older than now. */
static bool
age_match(struct search_run *r, const struct search_node *n)
{
	uint64_t	age = 0;

	if (!need_info(r))
		return false;
	if (r->info.internal_date < r->now)
		age = (uint64_t)(r->now - r->info.internal_date);
	return n->key == KEY_OLDER ? age >= n->value : age <= n->value;
}

static bool
header_match(struct search_run *r, const struct search_node *n)
{
	struct needle	*needle = &r->slots[n->slot].needle;
	struct str	 header;
	bool		 found;

	if (n->field != FIELD_OTHER) {
		if (!need_head(r))
			return false;
		if (head_text_match(&r->head_text, r->head.envelope,
		    (enum search_field)n->field, needle, &found) == -1)
			return failed(r);
		if (found || needle->word.n > 0)
			return found;
		/* Is there such a field at all? One that is empty is none in an ENVELOPE. */
		r->has_head = false;
	}
	if (text_header(&r->text, r->at, &header) == -1)
		return failed(r);
	if (head_text_fields(&r->head_text, header, n->name, needle,
	    &found) == -1)
		return failed(r);
	return found;
}

static bool
text_match(struct search_run *r, const struct search_node *n)
{
	if (!r->has_text) {
		r->has_head = false;
		if (text_find(&r->text, r->at) == -1)
			return failed(r);
		r->has_text = true;
	}
	return r->text.keys[r->slots[n->slot].text].found;
}

static bool	node_match(struct search_run *, const struct search_node *);

/* Keys that need nothing but what the view has at hand. */
static bool
cheap_match(struct search_run *r, const struct search_node *n)
{
	const struct slot	*slot = &r->slots[n->slot];

	switch ((enum search_key)n->key) {
	case KEY_ALL:
		return true;
	case KEY_FLAGS:
		return (r->m->flags & (n->set | n->clear)) == n->set;
	case KEY_KEYWORD:
		return (r->m->keywords & slot->keyword) != 0;
	case KEY_NUMBERS:
	case KEY_UIDS:
	case KEY_RESULT:
		return imap_set_has(&slot->uids, r->m->uid);
	case KEY_MODSEQ:
		return r->m->modseq >= n->value;
	case KEY_THREADID:	/* THREADID is always NIL here (RFC 8474, 5.2) */
	case KEY_AND:
	case KEY_OR:
	case KEY_LARGER:
	case KEY_SMALLER:
	case KEY_DATE:
	case KEY_OLDER:
	case KEY_YOUNGER:
	case KEY_EMAILID:
	case KEY_HEADER:
	case KEY_BODY:
	case KEY_TEXT:
		break;
	}
	return false;
}

static bool
key_match(struct search_run *r, const struct search_node *n)
{
	switch ((enum search_key)n->key) {
	case KEY_LARGER:
	case KEY_SMALLER:
		return size_match(r, n);
	case KEY_DATE:
		return date_match(r, n);
	case KEY_OLDER:
	case KEY_YOUNGER:
		return age_match(r, n);
	case KEY_EMAILID:
		return need_info(r) && str_eq(r->info.guid, n->text);
	case KEY_HEADER:
		return header_match(r, n);
	case KEY_BODY:
	case KEY_TEXT:
		return text_match(r, n);
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
		break;
	}
	return cheap_match(r, n);
}

/* Depth is bounded by search_parse. */
static bool
node_match(struct search_run *r, const struct search_node *n)
{
	const struct search_node	*child;
	bool				 match;

	if (n->key == KEY_AND || n->key == KEY_OR) {
		match = n->key == KEY_AND;
		for (child = n->child; child != NULL && r->error == 0 &&
		    match == (n->key == KEY_AND); child = child->next)
			match = node_match(r, child);
	} else {
		match = key_match(r, n);
	}
	return match != n->negated;
}

int
search_match(struct search_run *r, size_t at, bool *match)
{
	r->at = at;
	r->m = view_message(r->view, at);
	r->has_info = r->has_head = r->has_text = false;
	r->error = 0;
	*match = node_match(r, r->program->root);
	if (r->program->root->cost >= COST_HEAD)
		text_next(&r->text);
	if (r->error == 0)
		return 0;
	*match = false;
	errno = r->error;
	return errno == ENOENT ? 0 : -1;
}

int
search_all(struct search_run *r, struct progress *progress,
    struct found *found)
{
	size_t	i, n = view_count(r->view);
	bool	match;

	found->n = 0;
	found->at = malloc((n + 1) * sizeof(*found->at));
	if (found->at == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		if (search_match(r, i, &match) == -1 ||
		    (progress != NULL && progress_step(progress, i) == -1)) {
			free(found->at);
			found->at = NULL;
			found->n = 0;
			return -1;
		}
		if (match)
			found->at[found->n++] = (uint32_t)i;
	}
	return 0;
}
