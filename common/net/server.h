/*
 * common/net/server.h - a pool of pre-forked workers behind listening
 * sockets (smtp, lmtp, the fronts of pop3). The listener accepts, counts
 * clients, and hands each connection to a spare worker; it reads not one byte
 * of a connection. A connection that needs little more may go on in a thread
 * of its worker, which takes the next one meanwhile. If a worker dies of a fault (SIGSEGV, SIGBUS, SIGILL, SIGABRT, SIGFPE, SIGSYS)
 * the listener drains and ends with EX_SOFTWARE, so that the master
 * starts a fresh image: forks of one image are no oracle for guessing addresses.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/net/addr.h"
#include "common/proc/child.h"
#include "common/proc/link.h"

#define SERVER_LISTEN_MAX	16

struct server_limits {
	unsigned	min_spare;		/* idle workers kept ready */
	unsigned	max_workers;		/* = connections at a time in total */
	unsigned	sessions_per_worker;	/* then the worker ends, when the last that goes on in it has ended */
	unsigned	relays_per_worker;	/* that go on in it; 0 or 1: none does, see server_detach */
	unsigned	client_connections;	/* at a time per client; 0 = no limit */
	unsigned	client_connection_rate;	/* per minute per client; 0 = no limit */
};

/* Shared (mmap) with the workers: what a client did in the present minute. Messages and recipients are counted by the workers. */
struct server_client {
	atomic_uint	connections;
	atomic_uint	minute;		/* of the counts below */
	atomic_uint	connects, messages, recipients;
	uint8_t		ip[16];		/* set by the listener only */
};

struct server_worker;

struct server_session {
	int			 fd;		/* owned by the callee, non-blocking, close-on-exec */
	struct addr		 peer, local;
	struct server_client	*client;	/* NULL for a UNIX peer */
	char			 service[CHILD_NAME_MAX]; /* name of the listening socket: "pop3s" */
	bool			 greeted;	/* the listener has sent the greeting */
	bool			 stress;	/* nearly all workers are busy: shorten time-outs */
	const volatile int	*stop;		/* becomes non-zero: finish the command, say good-bye */
	struct server_worker	*worker;	/* for server_detach; NULL: the session has no worker */
};

struct server_ops {
	/* In each worker, once, before its first session: narrower sandbox, connections to other programs. -1: the worker ends, logged. */
	int	(*worker_init)(void *);
	void	(*session)(void *, const struct server_session *);
	/* In the listener: bytes to send (blocking is impossible: one send(2)) to a client that is refused; "" closes silently. */
	const char *(*refusal)(void *, const char *service, bool too_many_total);
	/*
	 * In the listener: the first words to a client that is let in, sent while a worker wakes up
	 * (one send(2)); the pointer stays valid until reload. NULL: nothing for this service; the member may be NULL.
	 */
	const char *(*greeting)(void *, const char *service);
	/*
	 * New settings came over the link; workers forked from now on use them. Fills limits. Of the descriptors it
	 * takes those that are no listening sockets, by setting them to -1. -1: keep the old ones.
	 */
	int	(*reload)(void *, struct link_event *, struct server_limits *);
};

/*
 * The connection goes on in a thread of the worker: run(arg), which owns all that arg leads to and shares nothing
 * that changes with the worker. It has a stack of 64 KiB, sees no signals, and has to end by itself when sig_wake_fd()
 * is readable (without reading it). 0: the session returns and lets everything of the connection be. -1: it goes on itself, for
 * the worker has no second thread (ENOTSUP) or cannot have one more.
 */
int	server_detach(const struct server_session *, void (*run)(void *), void *arg) must_check;

/*
 * Counts one message (what = 'm'), recipient ('r') or new beginning of a connection ('c') of this minute and answers: is the count now
 * within the limit? limit 0: always yes.
 */
bool	server_rate_ok(struct server_client *, char what, unsigned limit);

/* As many descriptors as the system lets us have; to be called before the sandbox is entered. */
void	server_raise_limits(void);

/*
 * Runs until the master says stop (link fd, see proc/link.h) or closes the link. The listening sockets (owned from
 * now on) have the names of their services; they come from the link on reload. Returns a sysexits status for main to return.
 * Status counters: workers, busy (those of them that the sessions have), relays (that go on in threads), sessions, refused, faults.
 */
int	server_run(const char *name, int link_fd, const struct child_fd *listen, unsigned n,
	    const struct server_limits *, const struct server_ops *, void *arg)
	    must_check;

#endif
