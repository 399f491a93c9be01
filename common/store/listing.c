/*
 * common/store/listing.c - directories read in big pieces. Others rename while we read: a name that moves may be seen twice or
 * not at all, and then the time of the directory's last change is another one, if the clock has gone on since the one before.
 */
#include "common/store/listing.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/hash.h"
#include "common/base/large.h"
#include "common/base/now.h"
#include "common/fmt/cur.h"

#define PIECE		(128u << 10)
#define TRIES		5
#define PAUSE		25000000L	/* ns: longer than a tick of any kernel */
#define SECOND		INT64_C(1000000000)
#define TEXT_MAX	((size_t)2 << 30)
#define NAMES_MIN	64
#define NAMES_MAX	(64u << 20)
#define SECONDS_MAX	(UINT64_C(1) << 40)

void
listing_init(struct listing *l, uint64_t seed)
{
	*l = (struct listing){ .seed = seed };
	buf_init(&l->text, TEXT_MAX);
}

void
listing_free(struct listing *l)
{
	buf_free(&l->text);
	free(l->names);
	free(l->slots);
	listing_init(l, l->seed);
}

const char *
listing_name(const struct listing *l, const struct listed *e)
{
	return l->text.p + e->at;
}

struct str
listing_base(const struct listing *l, const struct listed *e)
{
	return (struct str){ l->text.p + e->at, e->base_len };
}

struct str
listing_info(const struct listing *l, const struct listed *e)
{
	return (struct str){ l->text.p + e->at + e->base_len, e->info_len };
}

static void
put_slot(struct listing *l, size_t number)
{
	size_t	at = l->names[number].hash & (l->nslots - 1);

	while (l->slots[at] != 0)
		at = (at + 1) & (l->nslots - 1);
	l->slots[at] = (uint32_t)number + 1;
}

