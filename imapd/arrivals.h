/*
 * imapd/arrivals.h - new messages of the selected mailbox: what NOTIFY (RFC 5465 5.2) and searches that are kept up to date (7) want to be
 * told of them, in one FETCH for each.
 */
#ifndef IMAPD_ARRIVALS_H
#define IMAPD_ARRIVALS_H

#include "imapd/place.h"

/* Messages from that UID on have come, and the client was told of their number. */
void	arrivals_tell(struct session *, uint32_t uid);
/* This session has put them there itself (UIDs in order): they are no news to it. */
void	arrivals_own(struct session *, const struct place *, const uint32_t *uids, size_t n);
void	arrivals_forget(struct session *);

#endif
