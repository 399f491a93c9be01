/*
 * queue/queue.h - the state of the daemon queue(8), shared by its parts. Each
 * part is a file; the declarations are in the order of a message's way.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/fmt/dsn.h"
#include "common/proc/peers.h"
#include "common/proc/service.h"
#include "common/proc/settings.h"
#include "common/store/spool.h"
#include "queue/recent.h"
#include "queue/waiting.h"

#define RUNNING_BUCKETS	1024u	/* of messages under way, by id */
#define STUCK_MAX	64u	/* no more is taken from drop while so many are left there */
#define TURN_MAX	200u	/* messages that are begun with before others are looked at */

enum queue_role { ROLE_SMTP, ROLE_DROP, ROLE_CTL, ROLE_COUNT };

struct message;

/* One recipient of a message under way. It is in at most one list: of the router, or of an agent. */
struct task {
	TAILQ_ENTRY(task)	 link;
	struct message		*m;
	size_t			 rcpt;		/* index in m->env.rcpts */
	struct str		*finals;	/* encoded; in m->mem or views of the envelope */
	size_t			 nfinals, cfinals;
	bool			 again;		/* its agent died over it once */
	bool			 tried;		/* in vain */
};
TAILQ_HEAD(task_list, task);

struct job;
TAILQ_HEAD(job_list, job);

/* How a delivery ended. */
struct verdict {
	char		status[16];	/* enhanced code, RFC 3463 */
	struct str	text;		/* why */
	struct str	host, tls;	/* of another host: "mx.example.org[192.0.2.1]:25", how the way was protected; or empty */
	bool		remote;		/* it was for another host */
	bool		lmtp;		/* which has put it in its place, not passed it on */
	bool		said;		/* the text is that host's reply */
	bool		dsn;		/* it reports the success itself, if that was asked for */
};

struct message {
	TAILQ_ENTRY(message)	 link;
	struct message		*same;		/* the next of its bucket */
	struct id		 id;
	enum spool_place	 place;		/* of its file: incoming or queue */
	int			 fd;
	struct envelope		 env;
	struct arena		 mem;
	struct task		*tasks;
	size_t			 ntasks, routing, pending;
	struct job_list		 jobs;		/* for other hosts, not begun */
	int64_t			 later;		/* 0, or when those that were not tried may be; ms since 1970 */
	uint32_t		 later_for;	/* tag of their destination (schedule.h) */
	bool			 retry;		/* it had waited before */
	bool			 tried;		/* somebody was tried, and waits */
	bool			 soon;		/* something of ours failed: try again sooner */
	bool			 removed;	/* its last close may take a while */
};
TAILQ_HEAD(message_list, message);

struct router;
struct agents;
struct hops;
struct hop;
struct remotes;
struct closer;
struct brake;

struct queue {
	struct settings		*settings;
	struct spool		 spool;
	struct waiting_heap	 waiting;	/* what was looked at, in queue and incoming */
	struct waiting_heap	 fresh;		/* what was not, in incoming; by the time in its id */
	struct message_list	 running;
	struct message		*by_id[RUNNING_BUCKETS];
	size_t			 nrunning, nretries;
	struct router		*router;
	struct agents		*agents;
	struct hops		*hops;
	struct remotes		*remotes;
	struct recent		*recent;
	struct closer		*closer;
	struct brake		*brake;
	struct service		*service;
	struct event_base	*base;		/* the service's */
	struct event		*work, *timer;
	struct peers		*peers;
	bool			 incoming_more, drop_more;	/* worth a scan */
	bool			 scanned;	/* incoming was, once */
	struct id		 stuck[STUCK_MAX];	/* taken from drop, but still there */
	size_t			 nstuck;
	int64_t			 scan_due, clean_due, complained;
	unsigned long long	 taken, delivered, deferred, failed, held,
				 corrupt, done, postponed;
	int			 spare;		/* given up to write a state when descriptors are short */
};

