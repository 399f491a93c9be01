/*
 * imapd/fetch_partial.h - how far partials of large messages went (FETCH): clients take these piece by piece, and where a piece begins in the
 * file is not known without what is before it. Some places are kept, so that it is not read from its beginning for each. Pure.
 */
#ifndef IMAPD_FETCH_PARTIAL_H
#define IMAPD_FETCH_PARTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fmt/decode.h"

#define PARTIAL_PLACES	8

struct partial_memo {
	uint64_t	device, inode, size, from;	/* which text of which file; size 0: none */
	int64_t		changed;
	bool		decoded;	/* without its transfer encoding (BINARY) */
	uint64_t	at, made;	/* so many octets are made of what is before at */
	char		last;		/* byte before at */
	struct decode	decode;		/* as it was at at */
};

struct partials {
	struct partial_memo	place[PARTIAL_PLACES];
	unsigned		next;	/* is given away next */
};

/* The last place in the text of begin, which is its first one, that has no more than skip octets before it. */
struct partial_memo partial_resume(const struct partials *, const struct partial_memo *begin, uint64_t skip);
/*
 * The place is kept, which was reached from another one on the way to wanted octets: instead of that one if it is near, else of one that is too far
 * for who goes backwards.
 */
void	partial_keep(struct partials *, const struct partial_memo *, const struct partial_memo *reached_from, uint64_t wanted);
/* Is it far enough from where it began, and about halfway, so that the place should be kept for who goes backwards? */
bool	partial_is_halfway(const struct partial_memo *, const struct partial_memo *reached_from, uint64_t wanted);

#endif
