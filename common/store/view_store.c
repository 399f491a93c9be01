/*
 * common/store/view_store.c - flags change by rename, messages go by unlink, all under the index's lock, so that no session of ours
 * undoes what another one did. A foreign program's change meanwhile shows by a name that is no longer there: then it is looked again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/store/flush.h"
#include "common/store/quota.h"
#include "common/store/rename_new.h"
#include "common/store/view_impl.h"

#define TRIES	16	/* a foreign program that renames all the time has to hit the same message as often */

/* One call that changes. */
struct act {
	struct view		*v;
	enum view_store_how	 how;
	uint16_t		 flags;
	uint64_t		 keywords;
	uint64_t		 unchanged_since;
	uint64_t		 modseq;	/* 0: nothing has changed yet */
	bool			 cur_unchanged, knew_all;
	bool			 verified;	/* that it is the index which knows what is gone */
	bool			 removed_new, removed_cur, renamed;
	int64_t			 freed_bytes, freed_count;
};

/* What only hinders to lock is no reason to change nothing: the disk is full, or a lock may not be made. */
static int
lock(struct view *v)
{
	if (index_lock(&v->x) == 0 || errno == ENOSPC || errno == EDQUOT ||
	    errno == EACCES || errno == EPERM || errno == EROFS)
		return 0;
	return -1;
}

static int
begin(struct act *a)
{
	struct view	*v = a->v;
	unsigned	 how = v->read_only ? INDEX_KEEP_NEW : 0;

	if (v->read_only) {
		errno = EROFS;
		return -1;
	}
	if (lock(v) == -1)
		return -1;
	if (index_sync(&v->x, how) == -1) {
		index_unlock(&v->x);
		return -1;
	}
	if (v->x.head.validity != v->validity) {
		index_unlock(&v->x);
		errno = ESTALE;
		return -1;
	}
	a->knew_all = v->x.version == v->seen_version && !v->withheld;
	a->cur_unchanged = index_cur_unchanged(&v->x);
	return 0;
}

/* The answer is r; what was done so far is written whatever it is. */
static int
end(struct act *a, int r)
{
	struct view	*v = a->v;
	int		 saved = errno;

	if (a->modseq != 0 && index_own_change(&v->x, a->cur_unchanged) == -1 &&
	    r == 0) {
		saved = errno;
		r = -1;
	}
	index_flush(&v->x);
	index_unlock(&v->x);
	if (a->freed_count > 0)
		quota_changed(v->store, -a->freed_bytes, -a->freed_count);
	errno = saved;
	return r;
}

static uint64_t
modseq_of(struct act *a)
{
	if (a->modseq == 0)
		a->modseq = index_next_modseq(&a->v->x);
	return a->modseq;
}

static int
dir_of(const struct view *v, const struct index_row *r)
{
	return (r->flags & INDEX_IS_NEW) != 0 ? v->dir.new : v->dir.cur;
}

/* The bits after the change; those of letters that nobody has named stay. */
static void
wanted(const struct act *a, const struct index_row *r, uint16_t *flags,
    uint64_t *keywords)
{
	uint64_t	named = 0;
	unsigned	i;

	*flags = r->flags & INDEX_SYSTEM;
	*keywords = r->keywords;
	for (i = 0; i < VIEW_KEYWORDS; i++)
		if (view_keyword(a->v, i) != NULL)
			named |= UINT64_C(1) << i;
	switch (a->how) {
	case VIEW_SET:
		*flags = 0;
		*keywords &= ~named;
		/* FALLTHROUGH */
	case VIEW_ADD:
		*flags |= a->flags & INDEX_SYSTEM;
		*keywords |= a->keywords;
		break;
	case VIEW_REMOVE:
		*flags &= (uint16_t)~a->flags;
		*keywords &= ~a->keywords;
		break;
	}
}

