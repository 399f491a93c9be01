/*
 * common/store/view_next.c - from what the client knows to what is: one pass over both, in the order of UIDs. Messages
 * that are taken out leave a gap that moves along with the pass, so that the whole costs no more than one copy.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/view_impl.h"

static int
by_number(const void *pa, const void *pb)
{
	const uint32_t	*a = pa, *b = pb;

	return *a < *b ? -1 : *a > *b;
}

static bool
is_recent(const struct view *v, const struct index_row *r)
{
	return (r->flags & (INDEX_IS_NEW | INDEX_RECENT)) != 0 || (v->x.nrecent > 0 &&
	    bsearch(&r->uid, v->x.recent, v->x.nrecent,
	    sizeof(*v->x.recent), by_number) != NULL);
}

static void
close_gap(struct view *v)
{
	if (v->gap > 0)
		memmove(v->shown + v->gap_at, v->shown + v->gap_at + v->gap,
		    (v->n - v->gap_at) * sizeof(*v->shown));
	v->gap = v->gap_at = 0;
}

static int
make_room(struct view *v, size_t more)
{
	struct view_message	*p;
	size_t			 cap = v->cap;

	if (v->n + more <= cap)
		return 0;
	/* the first time exactly, then with room for growth */
	cap = cap == 0 ? more : v->n + more + v->n / 8 + 16;
	if ((p = reallocarray(v->shown, cap, sizeof(*p))) == NULL)
		return -1;
	v->shown = p;
	v->cap = cap;
	return 0;
}

static void
show(struct view_message *m, const struct index_row *r)
{
	uint16_t	recent = m->flags & VIEW_RECENT;

	*m = (struct view_message){ .uid = r->uid, .keywords = r->keywords,
	    .modseq = r->modseq,
	    .flags = (uint16_t)((r->flags & INDEX_SYSTEM) | recent) };
}

int
view_show_new(struct view *v)
{
	const struct index_row	*r;
	struct view_message	*m;
	size_t			 i, first, more = 0;

	close_gap(v);
	first = index_find(&v->x, v->top + 1, SIZE_MAX);
	for (i = first; i < index_count(&v->x); i++)
		more += index_is_live(index_row(&v->x, i));
	if (more == 0)
		return 0;
	if (make_room(v, more) == -1)
		return -1;
	if (v->x.nrecent > 1)
		qsort(v->x.recent, v->x.nrecent, sizeof(*v->x.recent),
		    by_number);
	for (i = first; i < index_count(&v->x); i++) {
		r = index_row(&v->x, i);
		if (!index_is_live(r))
			continue;
		m = &v->shown[v->n++];
		m->flags = is_recent(v, r) ? VIEW_RECENT : 0;
		v->recent += m->flags != 0;
		show(m, r);
		v->top = r->uid;
	}
	return 0;
}

/* The folder is no more, or it is another one. */
static int
check_alive(struct view *v)
{
	struct stat	st;

	if (fstat(v->dir.cur, &st) == -1)
		return -1;
	if (st.st_nlink > 0 && v->x.head.validity == v->validity)
		return view_follow(v);
	errno = ESTALE;
	return -1;
}

bool
view_is_renumbered(const struct view *v)
{
	return v->x.head.validity != 0 && v->x.head.validity != v->validity;
}

int
view_refresh(struct view *v)
{
	unsigned	how = v->read_only ? INDEX_KEEP_NEW : 0;

	if (view_complete(v) == -1)
		return -1;
	view_flush(v);
	if (index_sync(&v->x, how) == -1) {
		if (errno == ENOENT)
			errno = ESTALE;
		return -1;
	}
	if (check_alive(v) == -1)
		return -1;
	v->passing = v->x.version != v->seen_version || v->withheld ||
	    v->x.keywords_version != v->seen_keywords;
	v->pass_version = v->x.version;
	v->pass_highest = v->x.head.highest;
	v->withheld = v->verified = false;
	v->at = v->row = 0;
	return v->passing;
}

/* It is taken out of what is shown. */
static void
take_out(struct view *v, size_t i)
{
	if (v->gap == 0)
		v->gap_at = i;
	if (v->gap_at < i)
		memmove(v->shown + v->gap_at, v->shown + v->gap_at + v->gap,
		    (i - v->gap_at) * sizeof(*v->shown));
	v->gap_at = i;
	v->recent -= (v->shown[i + v->gap].flags & VIEW_RECENT) != 0;
	v->gap++;
	v->n--;
}

