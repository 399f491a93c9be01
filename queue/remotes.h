/* queue/remotes.h - between jobs.c, remotes.c, remote_worker.c and remote_packet.c: jobs for other hosts and the workers that do them. */
#ifndef QUEUE_REMOTES_H
#define QUEUE_REMOTES_H

#include <event2/event.h>

#include "common/base/buf.h"
#include "queue/hop.h"
#include "queue/queue.h"
#include "queue/schedule.h"

/* One message for one destination: one transaction. While it waits its turn it is in its message's list. */
struct job {
	struct schedule_job	 sj;
	TAILQ_ENTRY(job)	 link;
	struct message		*m;		/* as long as there are tasks */
	struct hop		*hop;
	struct task_list	 tasks;		/* without a result yet */
	size_t			 ntasks, bytes;
	bool			 again;		/* a worker ended just when it was given this */
};

/* One connection to remote, which is one to a server. */
struct remote {
	TAILQ_ENTRY(remote)	 link;		/* busy or idle */
	struct queue		*q;
	int			 fd;
	struct event		*event;
	struct schedule_dest	*dest;
	struct hop		*hop;		/* its session is to one of these */
	struct job		*job;		/* NULL: idle */
	size_t			 used;		/* jobs done over it */
	bool			 answered;	/* something came about the job */
	int64_t			 begun, since;	/* the job; the last sign of life */
};
TAILQ_HEAD(remote_list, remote);

struct remotes {
	struct queue		*q;
	struct schedule		*schedule;
	struct remote_list	 busy, idle;	/* idle: the longest first */
	size_t			 nbusy, nidle;
	int64_t			 pause_until;	/* remote takes no more connections now */
	int64_t			 hurried_at, looked_at, complained_at;
	uint64_t		 seed;
	struct buf		 rec;
};

/* ---- jobs.c */
/* What is left of it waits with this reason, as a failure; then it is freed. soon: the fault was ours. */
void	job_fail(struct queue *, struct job **, struct str why, bool soon);
/* Those that the schedule gave back. */
void	jobs_refused(struct queue *);
/* It is being done: it takes no more recipients. */
void	job_begin(struct job *);
void	job_free(struct job **);

/* ---- remote_worker.c: one of them */
struct remote *remote_new(struct remotes *, struct schedule_dest *) must_check;
/*
 * Gives the job to the worker, over a new connection if its session is for other servers, or was closed meanwhile:
 * then nothing of the job was done.
 */
void	remote_begin(struct remotes *, struct remote *, struct job *);
/* It is idle: it takes the next job, or is closed when it is not wanted (false: it is not idle any more). */
bool	remote_go_on(struct remotes *, struct remote *, int64_t now);
/* It has gone, or makes no sense, or never was there; soon: the fault was ours. */
void	remote_lose(struct remotes *, struct remote *, struct str why, bool soon);
/* How long it may say nothing, ms. */
int64_t	remote_patience(const struct remote *);
/* It has no job; its destination has one connection less. */
void	remote_close(struct remotes *, struct remote *);
/* Without a word to the scheduler. */
void	remote_free(struct remote *);

/* ---- remote_packet.c: proto_remote.h; pure */
/* The most that one recipient adds. */
size_t	remote_packet_size(const struct envelope_rcpt *, struct str addr);
/* What the rest of a job takes. */
size_t	remote_packet_head(const struct envelope *, const struct hop *);
void	remote_packet_put(const struct job *, struct buf *);
/* False: it makes no sense. Views of the record. */
bool	remote_packet_result(struct str rec, uint64_t *rcpt, struct verdict *);

#endif
