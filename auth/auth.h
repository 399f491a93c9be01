/* auth/auth.h - the state of the daemon auth(8), shared by its parts. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "auth/backoff.h"
#include "auth/request.h"
#include "auth/sasl.h"
#include "common/proc/peers.h"
#include "common/proc/service.h"
#include "common/proc/settings.h"
#include "common/store/users.h"

#define AUTH_WORKERS	2
#define AUTH_JOBS_MAX	2000	/* logins under way */
#define AUTH_TALK_MS	300000	/* how long the client may think about a challenge */
#define AUTH_SESSION_MS	30000	/* how long the master may take */
#define AUTH_HELD_FROM	3	/* so many failures of a client: its next tries wait, too */
#define AUTH_SECRET	32

enum job_state {
	JOB_HELD,	/* its client has failed too often: it waits before it is looked at */
	JOB_TALKING,	/* the client has been asked */
	JOB_WAITING,	/* for a worker */
	JOB_CHECKING,
	JOB_REFUSED,	/* the answer is held back */
	JOB_PROVEN,	/* "take" has to come */
	JOB_SESSION	/* the master has been asked */
};

/* One login on its way. A front has one at most. */
struct job {
	TAILQ_ENTRY(job)	 link;
	struct auth		*auth;
	struct peer		*peer;		/* NULL: the front has gone */
	struct event		*timer;
	uint64_t		 id;
	enum job_state		 state;
	struct facts		 facts;
	struct sasl		 sasl;
	struct buf		 message;	/* of the client, while it is held; or his name and password */
	bool			 has_message;
	size_t			 name_n;	/* of it is the name */
	int64_t			 arrived;	/* the question that is under way */
	const char		*kind;		/* of the failure that is held back */
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
	uint8_t			 secret[AUTH_SECRET];	/* what unknown users' salts are made of */
	struct buf		 rec;
	int			 dir;
	int64_t			 refreshed;
	unsigned long long	 logins, failures, temporary;
};

/* job.c: the packets of fronts. */
int	job_packet(void *, struct peer *, struct buf *, struct msg_fds *);
void	job_peer_gone(void *, struct peer *);
void	job_free_all(struct auth *);

/* job_answer.c: each answer to a front; afterwards the job may be gone. */
void	job_free(struct job *);
int	job_wait(struct job *, enum job_state, int64_t ms) must_check;
void	job_say_more(struct job *, struct str challenge);
void	job_say_proven(struct job *, struct str data);
void	job_say_taken(struct job *);
void	job_say_temp(struct job *, const char *text);
void	job_say_fail(struct job *, const char *kind);

/* job_prove.c: from the client's message to the proof. */
void	job_prove(struct job *, const struct str *message);
void	job_prove_login(struct job *, struct str user, struct str pass);
void	job_fail(struct job *, const char *why);		/* held back */
void	job_worker_readable(evutil_socket_t, short, void *);

/* job_session.c: from the proof to a session. */
void	job_take(struct job *, struct str pending, int fd);
/* The master's answer. */
void	job_master_said(struct auth *, struct str rec);

/* check.c: whom is this login about, and what has he to prove? -1: *text says why not now. */
int	check_prepare(struct auth *, struct job *, const char **text) must_check;
/* check.c: salt and number of iterations that a user of SCRAM is shown; somebody's like his for unknown ones. */
int	check_salt(struct auth *, struct job *, struct scram_keys *) must_check;
/* check.c: the keys that his proof has to fit; for whoever has none, those of nobody. Takes as long as for others. */
int	check_keys(struct auth *, struct job *, struct scram_keys *) must_check;
/* check.c: the record for the master; -1: *text. */
int	check_session(struct auth *, struct job *, struct str pending, struct buf *, const char **text) must_check;

void	auth_stop(struct auth *, int status);

#endif
