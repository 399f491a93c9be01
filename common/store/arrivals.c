/*
 * common/store/arrivals.c - what this program has put into a folder gets its UIDs. The files are in cur/ before they have any, so who
 * does not hold the folder, or another program, may be faster: then they have them already.
 */
#include "common/store/arrivals.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/store/index.h"
#include "common/store/keywords.h"
#include "common/store/listing.h"

#define TRIES	4

struct arrivals {
	struct maildir	dir;
	struct index	x;
	char		folder[MAILDIR_FOLDER_MAX + 1];
	/* when it was opened */
	bool		unchanged;	/* cur/ was as the index has it */
	uint32_t	next, validity;	/* UID */
};

int
arrivals_open(struct arrivals **out, struct store *s, const char *folder,
    struct diag *why)
{
	struct arrivals	*a;

	*out = NULL;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return diag_errno(why, "open the folder");
	a->x.lock = a->x.fd = -1;
	if (strlcpy(a->folder, folder, sizeof(a->folder)) >=
	    sizeof(a->folder)) {
		free(a);
		errno = ENAMETOOLONG;
		return diag_errno(why, "open the folder");
	}
	if (store_open_folder(s, folder, true, &a->dir, why) == -1) {
		arrivals_close(&a);
		return -1;
	}
	a->dir.how = store_durable(s, a->dir.cur);
	if (index_init(&a->x, &a->dir, s) == -1 ||
	    index_catch_up(&a->x) == -1) {
		diag_errno(why, "open the folder");
		arrivals_close(&a);
		return -1;
	}
	a->unchanged = index_is_fresh(&a->x, INDEX_KEEP_NEW);
	a->next = a->unchanged ? a->x.head.next : 1;
	a->validity = a->x.head.validity;
	*out = a;
	return 0;
}

void
arrivals_close(struct arrivals **arrivals)
{
	struct arrivals	*a = *arrivals;
	int		 saved = errno;

	if (a == NULL)
		return;
	index_free(&a->x);
	maildir_close(&a->dir);
	free(a);
	*arrivals = NULL;
	errno = saved;
}

bool
arrivals_is_there(const struct arrivals *a)
{
	return store_is_there(a->x.store, a->folder, a->dir.cur);
}

int
arrivals_hold(struct arrivals *a)
{
	if (index_lock(&a->x) == -1) {
		/* the lock's file could not be made in what is no more */
		if (errno == ENOENT)
			errno = ESTALE;
		return -1;
	}
	if (arrivals_is_there(a))
		return 0;
	index_unlock(&a->x);
	errno = ESTALE;
	return -1;
}

void
arrivals_let_go(struct arrivals *a)
{
	index_unlock(&a->x);
}

const struct maildir *
arrivals_maildir(const struct arrivals *a)
{
	return &a->dir;
}

int
arrivals_keyword(struct arrivals *a, struct str name, char *letter)
{
	int	number;

	*letter = 0;
	if (!keyword_ok(name))
		return 0;
	number = keywords_find(a->x.keyword, name);
	if (number == -1)
		number = index_make_keyword(&a->x, name);
	if (number == -1)
		return errno == EMLINK ? 0 : -1;
	*letter = keyword_letter(number);
	return 0;
}

/*
 * Was the last change of cur/ the arrival of one of these? Then the folder need not be read for them.
 */
static bool
only_ours(const struct arrivals *a, const struct arrival *what, size_t n)
{
	struct stat	st;
	int64_t		mtime, changed, last = 0;
	size_t		i;

	for (i = 0; i < n; i++) {
		if (fstatat(a->dir.cur, what[i].file, &st,
		    AT_SYMLINK_NOFOLLOW) == -1)
			return false;
		changed = st.st_ctim.tv_sec * INT64_C(1000000000) +
		    st.st_ctim.tv_nsec;
		if (changed > last)
			last = changed;
	}
	return a->unchanged && listing_mtime(a->dir.cur, &mtime) == 0 &&
	    mtime <= last;
}

static void
newcomer(const struct arrival *what, struct newcomer *w)
{
	struct str	name = str_from(what->file);

	*w = (struct newcomer){ .base = maildir_name_base(name),
	    .uid = what->uid, .recent = true,
	    .guid = what->guid, .saved = what->saved,
	    .wire = what->wire != 0 ? what->wire : INDEX_UNKNOWN };
	w->info = (struct str){ name.p + w->base.n, name.n - w->base.n };
}

static int
add(struct index *x, const struct newcomer *w, uint64_t modseq)
{
	struct index_row	r = { .uid = w->uid, .modseq = modseq,
	    .wire = w->wire, .size = INDEX_UNKNOWN, .date = INDEX_NO_DATE,
	    .saved = w->saved };

	if (!maildir_name_size(w->base, 'S', &r.size))
		r.size = INDEX_UNKNOWN;
	index_flags(w->info, &r.flags, &r.keywords);
	r.flags |= INDEX_RECENT;
	return index_add(x, &r, w->base, w->info, w->guid);
}

