/* common/store/index_look_list.c - a look at dovecot-uidlist, and UIDs for what is new. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/large.h"
#include "common/base/now.h"
#include "common/base/radix.h"
#include "common/store/index_look.h"
#include "common/store/uidlist_file.h"

#define ALONE_MAX	(UINT32_C(1) << 30)	/* 2004 */
#define LOST_MAX	(UINT32_C(1) << 20)	/* UIDs: what a power cut takes of an index is less */

/* There was neither list nor index. */
static int
begin(struct look *k)
{
	uint32_t	validity;

	k->x->alone = false;
	if (store_next_validity(k->x->store, &validity) == -1) {
		if (errno == ENOMEM)
			return -1;
		/* nothing can be written: it is for this session alone, and below all that a clock gives */
		validity = 1 + arc4random_uniform(ALONE_MAX);
		k->x->alone = true;
	}
	index_reset(k->x, validity);
	return 0;
}

/* Numbers that are a session's alone are not written down when that is possible again: the folder begins anew. */
static int
begin_for_all(struct look *k)
{
	uint32_t	validity;

	if (k->x->lock == -1 ||
	    store_next_validity(k->x->store, &validity) == -1)
		return 0;
	k->x->alone = false;
	k->first = k->both = true;
	index_reset(k->x, validity);
	return 0;
}

/* The list has lost UIDs that were told, and the index may be older than these: they are passed over. */
static void
pass_over_lost(const struct index *x, uint32_t *next)
{
	if (x->rebooted && *next < UINT32_MAX - LOST_MAX)
		*next += LOST_MAX;
}

int
look_validity(struct look *k)
{
	struct index		*x = k->x;
	struct index_file_stamp	 now;
	struct str		 id;

	k->first = x->head.validity == 0;
	index_file_stamp(x->dir->root, UIDLIST_FILE, &now);
	if (!k->first && index_stamp_same(&now, &x->head.list))
		return x->alone ? begin_for_all(k) : 0;
	k->both = true;
	if (index_list_read(x, &k->list) == -1)
		return -1;
	if (!k->list.usable && !k->first) {
		pass_over_lost(x, &x->head.next);
		return x->alone ? begin_for_all(k) : 0;
	}
	/* a list without a mailbox's identifier is of POP3, which leaves keywords alone */
	k->courier = k->list.stamp.ino == 0 || (k->first && k->list.usable &&
	    !uidlist_field(k->list.head.more, 'G', &id));
	if (k->list.stamp.ino == 0 &&
	    index_list_read_courier(x, &k->list) == -1)
		return -1;
	if (!k->list.usable)
		return begin(k);
	x->alone = false;
	if (k->list.head.validity != x->head.validity) {
		k->first = true;
		/* it has another name then, too (RFC 8474, 4) */
		if (x->head.validity != 0)
			x->head.mailbox_id[0] = '\0';
		index_reset(x, k->list.head.validity);
	}
	if (uidlist_field(k->list.head.more, 'G', &id) && index_id_ok(id) &&
	    str_copy(x->head.mailbox_id, sizeof(x->head.mailbox_id),
	    id) == -1)
		x->head.mailbox_id[0] = '\0';
	return 0;
}

/*
 * When it came (RFC 8514 3). What lies in new/ was delivered when its name was made; to take it from there changes the time that the
 * file itself has of it.
 */
static int64_t
save_date(const struct look *k, const struct listed *e)
{
	int64_t	now = now_real().tv_sec, named = (int64_t)(e->time / 1000000);

	if ((e->is_new || e->moved) && named > 0 && named <= now)
		return named;
	return k->first ? INDEX_NO_DATE : now;
}

