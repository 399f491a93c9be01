/*
 * common/store/index_look.c - has the folder changed since it was looked at? If so it is read, and compared with the table: what is
 * missing is gone, what has another name has other flags, what is new gets a UID. Foreign programs rename at any time.
 */
#include "common/store/index_look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/store/durable.h"
#include "common/store/flush.h"
#include "common/store/keywords.h"
#include "common/store/uidlist_file.h"

#define SECOND		INT64_C(1000000000)
#define OWN_WAIT	10000	/* ms: after changes of our own, until it is looked whether there was another one among them */
#define RETRY_WAIT	1000	/* ms: until what could not be numbered is tried again */
#define DUE_MAX		60000	/* ms: farther ahead is no time of ours */
#define TRIES		4
#define LOST_MAX	(UINT64_C(1) << 32)	/* changes: what a power cut takes is less, it is of a minute */

static bool
dir_fresh(const struct index_dir_stamp *s, int dir, int64_t now)
{
	int64_t	mtime;

	/* one that is far ahead was set by another clock */
	return (s->due == 0 || (now < s->due && s->due - now < DUE_MAX)) &&
	    listing_mtime(dir, &mtime) == 0 && mtime == s->mtime;
}

bool
index_is_fresh(struct index *x, unsigned how)
{
	struct index_file_stamp	list, keywords;
	int64_t			now = now_real_ms();

	if ((how & INDEX_ALL) != 0 || x->head.validity == 0 || x->rebooted ||
	    (x->marked && !x->private) ||
	    ((how & INDEX_KEEP_NEW) == 0 && x->new > 0 && !x->stuck) ||
	    !dir_fresh(&x->head.new_dir, x->dir->new, now) ||
	    !dir_fresh(&x->head.cur_dir, x->dir->cur, now))
		return false;
	index_file_stamp(x->dir->root, UIDLIST_FILE, &list);
	index_file_stamp(x->dir->root, KEYWORDS_FILE, &keywords);
	return index_stamp_same(&list, &x->head.list) &&
	    index_stamp_same(&keywords, &x->head.keywords);
}

bool
index_cur_unchanged(const struct index *x)
{
	int64_t	mtime;

	return listing_mtime(x->dir->cur, &mtime) == 0 &&
	    mtime == x->head.cur_dir.mtime;
}

int
index_flush_moves(const struct index *x)
{
	return durable_moves_need_flush(store_durable(x->store,
	    x->dir->cur)) ? flush_one(x->dir->cur) : 0;
}

static void
due_by(struct index_dir_stamp *s, int64_t when)
{
	if (s->due == 0 || s->due > when)
		s->due = when;
}

int
index_own_change(struct index *x, bool unchanged)
{
	if (unchanged) {
		if (listing_mtime(x->dir->cur, &x->head.cur_dir.mtime) == -1)
			return -1;
		due_by(&x->head.cur_dir, now_real_ms() + OWN_WAIT);
	}
	return index_put_head(x);
}

static uint64_t
modseq_of(struct look *k)
{
	if (k->modseq == 0)
		k->modseq = index_next_modseq(k->x);
	return k->modseq;
}

/* A row that is there: perhaps under another name. */
static int
compare(struct look *k, size_t i, const struct listed *e)
{
	const struct index_row	*r = index_row(k->x, i);
	struct str		 info = listing_info(&k->names, e);
	uint64_t		 modseq = r->modseq;
	uint64_t		 keywords;
	uint8_t		 flags;

	if (((r->flags & INDEX_IS_NEW) != 0) == e->is_new &&
	    str_eq(index_info(k->x, r), info))
		return 0;
	index_flags(info, &flags, &keywords);
	if (flags != (r->flags & INDEX_SYSTEM) || keywords != r->keywords)
		modseq = modseq_of(k);
	if (e->is_new)
		flags |= INDEX_IS_NEW;
	flags |= r->flags & INDEX_RECENT;
	return index_set(k->x, i, flags, keywords, modseq, info);
}

/* Rows and names that belong together; how many rows have none? */
static size_t
match(struct look *k)
{
	const struct index_row	*r;
	struct listed		*e;
	size_t			 i, missing = 0;

	for (i = 0; i < k->names.n; i++)
		k->names.names[i].taken = false;
	for (i = 0; i < index_count(k->x); i++) {
		r = index_row(k->x, i);
		if (!index_is_live(r))
			continue;
		e = listing_find(&k->names, index_base(k->x, r), r->hash);
		if (!k->both && (r->flags & INDEX_IS_NEW) == 0) {
			/* new, and called as one in cur/: which is which? */
			k->both = e != NULL;
			if (k->both)
				return SIZE_MAX;
		} else if (e == NULL)
			missing++;
		else {
			look_prefer(k, r, e);
			e->taken = true;
			e->number = (uint32_t)i;
		}
	}
	return missing;
}