/* ---- intake.c: what is new in incoming and drop */
/* Scans what is flagged, and begins with what is new as far as there is room for more messages. */
void	intake_work(struct queue *);
/* A poke: this one is new. */
void	intake_poked(struct queue *, enum spool_place, struct id);
/* This one waited in incoming, and is due. fresh: it was not begun with yet. */
void	intake_again(struct queue *, struct id, bool fresh);
/* At start: everything in queue/ waits. */
int	intake_start(struct queue *) must_check;
/* A spool that cannot be changed is complained of once a minute, not for each message. */
void	intake_complain(struct queue *, const char *what, const char *id);

/* ---- drop.c: what a local user sent is written anew by us. -1: it stays where it is (errno) */
int	drop_take(struct queue *, struct id) must_check;
/* What was taken and could not be removed is, if that is possible now. */
void	drop_clear(struct queue *);

/* ---- message.c */
/* False: it is not there any more, or makes no sense, or cannot be read now. */
bool	message_start(struct queue *, enum spool_place, struct id, bool retry);
/* Who waits in it fails now, and the sender is told (RFC 3463 4.4.7). -1: it cannot be read (errno). */
int	message_expire(struct queue *, enum spool_place, struct id) must_check;
/* All questions of the message are answered. */
void	message_routed(struct queue *, struct message *);
/* Everything under way is forgotten; the files tell the rest at the next start. */
void	message_free_all(struct queue *);
/* Unreadable: to corrupt/, with a log line. */
void	message_corrupt(struct queue *, enum spool_place, struct id, const char *why);
/* Is there room for one that has waited? Those that failed before must not take all of it. */
bool	message_may_retry(const struct queue *);
/* Starts what is due, while there is room. */
void	message_schedule(struct queue *);
/* NULL: it is not under way. */
struct message *message_find(const struct queue *, struct id);
/* Recipients that are still to be delivered to. */
size_t	message_waiting(const struct message *);
void	message_free(struct queue *, struct message *);

/* ---- outcome.c */
/* A line of the recipient's in the message's status file: the last one is what mailq shows. */
void	outcome_note(struct queue *, const struct message *, const struct envelope_rcpt *, const char *status,
	    struct str text);
/* The end of one delivery; status is an enhanced code (RFC 3463), text says why. The last one ends the message. */
void	task_done(struct queue *, struct task *, const char *status, struct str text);
void	task_ended(struct queue *, struct task *, const struct verdict *);
/* It was not tried: not before due (ms since 1970), or when the destination with this tag has room. */
void	task_later(struct queue *, struct task *, int64_t due, uint32_t tag, struct str why);
/* No delivery is under way: reports are written, the file is settled. Frees the message. */
void	message_finish(struct queue *, struct message *);
/* Who waits fails now (STATUS_EXPIRED); message_finish has to follow. */
void	message_give_up(struct queue *, struct message *, struct str why);

/* ---- settle.c: where the file of a message comes to rest. What goes wrong is logged, and tried again later */
/* It waits in the queue for its next attempt. */
void	settle_back(struct queue *, struct message *, int64_t now);
/* Everybody was delivered to or told: it is removed. */
void	settle_done(struct queue *, struct message *);
/* Only a person can help. */
void	settle_hold(struct queue *, const struct message *, const char *why);
/* The states of n recipients of the message, one or all, go into the file, but for those that it was written with. */
void	settle_states(struct queue *, const struct message *, const struct envelope_rcpt *, size_t n);
/* The file stays as it is, and is looked at again in a minute. */
void	settle_later(struct queue *, enum spool_place, struct id, bool fresh);