static int
grow(struct listing *l)
{
	size_t		 cap = l->cap == 0 ? NAMES_MIN : 2 * l->cap, i;
	struct listed	*names;
	uint32_t	*slots;

	if (cap > NAMES_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if ((names = reallocarray(l->names, cap, sizeof(*names))) == NULL)
		return -1;
	large_hint(names, cap * sizeof(*names));
	l->names = names;
	if ((slots = calloc(2 * cap, sizeof(*slots))) == NULL)
		return -1;
	free(l->slots);
	l->slots = slots;
	l->nslots = 2 * cap;
	l->cap = cap;
	for (i = 0; i < l->n; i++)
		put_slot(l, i);
	return 0;
}

struct listed *
listing_find(const struct listing *l, struct str base, uint32_t hash)
{
	struct listed	*e;
	size_t		 at;

	if (l->nslots == 0)
		return NULL;
	for (at = hash & (l->nslots - 1); l->slots[at] != 0;
	    at = (at + 1) & (l->nslots - 1)) {
		e = &l->names[l->slots[at] - 1];
		if (e->hash == hash && str_eq(listing_base(l, e), base))
			return e;
	}
	return NULL;
}

/* "1764000000.M123456P1..." orders by time. */
static uint64_t
arrival(struct str name)
{
	struct cur		c = cur_from(name);
	unsigned long long	seconds = 0, micro = 0;

	if (!cur_number(&c, SECONDS_MAX, &seconds))
		return 0;
	if (cur_word(&c, STR(".M")) && !cur_number(&c, 999999, &micro))
		micro = 0;
	return seconds * 1000000 + micro;
}

/* The more of them there are the less it matters: they come with the next look. */
static int
see_double(struct listing *l, const struct listed *e, const char *name,
    size_t n, bool is_new)
{
	struct listed_twice	*d = &l->doubles[l->ndoubles];

	if (l->ndoubles == LISTING_DOUBLES || l->text.n > UINT32_MAX)
		return 0;
	*d = (struct listed_twice){ .of = (uint32_t)(e - l->names),
	    .at = (uint32_t)l->text.n, .is_new = is_new };
	l->ndoubles++;
	return buf_add(&l->text, name, n + 1);
}

static int
see(struct listing *l, const char *name, size_t n, bool is_new)
{
	struct str	 base = maildir_name_base((struct str){ name, n });
	uint64_t	 h;
	struct listed	*e;

	if (base.n == 0 || n > MAILDIR_NAME_MAX)
		return 0;
	h = hash_bytes(l->seed, base.p, base.n);
	h ^= h >> 32;
	if ((e = listing_find(l, base, (uint32_t)h)) != NULL)
		return see_double(l, e, name, n, is_new);
	if ((l->n == l->cap && grow(l) == -1) || l->text.n > UINT32_MAX)
		return -1;
	e = &l->names[l->n];
	*e = (struct listed){ .time = arrival(base), .hash = (uint32_t)h,
	    .at = (uint32_t)l->text.n, .base_len = (uint8_t)base.n,
	    .info_len = (uint8_t)(n - base.n), .is_new = is_new };
	if (buf_add(&l->text, name, n + 1) == -1)
		return -1;
	put_slot(l, l->n++);
	return 0;
}

static int
see_all(struct listing *l, const char *p, size_t n, bool is_new)
{
	const struct dirent64	*d;

	while (n > 0) {
		d = (const void *)p;
		if (d->d_name[0] != '.' && d->d_type != DT_DIR &&
		    see(l, d->d_name, strlen(d->d_name), is_new) == -1)
			return -1;
		p += d->d_reclen;
		n -= d->d_reclen;
	}
	return 0;
}

static int
read_dir(struct listing *l, int dir, bool is_new, void *piece)
{
	ssize_t	n;
	int	fd, r = 0;

	if ((fd = fdio_opendir(dir, ".")) == -1)
		return -1;
	while (r == 0 && (n = getdents64(fd, piece, PIECE)) != 0)
		r = n == -1 ? -1 : see_all(l, piece, (size_t)n, is_new);
	fdio_close(&fd);
	return r;
}

int
listing_mtime(int dir, int64_t *out)
{
	struct stat	st;

	if (fstat(dir, &st) == -1)
		return -1;
	*out = st.st_mtim.tv_sec * SECOND + st.st_mtim.tv_nsec;
	return 0;
}

int64_t
listing_tick(int64_t mtime)
{
	return mtime % SECOND == 0 ? 2 * SECOND : PAUSE;
}

int64_t
listing_clock(void)
{
	struct timespec	now = now_ticked();

	return now.tv_sec * SECOND + now.tv_nsec;
}

bool
listing_is_old(int64_t mtime, int64_t clock)
{
	return clock - mtime > listing_tick(mtime) ||
	    mtime - clock > 2 * SECOND;
}

static int
read_once(struct listing *l, const struct maildir *m, bool both, void *piece)
{
	int64_t	after[2] = { 0, 0 };

	l->n = l->text.n = l->ndoubles = 0;
	if (l->nslots > 0)
		memset(l->slots, 0, l->nslots * sizeof(*l->slots));
	l->begun = listing_clock();
	/* new first: what moves from there to cur meanwhile is seen */
	if (listing_mtime(m->new, &l->mtime[0]) == -1 ||
	    listing_mtime(m->cur, &l->mtime[1]) == -1 ||
	    read_dir(l, m->new, true, piece) == -1 ||
	    (both && read_dir(l, m->cur, false, piece) == -1) ||
	    listing_mtime(m->new, &after[0]) == -1 ||
	    listing_mtime(m->cur, &after[1]) == -1)
		return -1;
	l->is_stable = l->mtime[0] == after[0] &&
	    (!both || l->mtime[1] == after[1]);
	l->is_certain = l->is_stable &&
	    listing_is_old(l->mtime[0], l->begun) &&
	    (!both || listing_is_old(l->mtime[1], l->begun));
	return 0;
}

int
listing_read(struct listing *l, const struct maildir *m, bool both,
    bool certain)
{
	const struct timespec	pause = { 0, PAUSE };
	void			*piece;
	int			 tries, r = 0;

	if ((piece = malloc(PIECE)) == NULL)
		return -1;
	for (tries = 0; tries < TRIES; tries++) {
		if (tries > 0 && certain)
			nanosleep(&pause, NULL);
		if ((r = read_once(l, m, both, piece)) == -1 ||
		    (certain ? l->is_certain : l->is_stable))
			break;
	}
	free(piece);
	return r;
}
