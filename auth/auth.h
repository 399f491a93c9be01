/* auth/auth.h - the state of the daemon auth(8), shared by its parts. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "auth/backoff.h"
#include "auth/request.h"
#include "common/proc/peers.h"
#include "common/proc/service.h"
#include "common/proc/settings.h"
#include "common/store/users.h"

#define AUTH_WORKERS	2
#define AUTH_JOBS_MAX	2000	/* logins under way */
#define AUTH_SESSION_MS	30000	/* how long the master may take */
#define AUTH_HELD_FROM	3	/* so many failures of a client: its next tries wait, too */

/* A login is held (its client has failed too often), waits for a worker, is being checked, waits for the master, or waits to be refused. */
enum job_state { JOB_HELD, JOB_WAITING, JOB_CHECKING, JOB_SESSION, JOB_REFUSED };

struct job {
	TAILQ_ENTRY(job)	 link;
	struct auth		*auth;
	struct peer		*peer;		/* NULL: the front has gone */
	struct event		*timer;
	uint64_t		 id;
	enum job_state		 state;
	struct request		 req;
	struct buf		 pending;
	int			 fd;		/* the connection */
	int64_t			 arrived;
	bool			 known;		/* there is such a user */
	struct user		 user;
	struct buf		 record;	/* what the password has to fit */
};
TAILQ_HEAD(job_list, job);

struct worker {
	int			 fd;
	struct event		*event;
	struct job		*job;		/* NULL: idle (or its front has gone) */
	bool			 busy;
	struct auth		*auth;
};

struct auth {
	struct settings		*settings;
	struct users		*users;		/* NULL: of the system */
	struct service		*service;
	struct event_base	*base;		/* the service's */
	struct peers		*peers;
	struct worker		 workers[AUTH_WORKERS];
	struct job_list		 jobs;
	size_t			 njobs;
	uint64_t		 next_id;
	struct backoff		 backoff;
	struct buf		 rec;
	int			 dir;
	int64_t			 refreshed;
	unsigned long long	 logins, failures, temporary;
};

/* job.c */
int	job_packet(void *, struct peer *, struct buf *, struct msg_fds *);
void	job_peer_gone(void *, struct peer *);
/* The master's answer to a session. */
void	job_master_said(struct auth *, struct str rec);
void	job_worker_readable(evutil_socket_t, short, void *);
void	job_free_all(struct auth *);

/* check.c: what does this login have to prove? -1: *text says why not now. */
int	check_prepare(struct auth *, struct job *, const char **text) must_check;
/* check.c: the record for the master; -1: *text. */
int	check_session(struct auth *, struct job *, struct buf *, const char **text) must_check;

void	auth_stop(struct auth *, int status);

#endif
