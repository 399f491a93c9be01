/*
 * imapd/contexts_tell.c - what has changed in results that are kept up to date (RFC 5267 4.3). After changes the messages that changed are
 * asked again, and what differs is told. Run by the session.
 */
#include "imapd/contexts.h"

#include <stdlib.h>

#include "imapd/contexts_impl.h"

#define ANSWER_MAX	(64u << 20)

static void
esearch_begin(struct buf *b, const struct context *x, const char *item)
{
	buf_init(b, ANSWER_MAX);
	buf_addf(b, "* ESEARCH (TAG \"%s\"", x->tag);
	buf_addstr(b, x->where);
	buf_addf(b, ")%s %s (", x->uid ? " UID" : "", item);
}

static void
esearch_end(struct session *s, struct buf *b)
{
	buf_adds(b, ")\r\n");
	say_buf(s, b);
	buf_free(b);
}

void
contexts_expunged(struct session *s, const struct view_change *change)
{
	struct context	*x;
	struct buf	 b;
	size_t		 i = 0, place;

	while (s->contexts != NULL && i < s->contexts->n) {
		x = s->contexts->list[i];
		if (ordered_take(&x->result, change->uid, &place) == -1) {
			context_end(s, i);
			continue;
		}
		i++;
		if (place == 0)
			continue;
		esearch_begin(&b, x, "REMOVEFROM");
		buf_addf(&b, "%zu %zu", x->sorted ? place : 0,
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
	for (i = 0; i < x->result.n; i++) {
		at = view_find(s->view, x->result.uids[i]);
		if (at < n &&
		    view_message(s->view, at)->uid == x->result.uids[i])
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
	uint32_t	*uids;
	size_t		 i, n = view_count(s->view);
	bool		*before;
	int		 r = -1;

	before = members(s, x);
	if (before == NULL ||
	    (found.at = malloc((n + 1) * sizeof(*found.at))) == NULL)
		goto out;
	for (i = 0; i < n; i++)
		if (in[i])
			found.at[found.n++] = (uint32_t)i;
	if ((x->sorted &&
	    sort_found(s->view, &x->order, &found, NULL) == -1) ||
	    (uids = context_uids(s, &found)) == NULL)
		goto out;
	say_runs(s, x, "REMOVEFROM", x->result.uids, x->result.n, in);
	ordered_set(&x->result, uids, found.n);
	say_runs(s, x, "ADDTO", x->result.uids, x->result.n, before);
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
	size_t		 i = 0;

	if (all == NULL || s->end != NULL)
		return;
	for (i = 0; i < all->n; i++)
		ordered_settle(&all->list[i]->result);
	if (all->modseq == view_highest_modseq(s->view) &&
	    all->uidnext == view_uidnext(s->view))
		return;
	for (i = 0; i < all->n;)
		if (context_changed(s, all->list[i]) == 0)
			i++;
		else
			context_end(s, i);
	all->modseq = view_highest_modseq(s->view);
	all->uidnext = view_uidnext(s->view);
}

size_t
contexts_atts(const struct session *s, struct str *atts)
{
	size_t	i, n = s->contexts == NULL ? 0 : s->contexts->n, some = 0;

	for (i = 0; i < n; i++) {
		atts[i] = s->contexts->list[i]->atts;
		if (atts[i].n == 0)
			continue;
		some = n;
		search_again(s->contexts->list[i]->run);
	}
	return some;
}

bool
contexts_want(struct session *s, size_t i, size_t at)
{
	bool	match;

	return search_match(s->contexts->list[i]->run, at, &match) == 0 &&
	    match;
}