/* What was found goes into the table. */
static int
take_over(struct look *k, bool certain)
{
	const struct index_row	*r;
	const struct listed	*e;
	size_t			 i;

	for (i = 0; i < index_count(k->x); i++) {
		r = index_row(k->x, i);
		if (!index_is_live(r) ||
		    (!k->both && (r->flags & INDEX_IS_NEW) == 0))
			continue;
		e = listing_find(&k->names, index_base(k->x, r), r->hash);
		if (e != NULL) {
			if (compare(k, i, e) == -1)
				return -1;
		} else if (certain) {
			k->x->head.dead++;
			if (index_remove(k->x, i, modseq_of(k)) == -1)
				return -1;
		}
	}
	return 0;
}

/*
 * Read until it is known that what is missing is gone, but not for ever: where foreign programs never rest nothing is
 * declared gone before they do.
 */
static int
read_names(struct look *k, bool *certain)
{
	bool	hard = false;
	size_t	missing, unfound;

	for (;;) {
		if (listing_read(&k->names, k->x->dir, k->both, hard) == -1)
			return -1;
		*certain = k->names.is_certain;
		missing = match(k);
		if (missing == SIZE_MAX)
			continue;
		unfound = *certain ? 0 : look_unfound(k);
		missing += unfound;
		if (missing == 0 || *certain)
			break;
		if (hard)
			break;
		hard = true;
	}
	/* who was only missed would get another UID than the one that stands in the list, and may have been told */
	if (!k->names.is_stable && !k->last && unfound > 0) {
		errno = EAGAIN;
		return -1;
	}
	/* gone, or written over where the rows lie: then all begins again */
	if (missing > 0 && !index_verify(k->x)) {
		errno = EAGAIN;
		return -1;
	}
	/* read from new/ alone: it is in cur/ now */
	if (missing > 0 && !k->both) {
		k->both = true;
		return read_names(k, certain);
	}
	return 0;
}

static void
set_stamps(struct look *k)
{
	struct index_header	*h = &k->x->head;
	int64_t			 now = now_real_ms(), soon;
	int64_t			*mtime = k->names.mtime;

	/* what is delivered is there for whoever asks next, also if its time is that of what was seen */
	h->new_dir = (struct index_dir_stamp){ mtime[0],
	    k->names.is_certain ? 0 : now };
	if (k->both) {
		soon = now + listing_tick(mtime[1]) / 1000000 + 1;
		h->cur_dir = (struct index_dir_stamp){ mtime[1],
		    k->names.is_certain ? 0 : soon };
	}
	if (!k->names.is_stable || k->again) /* as if never read */
		h->new_dir.mtime = h->cur_dir.mtime = 0;
	if (k->moved && h->cur_dir.mtime != 0) {
		if (listing_mtime(k->x->dir->new, &h->new_dir.mtime) == -1 ||
		    listing_mtime(k->x->dir->cur, &h->cur_dir.mtime) == -1)
			h->new_dir.mtime = 0;
		/* it may have come while the others were moved */
		due_by(&h->new_dir, now);
		due_by(&h->cur_dir, now + OWN_WAIT);
	}
	if (k->waiting) {
		due_by(&h->new_dir, now + RETRY_WAIT);
		due_by(&h->cur_dir, now + RETRY_WAIT);
	}
}

static int
look_at_keywords(struct index *x)
{
	char			names[INDEX_KEYWORDS][INDEX_KEYWORD_MAX + 1];
	struct index_file_stamp	now;
	bool			lost;

	index_file_stamp(x->dir->root, KEYWORDS_FILE, &now);
	if (index_stamp_same(&now, &x->head.keywords))
		return 0;
	/* what cannot be read now says nothing else than before */
	memcpy(names, x->keyword, sizeof(names));
	if (keywords_read(x->dir->root, names, &lost) == -1)
		return errno == ENOMEM ? -1 : 0;
	/* if it cannot be mended now: with the next that is made */
	if (lost && x->lock != -1 && keywords_mend(x->dir->root,
	    true, names) == 0)
		index_file_stamp(x->dir->root, KEYWORDS_FILE, &now);
	x->head.keywords = now;
	if (memcmp(names, x->keyword, sizeof(names)) != 0) {
		memcpy(x->keyword, names, sizeof(names));
		x->keywords_version++;
	}
	/* what is in memory may be new to the file */
	return index_put_keywords(x);
}

/*
 * A new index begins above what another one has told of. If the clock has gone back since, the times of what was changed then, which are
 * in the future now, say how far it was.
 */
