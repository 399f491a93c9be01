/*
 * common/net/relay.h - bytes in and out for a session that is a process of its own, while the TLS of its client stays
 * here. It looks at none of them and holds none back; what waits is bounded, and an idle relay holds no buffers.
 */
#ifndef NET_RELAY_H
#define NET_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/net/conn.h"

#define RELAY_SIZE	65536	/* bytes that wait, in each direction */

struct relay_result {
	uint64_t	 from_client, to_client;	/* bytes */
	bool		 back;				/* the session has given the client back */
	const char	*why;				/* how it ended; NULL: the client can go on here */
};

/* The two ends of what goes between: both close-on-exec, ours non-blocking; the other is the session's. */
int	relay_pair(int *ours, int *other) must_check;
/*
 * Until the session closes its end (the rest still goes to the client) or the client has gone (the rest still goes to
 * the session). What client has pending, in and out, goes first. An end of what the client says is passed on;
 * the session may still answer. A client that takes nothing for stall ms has gone. Once stop_fd (-1: none) is readable
 * the session has some seconds to end; it is not read from, so that it can be many relays'. Nothing is closed here: neither client nor inner, which is ours.
 * Any number of these may run in threads of one process, each with a client of its own.
 *
 * A session may give the client back, see relay_give_back: then what it said before is with the client, and what the client said
 * and the session has not used is pending in client, in its order, before what is still to be read. The session is believed nothing but
 * that it is over: who the client is, the caller knows, and what comes back may be anything that the session likes to
 * say in the client's name. It has some seconds, and as much as client holds; else why says what went wrong.
 */
void	relay_run(struct conn *client, int inner, int64_t stall_ms, int stop_fd, struct relay_result *);
/*
 * The session's side, when all of its own is sent: the mark, within so many ms. It is a message with a descriptor, which nothing
 * that the session passes on can be: token is any that it has and nobody would miss; the relay has no room for it, and gets none. After it the session sends what it has
 * read and not used, then all that it still reads, until the end; then it closes its own end. -1: errno.
 */
int	relay_give_back(int, int token, int64_t timeout_ms) must_check;

#endif