/* ---- bounce.c: who is told of what */
#define STATUS_EXPIRED	"4.4.7"		/* RFC 3463 3.5: its time is over */
enum bounce_end {
	BOUNCE_DONE,	/* whoever wants to know was told */
	BOUNCE_LATER,	/* it could not be written (errno) */
	BOUNCE_NOBODY	/* the postmaster's own mail failed: only a person can help */
};
/* What failed and what was asked to be told of a success; afterwards these are RCPT_TOLD in m->env. */
enum bounce_end	bounce_ended(struct queue *, const struct message *) must_check;
/* That it waits; afterwards the waiting ones are RCPT_LATE in m->env. -1: errno */
int	bounce_late(struct queue *, const struct message *) must_check;
/* Is this one to be in a report of the kind? */
bool	bounce_wants(const struct envelope_rcpt *, enum dsn_kind);
size_t	bounce_count(const struct message *, enum dsn_kind);

/* ---- report.c: reports to the sender, or if there is none to the postmaster */
#define ORIGIN_DOUBLE	"double-bounce"
/* When it returns, the report is safe in the queue. -1: errno */
int	report_make(struct queue *, const struct message *, enum dsn_kind) must_check;

/* ---- expand.c: a recipient that means several becomes several, in a new file. -1: errno */
bool	expand_is_needed(const struct message *);
/* Those that mean more than there is room for in one message fail for good, whole; then the others fit. -1: errno */
int	expand_limit(struct queue *, struct message *) must_check;
int	expand(struct queue *, struct message *) must_check;

/* ---- router.c: questions to route */
int	router_new(struct queue *) must_check;
/* The last answer of a message ends with message_routed. */
void	router_ask(struct queue *, struct task *);
/* Sends what there is room for. */
void	router_work(struct queue *);
void	router_free(struct router **);

/* ---- agents.c: deliveries to local */
int	agents_new(struct queue *) must_check;
/* Ends with task_done. */
void	agents_deliver(struct queue *, struct task *);
/* Opens workers and sends what there is room for. */
void	agents_work(struct queue *);
size_t	agents_count(const struct queue *);
void	agents_free(struct agents **);

/* ---- hops.c: questions to hop */
int	hops_new(struct queue *) must_check;
/* Ends with remotes_add or task_done; from within if the answer is known. */
void	hops_ask(struct queue *, struct task *);
/* Sends what there is room for. */
void	hops_work(struct queue *);
/* The destination of a domain as far as it is known, else empty. */
struct str hops_key(const struct queue *, struct str domain);
void	hops_free(struct hops **);

/* ---- jobs.c, remotes.c: deliveries to other hosts */
int	remotes_new(struct queue *) must_check;
/* Ends with task_ended, task_done or task_later. */
void	remotes_add(struct queue *, struct task *, struct hop *);
/* Opens connections, sends what may go, closes what is idle. */
void	remotes_work(struct queue *);
/* ms until that may have something to do without anything else happening; -1: never. */
int64_t	remotes_wait(const struct queue *);
size_t	remotes_count(const struct queue *);
/* While the messages are there still. */
void	remotes_free(struct remotes **);
/* The destination of the domain, or with "" all of them, are tried at once though they are dead. */
void	schedule_wake(struct queue *, struct str domain);
/* Those of the recipients that still wait. */
void	schedule_wake_all_of(struct queue *, const struct envelope *);

/* ---- closer.c: closing removed files, in another process. Forks: before the sandbox is entered */
int	closer_new(struct queue *) must_check;
pid_t	closer_pid(const struct queue *);
/* Takes the descriptor. */
void	closer_add(struct queue *, int *);
/* Sends what was added. */
void	closer_work(struct queue *);
void	closer_free(struct closer **);

/* ---- control.c: mailq and postq ask */
int	control_packet(struct queue *, struct peer *, struct str rec) must_check;
/* ---- control_list.c */
int	control_list(struct queue *, struct peer *, struct str rec, bool begin) must_check;
void	control_gone(struct peer *);

/* ---- server.c */
/* Something changed: look for work once the present event is done with. */
void	queue_kick(struct queue *);

#endif
