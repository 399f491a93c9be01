/* common/store/listing.h - the names in new/ and cur/ of a Maildir, at one time, to be found by their base names. */
#ifndef STORE_LISTING_H
#define STORE_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/store/maildir.h"

struct listed {
	uint64_t	time;		/* microseconds since 1970, as its name says, or 0 */
	uint32_t	at;		/* of its name, in text */
	uint32_t	hash;		/* of its base name */
	uint8_t		base_len, info_len;
	bool		is_new;
	bool		taken, moved;	/* these are the caller's */
	uint32_t	number;
};

/* A base name that is there twice: this one is not listed. */
struct listed_twice {
	uint32_t	of, at;		/* number of the one that is; its name, in text */
	bool		is_new;
};
#define LISTING_DOUBLES	16

struct listing {
	uint64_t	 seed;
	struct buf	 text;		/* names, each with a NUL behind it */
	struct listed	*names;
	size_t		 n, cap;
	uint32_t	*slots;		/* number + 1 by hash */
	size_t		 nslots;
	int64_t		 mtime[2];	/* of new and cur, ns, before they were read */
	int64_t		 begun;		/* ns since 1970 */
	bool		 is_stable;	/* nothing was renamed meanwhile, as far as the clock shows */
	bool		 is_certain;	/* ... and that was far enough: what is not listed is not there */
	size_t		 ndoubles;
	struct listed_twice doubles[LISTING_DOUBLES];
};

void	listing_init(struct listing *, uint64_t seed);
void	listing_free(struct listing *);
/*
 * Reads new/, and cur/ if both; again, with a pause, as long as something changed meanwhile, up to a few times. certain: those that are not in it
 * have to be gone, so it is waited until the clock of the file system has gone on. -1: errno.
 */
int	listing_read(struct listing *, const struct maildir *, bool both, bool certain) must_check;
/* NULL: there is none. */
struct listed *listing_find(const struct listing *, struct str base, uint32_t hash);
const char *listing_name(const struct listing *, const struct listed *);
struct str listing_base(const struct listing *, const struct listed *);
struct str listing_info(const struct listing *, const struct listed *);
/* mtime, in nanoseconds. -1: errno. */
int	listing_mtime(int dir, int64_t *) must_check;
/* How long the clock of a file system may stand still, by a time that it gave; ns. */
int64_t	listing_tick(int64_t mtime);
/* The clock of the file systems here, ns since 1970: to be taken before a directory is read. */
int64_t	listing_clock(void);
/* Is that time of a directory so old by then, or by a clock that is so far ahead, that the next change will give it another? */
bool	listing_is_old(int64_t mtime, int64_t clock);

#endif
