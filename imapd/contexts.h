/* imapd/contexts.h - searches whose results are kept up to date (RFC 5267): what the updates tell them. */
#ifndef IMAPD_CONTEXTS_H
#define IMAPD_CONTEXTS_H

#include "imapd/session.h"

/* Before the client is told of an expunge, while its number still counts. */
void	contexts_expunged(struct session *, const struct view_change *);
/* After everything was told: flags and arrivals. */
void	contexts_changed(struct session *);
/*
 * Attributes of new messages that they ask for (RFC 5465 7): a list for each of the n (CONTEXTS_MAX at most), empty if it wants none; 0: none of
 * them does.
 */
size_t	contexts_atts(const struct session *, struct str *);
/* A message has come: does it belong to the i-th of them? Asked after contexts_atts. */
bool	contexts_want(struct session *, size_t i, size_t at);
/* The mailbox is left. */
void	contexts_clear(struct session *);

#endif
