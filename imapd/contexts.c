/*
 * imapd/contexts.c - results of searches that are kept up to date (RFC 5267 4.3). Run by the session.
 * Each has a copy of its program, and the UIDs of its result in their order. After changes the messages that changed are asked again,
 * and what differs is told.
 */
#include "imapd/contexts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/commands.h"
#include "imapd/search_context.h"

#define CONTEXT_MEMORY	(8u << 20)	/* of one program */
#define ANSWER_MAX	(64u << 20)

struct context {
	char			 tag[IMAP_TAG_MAX + 1];
	bool			 uid, sorted;
	struct sort_order	 order;
	struct arena		 arena;
	struct search_program	 program;
	struct search_run	*run;
	uint32_t		*uids;
	size_t			 n;
};

struct contexts {
	struct context	*list[CONTEXTS_MAX];
	size_t		 n;
	uint64_t	 modseq;	/* of what all of them have seen */
	uint32_t	 uidnext;
};

static void
context_free(struct context *x)
{
	search_free(&x->run);
	arena_free(&x->arena);
	free(x->uids);
	free(x);
}

static struct context **
context_find(struct session *s, struct str tag)
{
	size_t	i;

	for (i = 0; s->contexts != NULL && i < s->contexts->n; i++)
		if (str_eq(str_from(s->contexts->list[i]->tag), tag))
			return &s->contexts->list[i];
	return NULL;
}

bool
context_check(struct session *s, struct command *c,
    const struct search_request *q)
{
	if ((q->ret.want & RETURN_UPDATE) == 0 ||
	    context_find(s, c->tag) == NULL)
		return true;
	command_bad(c, "Tag of a search that is being updated");
	return false;
}

/* ---- the beginning */

static int
program_copy(struct session *s, struct context *x,
    const struct search_request *q)
{
	const struct charset	*set = charset_find(q->charset);
	const char		*why;
	struct str		 keys;
	struct cur		 c;

	if (set == NULL || q->charset.n == 0 ||
	    str_eq_nocase(q->charset, STR("US-ASCII")))
		set = charset_find(STR("UTF-8"));
	if (arena_dup(&x->arena, q->keys, &keys) == -1)
		return -1;
	c = cur_from(keys);
	if (!search_parse(&c, &x->arena, set, &x->program, &why)) {
		errno = EMSGSIZE;
		return -1;
	}
	return search_begin(&x->run, s, s->view, &x->program);
}

static int
uids_copy(struct session *s, struct context *x, const struct found *found)
{
	uint32_t	*uids;
	size_t		 i;

	if ((uids = malloc((found->n + 1) * sizeof(*uids))) == NULL)
		return -1;
	for (i = 0; i < found->n; i++)
		uids[i] = view_message(s->view, found->at[i])->uid;
	free(x->uids);
	x->uids = uids;
	x->n = found->n;
	return 0;
}

static struct context *
context_new(struct session *s, const struct command *c,
    const struct search_request *q, const struct found *found)
{
	struct context	*x;

	if ((x = calloc(1, sizeof(*x))) == NULL)
		return NULL;
	arena_init(&x->arena, CONTEXT_MEMORY);
	x->uid = c->uid;
	if (str_copy(x->tag, sizeof(x->tag), c->tag) == -1 ||
	    program_copy(s, x, q) == -1 || uids_copy(s, x, found) == -1) {
		context_free(x);
		return NULL;
	}
	return x;
}

