/*
 * common/proc/peers.h - an event-driven server on named SEQPACKET sockets:
 * bounded clients, one packet at a time to a callback. A malformed packet costs
 * the client its connection. Of one that does not read its answers nothing more
 * is read until it does.
 */
#ifndef PROC_PEERS_H
#define PROC_PEERS_H

#include <event2/event.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/proc/msg.h"

struct peers;	/* the server */
struct peer;	/* one client */

struct peers_ops {
	/* One packet. Descriptors left in fds are closed. -1: drop the client. */
	int	(*packet)(void *, struct peer *, struct buf *, struct msg_fds *);
	/* The client is about to be forgotten; NULL if nobody wants to know. */
	void	(*gone)(void *, struct peer *);
};

/* max: clients at a time; further ones wait in the queue of the socket. */
int	peers_new(struct peers **, struct event_base *, size_t max, const struct peers_ops *, void *) must_check;
/* Serves a listening socket (owned from now on); role is what its name says about its clients. */
int	peers_listen(struct peers *, int fd, unsigned role) must_check;
void	peers_free(struct peers **);	/* closes everything; gone is called */
size_t	peers_count(const struct peers *);

unsigned peer_role(const struct peer *);
/*
 * An answer. It waits for room if need be, with those behind it, up to 32 MiB for a minute; from 8 MiB on nothing
 * is read. -1: to be dropped (return -1, or peer_drop from outside the callback).
 */
int	peer_send(struct peer *, const struct buf *) must_check;
void	peer_drop(struct peer *);
/* Something of the user of this module, NULL at first. */
void	peer_set(struct peer *, void *);
void	*peer_get(const struct peer *);

#endif
