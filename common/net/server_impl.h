/* common/net/server_impl.h - what the parts of the pool share; nobody else includes this. */
#ifndef NET_SERVER_IMPL_H
#define NET_SERVER_IMPL_H

#include <poll.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/net/server.h"

/* Tags of the packets between listener and worker. */
#define POOL_CLIENT	'c'	/* index in the table of clients, missing for none */
#define POOL_STRESS	's'
#define POOL_SERVICE	'n'	/* name of the listening socket */
#define POOL_PLACE	'p'	/* of the connection in the worker */
#define POOL_DONE	'd'	/* from the worker: ready for the next; the connection is "over" or "kept" */
#define POOL_GONE	'g'	/* from the worker, at any time: the one in this place has ended, too */

/* ---- server_clients.c: who does how much, in memory shared with the workers */

struct clients {
	struct server_client	*slots;
	size_t			 n;		/* a power of two */
	uint64_t		 secret;	/* against chosen collisions */
};

int	clients_init(struct clients *, unsigned max_connections) must_check;
/* The client's slot with one more connect and connection counted, or NULL: no room in the table. */
struct server_client *clients_enter(struct clients *, const struct addr *);
void	clients_leave(struct server_client *);

/* ---- server_worker.c */

struct worker_plan {
	int			 control;	/* its end; the end of file: nothing more comes */
	unsigned		 places;	/* for connections; with more than one these may go on in threads */
	struct server_client	*slots;
	size_t			 nslots;
	const struct server_ops	*ops;
	void			*arg;
};

/* The worker's life; in the child, after everything of the listener is closed. */
_Noreturn void	worker_run(const struct worker_plan *);

/* ---- server_detach.c: connections that go on in threads of the worker */

struct server_worker {
	const struct worker_plan *plan;
	int			 wake;		/* readable: one has ended */
	atomic_uint		 live;		/* threads */
	unsigned		 place;		/* of the present connection */
	bool			 detached;	/* it goes on in a thread */
};

int	detach_init(struct server_worker *, const struct worker_plan *)
	    must_check;
/* Until the last thread has ended. */
void	detach_wait(struct server_worker *);

/* ---- server_pool.c */

/* Of a connection, from its beginning to its end. */
struct place {
	bool			 used;
	struct server_client	*client;
};

struct worker {
	pid_t			 pid;
	int			 fd;		/* -1: it has closed its end */
	bool			 busy;		/* with the connection in the place current */
	bool			 ending;	/* it was told that nothing more comes */
	unsigned		 generation;
	unsigned		 left;		/* sessions, then it is told so */
	struct place		*places;
	unsigned		 nplaces, used, current;
};

struct pool {
	const char		*name;
	const struct server_ops	*ops;
	void			*arg;
	struct server_limits	 limits;
	int			 link, sig;
	int			 giving;	/* a connection that needs a worker, or -1 */
	struct child_fd		 listen[SERVER_LISTEN_MAX];
	unsigned		 nlisten;
	struct worker		*workers;
	size_t			 n, cap;
	struct pollfd		*polls;
	struct clients		 clients;
	struct buf		 rec;
	unsigned		 generation;
	bool			 stopping;
	int64_t			 stop_due, shrink_due, pause_until;
	unsigned long long	 sessions, refused, faults;
	int			 status;
};

/* Room for one more worker, and for whatever else is polled. */
int	pool_room(struct pool *) must_check;
void	pool_keep_spare(struct pool *);
/* It ends when it has read the end of file and its last connection is over. */
void	pool_dismiss(struct worker *);
/* What the workers have to do. */
struct pool_load {
	size_t	ready;		/* workers that can be given a connection */
	size_t	empty;		/* those of them that have none */
	size_t	busy;		/* workers whose session has the process */
	size_t	relays;		/* connections that go on in threads */
	size_t	connections;	/* all of them */
};
struct pool_load pool_load(const struct pool *);
/* A connection to a worker (the descriptor stays the caller's). False: there is none; the client is counted out. */
bool	pool_give(struct pool *, int fd, struct server_client *, const char *service);
void	pool_worker_said(struct pool *, struct worker *);
/* After SIGCHLD. A worker's fault sets the status of the pool. */
void	pool_reap(struct pool *);
/* Logs errno and pauses accepting for a moment. */
void	pool_complain(struct pool *, const char *what);

#endif
