/*
 * route/hop_outbox.h - answers that queue has no room for at the moment: many
 * may become known at once. They wait a little, within bounds.
 */
#ifndef ROUTE_HOP_OUTBOX_H
#define ROUTE_HOP_OUTBOX_H

#include <event2/event.h>

#include "common/proc/peers.h"

#define HOP_OUTBOX_MAX		8192u
#define HOP_OUTBOX_BYTES	(32u << 20)
#define HOP_OUTBOX_MS		30000	/* a client that reads nothing for so long is dropped */

struct hop_outbox;

int	hop_outbox_new(struct hop_outbox **, struct event_base *) must_check;
void	hop_outbox_free(struct hop_outbox **);
/* Now or later. -1: the client is to be dropped. */
int	hop_outbox_send(struct hop_outbox *, struct peer *, const struct buf *) must_check;
/* The client has gone, and its answers with it; NULL: all answers. */
void	hop_outbox_forget(struct hop_outbox *, const struct peer *);

#endif