static void
begin_above(struct index *x)
{
	int64_t		when[2] = { 0, 0 }, now = now_real().tv_sec;
	uint64_t	modseq;
	size_t		i;

	if (listing_mtime(x->dir->new, &when[0]) == -1 ||
	    listing_mtime(x->dir->cur, &when[1]) == -1)
		return;
	for (i = 0; i < nitems(when); i++) {
		modseq = index_modseq_at(when[i] / SECOND + 1, 0);
		if (when[i] / SECOND > now && modseq > x->head.highest)
			x->head.highest = x->head.floor = modseq;
	}
}

static int
look_once(struct look *k)
{
	struct index	*x = k->x;
	bool		 certain;

	if (look_validity(k) == -1)
		return -1;
	if (k->first)
		begin_above(x);
	if (look_at_keywords(x) == -1 ||
	    read_names(k, &certain) == -1 || take_over(k, certain) == -1 ||
	    look_move(k) == -1 || look_courier(k) == -1 ||
	    look_newcomers(k) == -1)
		return -1;
	if (k->names.ndoubles > 0 && certain)
		look_doubles(k);
	set_stamps(k);
	return index_put_head(x);
}

static void
look_free(struct look *k)
{
	listing_free(&k->names);
	index_list_free(&k->list);
	free(k->who);
}

/*
 * It has not come to its end: nothing of it may count as seen, the list least of all, or what is there would get other UIDs than those that
 * stand in it.
 */
static void
give_up(struct look *k)
{
	int	saved = errno;

	if (k->first)
		index_reset(k->x, 0);
	else
		memset(&k->x->head.list, 0, sizeof(k->x->head.list));
	errno = saved;
}

/* Above all that was told of since it was written, also if the clock has gone back. */
static void
begin_after_start(struct index *x)
{
	uint64_t	now = index_first_modseq();

	x->head.highest += LOST_MAX;
	if (x->head.highest < now)
		x->head.highest = now;
}

int
index_look(struct index *x, unsigned how)
{
	int	tries, r = -1;

	if (x->rebooted)
		begin_after_start(x);
	errno = EAGAIN;
	for (tries = 0; tries < TRIES && r == -1 && errno == EAGAIN; tries++) {
		struct look	k = { .x = x, .how = how,
		    .last = tries == TRIES - 1 };

		listing_init(&k.names, x->head.seed);
		index_list_init(&k.list);
		k.both = (how & INDEX_ALL) != 0 || tries > 0 || x->rebooted ||
		    !dir_fresh(&x->head.cur_dir, x->dir->cur, now_real_ms());
		if ((r = look_once(&k)) == -1)
			give_up(&k);
		look_free(&k);
	}
	if (r == 0 && x->rebooted) {
		index_touch(x, index_next_modseq(x));
		x->head.floor = x->head.highest;
		x->rebooted = false;
	}
	return r;
}

static bool
takes_recent(const struct index *x, unsigned how)
{
	return (how & INDEX_KEEP_NEW) == 0 && x->nobodys > 0;
}

/* This session is the first one to find them. They are among the last. */
static int
take_recent(struct index *x)
{
	const struct index_row	*r;
	size_t			 i = index_count(x);

	while (i-- > 0 && x->nobodys > 0) {
		r = index_row(x, i);
		if (!index_is_live(r) || (r->flags & INDEX_RECENT) == 0)
			continue;
		if (index_note_recent(x, r->uid) == -1 ||
		    index_set(x, i, r->flags & (uint16_t)~INDEX_RECENT,
		    r->keywords, r->modseq, index_info(x, r)) == -1)
			return -1;
	}
	return 0;
}

int
index_sync(struct index *x, unsigned how)
{
	bool	ours = x->lock == -1;
	int	r = 0, saved;

	if (index_follow(x) == -1)
		return -1;
	if (x->unchecked && (how & INDEX_UNCHECKED) != 0 &&
	    index_is_fresh(x, how) && !takes_recent(x, how))
		return 0;
	if (index_check_rows(x) && index_is_fresh(x, how) &&
	    !takes_recent(x, how))
		return 0;
	/* who cannot have the lock looks for himself */
	if (ours && index_lock(x) == 0)
		r = index_catch_up(x);
	if (r == 0 && !index_is_fresh(x, how)) {
		r = index_look(x, how);
		saved = errno;
		if (r == 0 || x->head.validity != 0)
			index_flush(x);
		errno = saved;
	}
	if (r == 0 && x->lock != -1 && takes_recent(x, how)) {
		r = take_recent(x);
		index_flush(x);
	}
	if (ours)
		index_unlock(x);
	return r;
}