static void
new_one(struct look *k, struct listed *e)
{
	struct newcomer		*w = &k->who[k->nwho];
	const struct newcomer	*known;

	e->number = (uint32_t)k->nwho++;
	*w = (struct newcomer){ .base = listing_base(&k->names, e),
	    .info = listing_info(&k->names, e), .guid = { "", 0 },
	    .time = e->time, .wire = INDEX_UNKNOWN,
	    .saved = save_date(k, e),
	    .is_new = e->is_new, .moved = e->moved };
	if (!maildir_name_size(w->base, 'W', &w->wire))
		w->wire = INDEX_UNKNOWN;
	if (k->x->coming != NULL &&
	    (known = k->x->coming(k->x->coming_arg, w->base)) != NULL) {
		w->guid = known->guid;
		w->saved = known->saved;
		w->recent = known->recent && !w->is_new;
	}
}

static void
take_line(struct newcomer *w, const struct uidlist_line *line)
{
	unsigned long long	wire;
	struct str		value;

	w->uid = line->uid;
	if (w->wire == INDEX_UNKNOWN &&
	    uidlist_field(line->more, 'W', &value) &&
	    str_number(value, INT64_MAX, &wire) == 0)
		w->wire = wire;
	if (uidlist_field(line->more, 'G', &value))
		w->guid = value;
}

static bool
is_unfound(void *arg, const struct uidlist_line *line)
{
	struct look	*k = arg;

	k->unfound += line->uid >= k->x->head.next &&
	    listing_find(&k->names, line->name,
	    index_hash(k->x, line->name)) == NULL;
	return false;
}

size_t
look_unfound(struct look *k)
{
	k->unfound = 0;
	if (k->list.usable)
		index_list_walk(k->x, &k->list, is_unfound, k);
	return k->unfound;
}

/*
 * A line that is of no row. A UID that the index has given out before (below its next) was another message's, or this
 * one's before it was told that it is gone; it is not given out again. A higher one is a foreign program's, and is right.
 */
static bool
is_known(void *arg, const struct uidlist_line *line)
{
	struct look	*k = arg;
	struct index	*x = k->x;
	struct listed	*e;

	e = listing_find(&k->names, line->name, index_hash(x, line->name));
	if (e == NULL)
		return false;
	if (line->uid < x->head.next) {
		k->list.reappeared = true;
		return false;
	}
	if (e->taken) {
		if (e->moved || index_remove(x, e->number,
		    index_next_modseq(x)) == -1)
			return false;
		e->taken = false;
		new_one(k, e);
	}
	if (k->who[e->number].uid != 0)
		return false;
	take_line(&k->who[e->number], line);
	return true;
}

static int
by_name(const void *pa, const void *pb, void *arg)
{
	const struct radix_place	*a = pa, *b = pb;
	const struct newcomer		*who = arg;

	return str_cmp(who[a->number].base, who[b->number].base);
}

/* Those of one key, one run of them after the other. */
static void
sort_equals(struct newcomer *who, struct radix_place *places, size_t n)
{
	size_t	i, end;

	for (i = 0; i < n; i = end) {
		for (end = i + 1; end < n &&
		    places[end].key == places[i].key; end++)
			;
		if (end - i > 1)
			qsort_r(places + i, end - i, sizeof(*places), by_name,
			    who);
	}
}

/* Each goes where it belongs, whose is there goes on, until a circle is closed: newcomers are too large to be had twice. */
static void
put_in_order(struct newcomer *who, struct radix_place *places, size_t n)
{
	struct newcomer	first;
	size_t		i, at, from;

	for (i = 0; i < n; i++) {
		first = who[i];
		for (at = i; (from = places[at].number) != i; at = from) {
			who[at] = who[from];
			places[at].number = (uint32_t)at;
		}
		who[at] = first;
		places[at].number = (uint32_t)at;
	}
}