static int
rename_row(struct act *a, size_t row, uint16_t flags, uint64_t keywords)
{
	struct index	*x = &a->v->x;
	struct index_row *r = index_row(x, row);
	char		 from[2 * MAILDIR_NAME_MAX + 2];
	struct buf	 to;
	int		 result = -1;

	buf_init(&to, MAILDIR_NAME_MAX + 1);
	buf_addstr(&to, index_base(x, r));
	if (str_copy(from, sizeof(from), index_name(x, r)) == 0 &&
	    index_letters(index_info(x, r), flags, keywords, &to) == 0 &&
	    buf_cstr(&to) != NULL &&
	    (strcmp(from, buf_cstr(&to)) == 0 ||
	    rename_new(dir_of(a->v, r), from, a->v->dir.cur, to.p) == 0)) {
		a->renamed = true;
		result = index_set(x, row, flags, keywords, modseq_of(a),
		    (struct str){ to.p + r->base_len, to.n - r->base_len });
	}
	buf_free(&to);
	return result;
}

/* On one message, with the newest that is known of it. -1, ENOENT: its name has changed. */
static int
store_row(struct act *a, size_t *at, size_t row)
{
	struct index_row	*r = index_row(&a->v->x, row);
	struct view_message	*m = view_at(a->v, *at);
	uint64_t		 before = r->modseq;
	uint64_t		 keywords;
	uint16_t		 flags;

	if (r->modseq > a->unchanged_since && r->modseq != a->modseq) {
		*at = SIZE_MAX;
		return 0;
	}
	wanted(a, r, &flags, &keywords);
	if (flags == (r->flags & INDEX_SYSTEM) && keywords == r->keywords)
		return 0;
	if (rename_row(a, row, flags, keywords) == -1)
		return -1;
	m->flags = flags | (m->flags & VIEW_RECENT);
	m->keywords = keywords;
	/* another session's change that the client was not told of is told */
	if (m->modseq == before)
		m->modseq = a->modseq;
	return 0;
}

/* It was not where it was. */
static int
look_again(struct act *a)
{
	struct view	*v = a->v;

	/* or the row is not what it was: then all of them are read anew */
	if (!a->verified && !index_verify(&v->x))
		a->modseq = 0;
	a->verified = true;
	if (index_look(&v->x, INDEX_ALL) == -1)
		return -1;
	if (v->x.head.validity != v->validity) {
		errno = ESTALE;
		return -1;
	}
	a->cur_unchanged = index_cur_unchanged(&v->x);
	a->knew_all = false;
	return 0;
}

/*
 * Has somebody written over the rows? A message that has none may not be gone, and one whose name says other flags not have them; who is
 * told that all is done has to be able to rely on that. Looked at once. -1: errno.
 */
static int
doubt(struct act *a, bool *damaged)
{
	struct index	*x = &a->v->x;

	*damaged = false;
	if (a->verified)
		return 0;
	a->verified = true;
	if (index_verify(x))
		return 0;
	*damaged = true;
	a->modseq = 0;
	return look_again(a);
}

static bool
name_agrees(const struct act *a, size_t row)
{
	const struct index_row	*r = index_row(&a->v->x, row);
	uint64_t		 keywords;
	uint8_t		 flags;

	index_flags(index_info(&a->v->x, r), &flags, &keywords);
	return flags == (r->flags & INDEX_SYSTEM) && keywords == r->keywords;
}

/* Until it has worked on the message, or the message is gone. */
static int
act_on(struct act *a, size_t *at, int (*act)(struct act *, size_t *, size_t))
{
	size_t	row;
	int	tries;
	bool	there, damaged;

	for (tries = 0; tries < TRIES; tries++) {
		there = view_row(a->v, *at, &row) == 0;
		if (!there || !name_agrees(a, row)) {
			if (doubt(a, &damaged) == -1)
				return -1;
			if (damaged)
				continue;
			if (!there)
				return 0;
		}
		if (act(a, at, row) == 0)
			return 0;
		if ((errno != ENOENT && errno != EEXIST) ||
		    look_again(a) == -1)
			return -1;
	}
	errno = EAGAIN;
	return -1;
}