void
context_add(struct session *s, const struct command *c,
    const struct search_request *q, const struct sort_order *order,
    const struct found *found)
{
	struct context	*x = NULL;

	if ((q->ret.want & RETURN_UPDATE) == 0)
		return;
	if (s->contexts == NULL &&
	    (s->contexts = calloc(1, sizeof(*s->contexts))) != NULL) {
		s->contexts->modseq = view_highest_modseq(s->view);
		s->contexts->uidnext = view_uidnext(s->view);
	}
	/* what a limit has left out could not be told from what matches later */
	if (s->contexts != NULL && s->contexts->n < CONTEXTS_MAX &&
	    found->limited == 0)
		x = context_new(s, c, q, found);
	if (x == NULL) {
		say(s, "NO [NOUPDATE \"%.*s\"] No more updates for searches",
		    STR_ARG(c->tag));
		return;
	}
	if (order != NULL) {
		x->sorted = true;
		x->order = *order;
	}
	s->contexts->list[s->contexts->n++] = x;
}

/* ---- changes */

static void
esearch_begin(struct buf *b, const struct context *x, const char *item)
{
	buf_init(b, ANSWER_MAX);
	buf_addf(b, "* ESEARCH (TAG \"%s\")%s %s (", x->tag,
	    x->uid ? " UID" : "", item);
}

static void
esearch_end(struct session *s, struct buf *b)
{
	buf_adds(b, ")\r\n");
	say_buf(s, b);
	buf_free(b);
}

