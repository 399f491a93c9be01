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
#include "auth/source.h"
#include "auth/token.h"
#include "auth/worker.h"
#include "common/base/log.h"
#include "common/proc/peers.h"
#include "common/proc/service.h"
#include "common/proc/settings.h"
#include "common/store/digest.h"
#include "common/store/users.h"

#define AUTH_JOBS_MAX	3000	/* logins under way */
#define AUTH_TALK_MS	300000	/* how long the client may think about a challenge */
#define AUTH_SESSION_MS	30000	/* how long the master may take */
#define AUTH_FULL_MS	100	/* until a client with too many checks at a time is looked at again */
#define AUTH_SECRET	32
#define AUTH_WHY_MAX	80

/* Which fronts a socket is for. */
enum auth_role { ROLE_LOGIN, ROLE_SMTP };

enum job_state {
	JOB_HELD,	/* somebody has failed too often: it waits before it is looked at */
	JOB_TALKING,	/* the client has been asked */
	JOB_WAITING,	/* for a worker */
	JOB_CHECKING,
	JOB_TOKEN,	/* its token is being checked */
	JOB_SYSTEM,	/* the system has been asked */
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
	int64_t			 arrived;	/* the question that is under way */
	void			(*resume)(struct job *);	/* of what is held */
	bool			 was_held;	/* once is enough */
	const char		*kind;		/* of the failure that is held back */
	struct token_check	*token;
	char			 mark[TOKEN_MARK_MAX];	/* of the token, for the log */
	char			 why[AUTH_WHY_MAX];	/* the token was refused */
	int64_t			 refusal_ms;	/* that it is held back */
	char			 fingerprint[DIGEST_HEX + 1];	/* of the certificate; "": none */
	struct scram_keys	 keys;		/* what his proof has to fit */
	bool			 wants_keys;	/* a worker is to make them */
	bool			 has_plain;	/* of his password, not of nobody's */
	bool			 as_typed;	/* the password is checked as it came, not by SASLprep */
	bool			 known;		/* there is such a user */
	struct account		 account;	/* of who proves it; of somebody if he is unknown */
	struct user		 user;		/* whose session it will be */
	char			 by[USER_NAME_MAX + 1];	/* the master who is in his place, or "" */
	char			 app[USER_APP_MAX + 1];	/* name of the application password, or "" */
	struct system_question	*system;
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
	struct sources		*sources;
	struct service		*service;
	struct event_base	*base;		/* the service's */
	struct peers		*peers;
	struct tokens		*tokens;
	struct worker		 workers[WORKERS_MAX];
	size_t			 nworkers;
	struct job_list		 jobs;
	size_t			 njobs;
	uint64_t		 next_id;
	struct backoff		 backoff;
	uint8_t			 secret[AUTH_SECRET];	/* what unknown users' salts are made of */
	struct buf		 rec;
	int			 dir;
	int64_t			 refreshed;
	unsigned long long	 logins, failures, blocked, denied, temporary;
};

/* job.c: the packets of fronts. */
int	job_packet(void *, struct peer *, struct buf *, struct msg_fds *);
void	job_peer_gone(void *, struct peer *);
void	job_free_all(struct auth *);

/* job_answer.c: each answer to a front; afterwards the job may be gone. */
void	job_free(struct job *);
int	job_wait(struct job *, enum job_state, int64_t ms) must_check;
/* Then resume is called. False: it need not wait, or cannot. */
bool	job_hold(struct job *, int64_t ms, void (*resume)(struct job *));
void	job_say_more(struct job *, struct str challenge);
void	job_say_proven(struct job *, struct str data);
void	job_say_taken(struct job *);
void	job_say_temp(struct job *, const char *text);
void	job_say_fail(struct job *, const char *kind);
void	job_say_fail_text(struct job *, const char *kind, struct str text);

/* job_prove.c: from the client's message to the proof. */
void	job_prove(struct job *, const struct str *message);
void	job_prove_login(struct job *, struct str user, struct str pass);

void	job_proof(struct job *, bool has_keys);		/* j->keys are what it has to fit */

/* job_password.c: what workers do: they check passwords and make keys of them. */
void	job_password(struct job *);
void	job_keys(struct job *);		/* of check_plain; then job_proof */
bool	job_is_checked(const struct job *);	/* is one being checked? */
void	job_worker_readable(evutil_socket_t, short, void *);

/* job_system.c: users of the system, by their password. */
void	job_system(struct job *);
void	job_system_cancel(struct job *);

/* job_token.c: access tokens. */
void	job_token(struct job *);
void	job_token_over(struct job *);	/* the client has heard why it was refused */

/* job_admit.c: the verdict, and its line in the log. */
void	job_fail(struct job *, const char *why);		/* wrong; held back */
void	job_refuse(struct job *, const char *kind, const char *why);	/* at once */
int64_t	job_count_failure(struct job *, const char *why);	/* how long the answer is to be held back */
void	job_proven(struct job *, struct str data);
/* May the secret be checked now? False: it has been answered, or go is called later. */
bool	job_may_check(struct job *, void (*go)(struct job *));
/* The user's name as it may stand in the log. */
const char *job_shown_user(const struct job *, char[LOG_SAFE_MAX]);

/* job_session.c: from the proof to a session. */
void	job_take(struct job *, const struct request *, int fd);
/* The master's answer. */
void	job_master_said(struct auth *, struct str rec);

/* check.c: whom is this login about, and what has he to prove? -1: *text says why not now. */
int	check_prepare(struct auth *, struct job *, const char **text) must_check;
/* check.c: may he log in as authzid? NULL: yes, j->user is the one; or the kind of failure, *why is for the log. */
const char *check_other(struct auth *, struct job *, const char **why);
/*
 * check_scram.c: salt and number of iterations that a user of SCRAM is shown; those of somebody for whoever has none.
 */
int	check_salt(struct auth *, struct job *, struct scram_keys *) must_check;
/* The keys that his proof has to fit, if such are stored. */
bool	check_keys(const struct job *, struct scram_keys *);
/* The password that they can be made from, into an empty buffer of USER_PASSWORD_MAX that is then wiped. False: there is none. */
bool	check_plain(const struct job *, struct buf *);
/* The name of the application password that it is by, "" if it is the user's own. */
struct str check_scram_name(const struct job *);
/* check.c: who may log in with the job's certificate, as authzid if that is not ""? NULL: nobody. */
const char *check_certificate(const struct auth *, const struct job *);
/* check.c: the record for the master; -1: *text. */
int	check_session(struct auth *, struct job *, const struct request *, struct buf *, const char **text) must_check;

void	auth_stop(struct auth *, int status);

#endif
