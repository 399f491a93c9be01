/*
 * imapd/search_run.h - a search program meets messages. For each message the keys that cost nothing are asked first, then dates and sizes,
 * what is cached of the header, the header itself, and the text last.
 */
#ifndef IMAPD_SEARCH_RUN_H
#define IMAPD_SEARCH_RUN_H

#include "imapd/progress.h"
#include "imapd/search_parse.h"
#include "imapd/session.h"

struct search_run;	/* opaque */

/*
 * Sequence numbers, '*' and "$" mean what they mean now. The program is sorted by cost, and has to stay as long as the run. -1: ENOMEM.
 */
int	search_begin(struct search_run **, struct session *, struct view *, struct search_program *) must_check;
/* A program that is kept: names of keywords are looked up anew, the clock is, and '*' among UIDs. */
void	search_again(struct search_run *);
/* -1: errno. One that is gone does not match. */
int	search_match(struct search_run *, size_t at, bool *) must_check;
void	search_free(struct search_run **);

/* Messages of the view that match, in order; free at. */
struct found {
	uint32_t	*at;
	size_t		 n;
	uint32_t	 limited;	/* UID of the lowest that was looked at; 0: all were */
};
/*
 * Where to begin if no more than most messages are to be looked at, those with the highest UIDs; messages that sets of the program
 * leave out are not counted (RFC 9738 3.1). 0: with the first one.
 */
size_t	search_limit(const struct search_run *, uint64_t most);
/* From there on. -1: errno; ECANCELED: see progress.h. */
int	search_all(struct search_run *, struct progress *, size_t from, struct found *) must_check;

#endif
