/* imapd/search_run.c - which messages match a search program. Run by the session. */
#include "imapd/search_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/objectid.h"
#include "imapd/search_run_impl.h"

#define DAY	86400

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
id_match(struct search_run *r, const struct search_node *n)
{
	struct buf	*b = &r->head_text.text;

	/* asked anew: the GUID is a view of an index that may have moved since */
	r->has_info = false;
	if (!need_info(r))
		return false;
	buf_reset(b);
	if (objectid_put(b, r->info.guid) == -1)
		return failed(r);
	return str_eq(buf_view(b), n->text);
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
		/*
		 * HEADER asks for what stands in the message: with the rare word that an ENVELOPE has not even then, and with none, as a
		 * field that is empty is not in it.
		 */
		if (found || n->name.n == 0 || (needle->word.n > 0 &&
		    !head_text_rewritten((enum search_field)n->field,
		    buf_view(&needle->word))))
			return found;
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
		return id_match(r, n);
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

/* Do the sets at the top, by which a client says which messages are meant, have it? */
static bool
is_meant(const struct search_run *r, const struct search_node *all,
    uint32_t uid)
{
	const struct search_node	*n;

	for (n = all->child; n != NULL; n = n->next) {
		if (n->negated)
			continue;
		if (n->key == KEY_AND && !is_meant(r, n, uid))
			return false;
		if ((n->key == KEY_NUMBERS || n->key == KEY_UIDS ||
		    n->key == KEY_RESULT) &&
		    !imap_set_has(&r->slots[n->slot].uids, uid))
			return false;
	}
	return true;
}

size_t
search_limit(const struct search_run *r, uint64_t most)
{
	size_t		i = view_count(r->view), from = i;
	uint64_t	n = 0;

	if (most == 0 || i <= most)
		return 0;
	for (; i > 0; i--) {
		if (!is_meant(r, r->program->root,
		    view_message(r->view, i - 1)->uid))
			continue;
		if (n++ == most)
			return from;
		from = i - 1;
	}
	return 0;
}

int
search_all(struct search_run *r, struct progress *progress, size_t from,
    struct found *found)
{
	size_t	i, n = view_count(r->view);
	bool	match;

	found->n = 0;
	found->limited = from > 0 ? view_message(r->view, from)->uid : 0;
	found->at = malloc((n + 1) * sizeof(*found->at));
	if (found->at == NULL)
		return -1;
	for (i = from; i < n; i++) {
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
