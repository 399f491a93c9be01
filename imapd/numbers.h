/* imapd/numbers.h - which messages a command means: sequence sets, UIDs, "$" (RFC 5182). */
#ifndef IMAPD_NUMBERS_H
#define IMAPD_NUMBERS_H

#include "imapd/session.h"

/*
 * The set at the cursor, as messages of the view in order (array in the arena). Sequence numbers beyond the mailbox,
 * also in "9:*", and '*' in an empty one: BAD (RFC 9051 9: seq-number); UIDs that are not there are passed over. False: BAD (or NO) has been said.
 */
bool	numbers_take(struct session *, struct command *, bool uid, size_t **at, size_t *n);
/* Messages of a set that was ended with the right largest number. -1: errno. */
int	numbers_resolve(struct session *, const struct imap_set *, bool uid, size_t **at, size_t *n) must_check;
/* The number or UID that '*' means. */
uint32_t numbers_largest(const struct session *, bool uid);

/* What "$" stands for: UIDs in order. SEARCH with SAVE sets it; those that the view shows no more are passed over (RFC 5182 2.1). */
struct search_result {
	uint32_t	*uids;
	size_t		 n;
};
int	result_set(struct session *, const uint32_t *uids, size_t n) must_check;
void	result_clear(struct session *);

#endif
