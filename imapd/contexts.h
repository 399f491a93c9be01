/* imapd/contexts.h - searches whose results are kept up to date (RFC 5267): what the updates tell them. */
#ifndef IMAPD_CONTEXTS_H
#define IMAPD_CONTEXTS_H

#include "imapd/session.h"

/* Before the client is told of an expunge, while its number still counts. */
void	contexts_expunged(struct session *, const struct view_change *);
/* After everything was told: flags and arrivals. */
void	contexts_changed(struct session *);
/* The mailbox is left. */
void	contexts_clear(struct session *);

#endif