/* What this view shows is the newest, if it was before. */
static void
note_known(struct act *a)
{
	struct view	*v = a->v;

	if (!a->knew_all || a->modseq == 0)
		return;
	v->highest = v->x.head.highest;
	v->seen_version = v->x.version;
}

int
view_store(struct view *v, size_t *at, size_t n, enum view_store_how how,
    uint16_t flags, uint64_t keywords, uint64_t unchanged_since)
{
	struct act	a = { .v = v, .how = how, .flags = flags,
	    .keywords = keywords, .unchanged_since = unchanged_since };
	size_t		i;
	int		r = 0;

	if (begin(&a) == -1)
		return -1;
	for (i = 0; i < n && r == 0; i++)
		r = act_on(&a, &at[i], store_row);
	if (a.renamed && index_flush_moves(&v->x) == -1)
		r = -1;
	r = end(&a, r);
	note_known(&a);
	return r;
}

static int
expunge_row(struct act *a, size_t *at, size_t row)
{
	struct index		*x = &a->v->x;
	struct index_row	*r = index_row(x, row);
	char			 name[2 * MAILDIR_NAME_MAX + 2];
	bool			 is_new = (r->flags & INDEX_IS_NEW) != 0;
	uint8_t		 flags;
	uint64_t		 keywords;

	(void)at;
	/* both: of an index that was damaged underfoot the name is what has to be right, too */
	index_flags(index_info(x, r), &flags, &keywords);
	if ((r->flags & flags & VIEW_DELETED) == 0)
		return 0;
	if (str_copy(name, sizeof(name), index_name(x, r)) == -1 ||
	    unlinkat(dir_of(a->v, r), name, 0) == -1)
		return -1;
	if (is_new)
		a->removed_new = true;
	else
		a->removed_cur = true;
	if (r->size != INDEX_UNKNOWN)
		a->freed_bytes += (int64_t)r->size;
	a->freed_count++;
	x->head.dead++;
	return index_remove(x, row, modseq_of(a));
}

/* Before the size is needed: it was never asked for. */
static void
learn_size(struct act *a, size_t at)
{
	struct view_info	info;
	size_t			row;

	if (view_row(a->v, at, &row) == 0 &&
	    (index_row(&a->v->x, row)->flags & VIEW_DELETED) != 0 &&
	    index_row(&a->v->x, row)->size == INDEX_UNKNOWN &&
	    view_info(a->v, at, &info) == -1)
		return;		/* then it is not counted */
}

int
view_expunge(struct view *v, const size_t *at, size_t n)
{
	struct act	a = { .v = v };
	size_t		i, one;
	int		r = 0;

	if (begin(&a) == -1)
		return -1;
	for (i = 0; i < n && r == 0; i++) {
		one = at[i];
		learn_size(&a, one);
		r = act_on(&a, &one, expunge_row);
	}
	if ((a.removed_new && flush_one(v->dir.new) == -1) ||
	    (a.removed_cur && flush_one(v->dir.cur) == -1))
		r = -1;
	r = end(&a, r);
	if (a.freed_count > 0)
		view_parsed_tidy(v);
	return r;
}

void
view_moved(struct view *v, const size_t *at, size_t n)
{
	struct act	a = { .v = v };
	size_t		i, row;

	if (lock(v) == -1)
		return;		/* the next look will see */
	if (index_catch_up(&v->x) == 0) {
		/* what was seen before the move is what was there then */
		a.cur_unchanged = v->x.head.cur_dir.mtime != 0;
		for (i = 0; i < n; i++)
			if (view_row(v, at[i], &row) == 0) {
				v->x.head.dead++;
				if (index_remove(&v->x, row,
				    modseq_of(&a)) == -1)
					break;
			}
	}
	(void)end(&a, 0);
}