static size_t
place_of(const struct context *x, uint32_t uid)
{
	size_t	low = 0, high = x->n, middle;

	if (x->sorted) {
		while (low < x->n && x->uids[low] != uid)
			low++;
		return low;
	}
	while (low < high) {
		middle = low + (high - low) / 2;
		if (x->uids[middle] < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < x->n && x->uids[low] == uid ? low : x->n;
}

void
contexts_expunged(struct session *s, const struct view_change *change)
{
	struct context	*x;
	struct buf	 b;
	size_t		 i, at;

	for (i = 0; s->contexts != NULL && i < s->contexts->n; i++) {
		x = s->contexts->list[i];
		if ((at = place_of(x, change->uid)) == x->n)
			continue;
		memmove(&x->uids[at], &x->uids[at + 1],
		    (x->n - at - 1) * sizeof(*x->uids));
		x->n--;
		esearch_begin(&b, x, "REMOVEFROM");
		buf_addf(&b, "%zu %zu", x->sorted ? at + 1 : 0,
		    x->uid ? (size_t)change->uid : change->at + 1);
		esearch_end(s, &b);
	}
}

/* Members of the result, by number in the view. */
static bool *
members(const struct session *s, const struct context *x)
{
	size_t	n = view_count(s->view), i, at;
	bool	*in;

	if ((in = calloc(n + 1, sizeof(*in))) == NULL)
		return NULL;
	for (i = 0; i < x->n; i++) {
		at = view_find(s->view, x->uids[i]);
		if (at < n && view_message(s->view, at)->uid == x->uids[i])
			in[at] = true;
	}
	return in;
}

/* Asks again what has changed. *differs: some came, or went. */
static int
members_now(struct session *s, struct context *x, bool *in, bool *differs)
{
	const struct contexts		*all = s->contexts;
	const struct view_message	*m;
	size_t				 i, n = view_count(s->view);
	bool				 match;

	*differs = false;
	search_again(x->run);
	for (i = 0; i < n; i++) {
		m = view_message(s->view, i);
		if (m->modseq <= all->modseq && m->uid < all->uidnext)
			continue;
		if (search_match(x->run, i, &match) == -1)
			return -1;
		if (match != in[i])
			*differs = true;
		in[i] = match;
	}
	return 0;
}

/*
 * Those of the list that are not in the other one, each run of neighbours with its place: as places are when the runs in front of it are
 * gone (REMOVEFROM) or there (ADDTO). In the mailbox's order one set says all.
 */
static void
say_runs(struct session *s, const struct context *x, const char *item,
    const uint32_t *uids, size_t n, const bool *in)
{
	struct buf	 b;
	uint32_t	*run;
	size_t		 i, at, nrun = 0, kept = 0, sets = 0;
	bool		 adds = item[0] == 'A';

	if ((run = malloc((n + 1) * sizeof(*run))) == NULL)
		return;
	esearch_begin(&b, x, item);
	for (i = 0; i <= n; i++) {
		at = i < n ? view_find(s->view, uids[i]) : 0;
		if (i < n && !in[at]) {
			run[nrun++] = x->uid ? uids[i] : (uint32_t)at + 1;
			continue;
		}
		if (nrun > 0 && (x->sorted || i == n)) {
			buf_addf(&b, "%s%zu ", sets++ > 0 ? " " : "",
			    x->sorted ? kept + 1 : 0);
			if (esearch_put_set(&b, run, nrun) == -1)
				break;
			if (adds)
				kept += nrun;
			nrun = 0;
		}
		kept++;
	}
	if (sets > 0)
		esearch_end(s, &b);
	else
		buf_free(&b);
	free(run);
}

/* The result as it is now becomes what the client knows. */
static int
result_now(struct session *s, struct context *x, const bool *in)
{
	struct found	 found = { .at = NULL };
	uint32_t	*old = x->uids;
	size_t		 i, n = view_count(s->view), nold = x->n;
	bool		*before;
	int		 r = -1;

	before = members(s, x);
	if (before == NULL ||
	    (found.at = malloc((n + 1) * sizeof(*found.at))) == NULL)
		goto out;
	for (i = 0; i < n; i++)
		if (in[i])
			found.at[found.n++] = (uint32_t)i;
	if (x->sorted &&
	    sort_found(s->view, &x->order, &found, NULL) == -1)
		goto out;
	x->uids = NULL;
	if (uids_copy(s, x, &found) == -1) {
		x->uids = old;
		goto out;
	}
	say_runs(s, x, "REMOVEFROM", old, nold, in);
	say_runs(s, x, "ADDTO", x->uids, x->n, before);
	free(old);
	r = 0;
out:
	free(before);
	free(found.at);
	return r;
}

static int
context_changed(struct session *s, struct context *x)
{
	bool	*in, differs;
	int	 r;

	if ((in = members(s, x)) == NULL)
		return -1;
	r = members_now(s, x, in, &differs);
	if (r == 0 && differs)
		r = result_now(s, x, in);
	free(in);
	return r;
}

void
contexts_changed(struct session *s)
{
	struct contexts	*all = s->contexts;
	struct context	*x;
	size_t		 i, kept = 0;

	if (all == NULL || s->end != NULL ||
	    (all->modseq == view_highest_modseq(s->view) &&
	    all->uidnext == view_uidnext(s->view)))
		return;
	for (i = 0; i < all->n; i++) {
		x = all->list[i];
		if (context_changed(s, x) == 0) {
			all->list[kept++] = x;
			continue;
		}
		say(s, "NO [NOUPDATE \"%s\"] Updates of this search end",
		    x->tag);
		context_free(x);
	}
	all->n = kept;
	all->modseq = view_highest_modseq(s->view);
	all->uidnext = view_uidnext(s->view);
}

void
contexts_clear(struct session *s)
{
	size_t	i;

	if (s->contexts == NULL)
		return;
	for (i = 0; i < s->contexts->n; i++)
		context_free(s->contexts->list[i]);
	free(s->contexts);
	s->contexts = NULL;
}

/* CANCELUPDATE "tag" "tag": those that are not known are passed over. */
enum state
cmd_cancelupdate(struct session *s, struct command *c)
{
	struct context	**x;
	struct str	 tag;

	do {
		if (!imap_astring(&c->args, &s->memory, &tag)) {
			command_bad(c, "Tag expected");
			return s->state;
		}
		if ((x = context_find(s, tag)) == NULL)
			continue;
		context_free(*x);
		*x = s->contexts->list[--s->contexts->n];
	} while (imap_sp(&c->args));
	if (!command_end(c))
		return s->state;
	if (s->contexts != NULL && s->contexts->n == 0)
		contexts_clear(s);
	command_ok(c, NULL, "No further updates");
	return s->state;
}