/* UIDs by the list alone, for those that have none yet; nothing else has changed. EAGAIN: the folder has to be looked at. */
static int
number_ours(struct arrivals *a, struct arrival *what, size_t n)
{
	struct newcomer	*who;
	struct uid_list	 list;
	uint64_t	 modseq;
	size_t		 i;
	int		 r;

	if ((who = calloc(n + 1, sizeof(*who))) == NULL)
		return -1;
	index_list_init(&list);
	for (i = 0; i < n; i++)
		newcomer(&what[i], &who[i]);
	if ((r = index_list_number(&a->x, &list, who, n)) == 0) {
		modseq = index_next_modseq(&a->x);
		for (i = 0; i < n && r == 0; i++)
			if (who[i].uid == 0) {
				errno = EINVAL;	/* no name for a list */
				r = -1;
			} else if (what[i].uid == 0) {
				what[i].uid = who[i].uid;
				r = add(&a->x, &who[i], modseq);
			}
	}
	if (r == 0)
		r = index_own_change(&a->x, true);
	index_list_free(&list);
	free(who);
	return r;
}

/* What is to be numbered, by its base names. */
struct expected {
	const struct arrival	*what;
	uint64_t		 seed;
	uint32_t		*slots;		/* number + 1 */
	size_t			 nslots;
	struct newcomer		*one;		/* the last that was asked for */
};

static size_t
slot_of(const struct expected *e, struct str base)
{
	return (size_t)hash_bytes(e->seed, base.p, base.n) & (e->nslots - 1);
}

static int
expect(struct expected *e, const struct index *x, const struct arrival *what,
    size_t n)
{
	size_t	i, at;

	e->what = what;
	e->seed = x->head.seed;
	for (e->nslots = 16; e->nslots < 2 * n;)
		e->nslots *= 2;
	if ((e->slots = calloc(e->nslots, sizeof(*e->slots))) == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		at = slot_of(e, maildir_name_base(str_from(what[i].file)));
		while (e->slots[at] != 0)
			at = (at + 1) & (e->nslots - 1);
		e->slots[at] = (uint32_t)i + 1;
	}
	return 0;
}

/* SIZE_MAX: it is none of these. */
static size_t
is_expected(const struct expected *e, struct str base)
{
	size_t	at = slot_of(e, base), i;

	for (; e->slots[at] != 0; at = (at + 1) & (e->nslots - 1)) {
		i = e->slots[at] - 1;
		if (str_eq(maildir_name_base(str_from(e->what[i].file)), base))
			return i;
	}
	return SIZE_MAX;
}

/* For a look, which would know nothing but the file. */
static const struct newcomer *
coming(const void *arg, struct str base)
{
	const struct expected	*e = arg;
	size_t			 i = is_expected(e, base);

	if (i == SIZE_MAX)
		return NULL;
	newcomer(&e->what[i], e->one);
	return e->one;
}

/* UIDs of those that a look has found: they are not older than we are. gone: others may have removed them already. */
static bool
find_ours(const struct arrivals *a, const struct expected *e,
    struct arrival *what, size_t n, bool gone)
{
	const struct index_row	*r;
	const struct index	*x = &a->x;
	uint32_t		 first = a->next;
	size_t			 i, at, found = 0;

	for (i = 0; i < n; i++)
		what[i].uid = 0;
	if (x->head.validity != a->validity)
		first = 1;
	for (i = index_find(x, first, SIZE_MAX); i < index_count(x); i++) {
		r = index_row(x, i);
		at = gone || index_is_live(r) ?
		    is_expected(e, index_base(x, r)) : SIZE_MAX;
		if (at == SIZE_MAX)
			continue;
		found += what[at].uid == 0;
		what[at].uid = r->uid;
	}
	return found == n;
}

/*
 * Where foreign programs rename meanwhile a look may miss them. What is not found in the end has been removed, so that nothing
 * remembers it any more, or gets its UID as soon as it can be found.
 */
static int
look_for(struct arrivals *a, const struct expected *e, struct arrival *what,
    size_t n)
{
	int	i;
	bool	found = false;

	for (i = 0; i < TRIES && !found; i++) {
		if (index_sync(&a->x, INDEX_KEEP_NEW | INDEX_ALL) == -1)
			return -1;
		found = find_ours(a, e, what, n, true);
	}
	return 0;
}

static int
number(struct arrivals *a, const struct expected *e, struct arrival *what,
    size_t n)
{
	struct index	*x = &a->x;
	int		 r;

	if (index_catch_up(x) == -1)
		return -1;
	if (find_ours(a, e, what, n, false))
		return 0;
	if (x->head.validity != 0 && only_ours(a, what, n)) {
		if (number_ours(a, what, n) == 0)
			return 0;
		if (errno != EAGAIN && errno != EOVERFLOW)
			return -1;
	}
	x->coming = coming;
	x->coming_arg = e;
	r = look_for(a, e, what, n);
	x->coming = NULL;
	return r;
}

int
arrivals_number(struct arrivals *a, struct arrival *what, size_t n,
    uint32_t *validity)
{
	struct newcomer	one;
	struct expected	e = { .one = &one };
	bool		held = a->x.lock != -1;
	int		r, saved;

	if (!held && index_lock(&a->x) == -1)
		return -1;
	if ((r = expect(&e, &a->x, what, n)) == 0)
		r = number(a, &e, what, n);
	saved = errno;
	free(e.slots);
	*validity = a->x.head.validity;
	index_flush(&a->x);
	if (!held)
		index_unlock(&a->x);
	errno = saved;
	return r;
}