/* By UID, then those without by arrival. */
static int
sort_newcomers(struct look *k)
{
	struct radix_place	*places;
	size_t			 i;
	int			 r;

	if ((places = calloc(k->nwho + 1, sizeof(*places))) == NULL)
		return -1;
	for (i = 0; i < k->nwho; i++) {
		/* a UID, or far behind them the time */
		places[i].key = k->who[i].uid != 0 ? k->who[i].uid :
		    (UINT64_C(1) << 62) + k->who[i].time;
		places[i].number = (uint32_t)i;
	}
	if ((r = radix_sort(places, k->nwho)) == 0) {
		sort_equals(k->who, places, k->nwho);
		put_in_order(k->who, places, k->nwho);
	}
	free(places);
	return r;
}

static int
find_newcomers(struct look *k)
{
	size_t	i;

	k->who = calloc(k->names.n + 1, sizeof(*k->who));
	if (k->who == NULL)
		return -1;
	large_hint(k->who, (k->names.n + 1) * sizeof(*k->who));
	for (i = 0; i < k->names.n; i++)
		if (!k->names.names[i].taken)
			new_one(k, &k->names.names[i]);
	return 0;
}

static int
add(struct look *k, const struct newcomer *w)
{
	struct index_row	r = { .uid = w->uid, .wire = w->wire,
	    .size = INDEX_UNKNOWN, .date = INDEX_NO_DATE,
	    .saved = w->saved };

	if (k->modseq == 0)
		k->modseq = index_next_modseq(k->x);
	r.modseq = k->modseq;
	index_flags(w->info, &r.flags, &r.keywords);
	if (w->is_new)
		r.flags |= INDEX_IS_NEW;
	if (w->recent && !w->moved)
		r.flags |= INDEX_RECENT;
	if (!maildir_name_size(w->base, 'S', &r.size))
		r.size = INDEX_UNKNOWN;
	if (index_add(k->x, &r, w->base, w->info, w->guid) == -1)
		return -1;
	return w->moved ? index_note_recent(k->x, w->uid) : 0;
}

/* Nothing can be written, and nothing ever was: numbers for this session alone. */
static void
number_for_us(struct look *k)
{
	size_t	i;

	if (!k->first || k->list.usable)
		return;
	for (i = 0; i < k->nwho; i++)
		k->who[i].uid = (uint32_t)i + 1;
}

static int
number(struct look *k)
{
	struct index	*x = k->x;

	if (k->list.read) {
		x->head.list = k->list.stamp;
		if (k->list.usable)
			x->head.dead = k->list.dead;
	}
	if (x->lock == -1) {
		number_for_us(k);
		return 0;
	}
	if (index_list_number(x, &k->list, k->who, k->nwho) == 0)
		return 0;
	if (errno == EOVERFLOW &&
	    index_list_anew(x, &k->list, k->who, k->nwho) == 0) {
		k->modseq = 0;
		return 0;
	}
	if ((errno == EAGAIN && !k->last) || errno == ENOMEM)
		return -1;
	number_for_us(k);
	return 0;
}

static size_t
names_size(const struct look *k)
{
	size_t	i, n = 0;

	for (i = 0; i < k->nwho; i++)
		n += k->who[i].base.n + k->who[i].info.n + k->who[i].guid.n;
	return n;
}

int
look_newcomers(struct look *k)
{
	struct index	*x = k->x;
	size_t		 i;

	if (find_newcomers(k) == -1)
		return -1;
	if (k->list.usable) {
		index_list_walk(x, &k->list, is_known, k);
		if (k->list.damaged)
			pass_over_lost(x, &k->list.next);
	}
	look_rename_odd(k);
	if ((k->nwho > 1 && sort_newcomers(k) == -1) || number(k) == -1 ||
	    (k->nwho > 1 && index_reserve(x, k->nwho, names_size(k)) == -1))
		return -1;
	for (i = 0; i < k->nwho; i++) {
		newcomer_ahead(k->who, i, k->nwho);
		if (k->who[i].uid == 0)
			k->waiting = true;
		else if (add(k, &k->who[i]) == -1)
			return -1;
	}
	if (k->list.usable && k->list.next > x->head.next)
		x->head.next = k->list.next;
	return 0;
}