static const struct index_row *
row_for(struct view *v, uint32_t uid)
{
	const struct index_row	*r;

	for (; v->row < index_count(&v->x); v->row++) {
		r = index_row(&v->x, v->row);
		if (r->uid >= uid)
			return r->uid == uid ? r : NULL;
	}
	return NULL;
}

static bool
differs(const struct view_message *m, const struct index_row *r)
{
	return m->modseq != r->modseq || m->keywords != r->keywords ||
	    (m->flags & ~VIEW_RECENT) != (r->flags & INDEX_SYSTEM);
}

bool
view_show_newest(struct view *v, size_t i)
{
	struct view_message	*m = view_at(v, i);
	size_t			 row;

	if (view_row(v, i, &row) == -1 || !differs(m, index_row(&v->x, row)))
		return false;
	show(m, index_row(&v->x, row));
	return true;
}

/*
 * No row: its message is gone, unless somebody has written over the rows where they lie. That is looked at once in a pass; if so nothing is
 * told before the folder was read again.
 */
static bool
is_in_doubt(struct view *v)
{
	if (v->verified || index_verify(&v->x)) {
		v->verified = true;
		return false;
	}
	v->withheld = true;
	v->passing = false;
	return true;
}

/* The next message that is shown: is anything to be told of it? */
static bool
step(struct view *v, bool expunges, struct view_change *c)
{
	struct view_message	*m = view_at(v, v->at);
	const struct index_row	*r = row_for(v, m->uid);

	*c = (struct view_change){ .at = v->at, .uid = m->uid };
	if (r == NULL && is_in_doubt(v))
		return false;
	if (r == NULL || !index_is_live(r)) {
		if (!expunges) {
			v->withheld = true;
			v->at++;
			return false;
		}
		c->kind = VIEW_EXPUNGED;
		c->modseq = r != NULL ? r->modseq : v->pass_highest;
		take_out(v, v->at);
		return true;
	}
	v->at++;
	if (!differs(m, r))
		return false;
	c->kind = VIEW_CHANGED;
	c->modseq = r->modseq;
	show(m, r);
	return true;
}

/* The end of the pass: what has come. */
static bool
finish(struct view *v, struct view_change *c)
{
	size_t	before = v->n;

	if (view_show_new(v) == -1) {
		v->withheld = true;	/* no memory: later */
		v->passing = false;
		return false;
	}
	v->passing = false;
	v->seen_version = v->pass_version;
	v->next = v->x.head.next;
	if (!v->withheld)
		v->highest = v->pass_highest;
	if (v->n == before)
		return false;
	*c = (struct view_change){ .kind = VIEW_ARRIVED, .at = before,
	    .modseq = v->pass_highest };
	return true;
}

bool
view_next(struct view *v, bool expunges, struct view_change *c)
{
	if (!v->passing || v->x.head.validity != v->validity)
		return false;
	if (v->seen_keywords != v->x.keywords_version) {
		v->seen_keywords = v->x.keywords_version;
		*c = (struct view_change){ .kind = VIEW_NEW_KEYWORDS };
		return true;
	}
	if (v->pass_version != v->x.version) {	/* changed meanwhile */
		v->pass_version = v->x.version;
		v->pass_highest = v->x.head.highest;
		v->at = v->row = 0;
	}
	while (v->passing && v->at < v->n)
		if (step(v, expunges, c))
			return true;
	return v->passing && finish(v, c);
}

static void
collect(struct view *v, const struct index_gone *g, size_t n, uint64_t since,
    size_t *to)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (g[i].modseq > since)
			v->vanished[(*to)++] = g[i].uid;
}

int
view_vanished(struct view *v, uint64_t since, const uint32_t **uids,
    size_t *n, bool *all)
{
	const struct index	*x = &v->x;

	free(v->vanished);
	v->vanished = calloc(x->ngone + x->ngone_tail + 1,
	    sizeof(*v->vanished));
	if (v->vanished == NULL)
		return -1;
	*n = 0;
	collect(v, x->gone, x->ngone, since, n);
	collect(v, x->gone_tail, x->ngone_tail, since, n);
	if (*n > 1)
		qsort(v->vanished, *n, sizeof(*v->vanished), by_number);
	*uids = v->vanished;
	*all = since >= x->head.floor;
	return 0;
}
