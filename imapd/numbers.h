/* imapd/numbers.h - which messages a command means: sequence sets, UIDs, "$" (RFC 5182). */
#ifndef IMAPD_NUMBERS_H
#define IMAPD_NUMBERS_H

#include "imapd/session.h"

/*
 * The set at the cursor, as messages of the view in order (array in the arena). Sequence numbers beyond the mailbox: BAD (RFC 3501 9: seq-number);
 * UIDs that are not there are passed over. False: BAD has been said.
 */
bool	numbers_take(struct session *, struct command *, bool uid, size_t **at, size_t *n);

/* What "$" stands for: UIDs in order. SEARCH with SAVE sets it, expunges take from it. */
struct search_result {
	uint32_t	*uids;
	size_t		 n;
};
int	result_set(struct session *, const uint32_t *uids, size_t n) must_check;
void	result_clear(struct session *);
/* Messages of a resolved set, as numbers_take. */
int	numbers_resolve(struct session *, const struct imap_set *, bool uid, size_t **at, size_t *n) must_check;

#endif
