/*
 * deliver/worker_impl.h - what the parts of a worker of local(8) share; nobody
 * else includes this.
 */
#ifndef DELIVER_WORKER_IMPL_H
#define DELIVER_WORKER_IMPL_H

#include "common/fmt/final.h"
#include "common/proc/settings.h"
#include "deliver/place.h"

#define JOB_ID_MAX	64

struct who {
	char		user[129], home[PLACE_PATH_MAX];
	char		mailbox[PLACE_PATH_MAX + 8];
	uint64_t	quota;
	bool		command;
};

/* A delivery, with the packet that its views look into. */
struct job {
	struct buf	rec;
	int		fd;
	char		id[JOB_ID_MAX];
	struct final	final;
	struct mail	mail;
};

struct worker {
	const struct settings	*set;
	struct who		 who;
	struct place		 place;
	int			 queue;
	bool			 strict;	/* durability */
	struct job		 jobs[PLACE_BATCH];
	size_t			 ncommands;	/* children */
	int64_t			 stored_at;	/* the last batch; now_ms() */
};

/* ---- worker_job.c: between queue and us */
/* 1: a delivery, to be freed; 0: nothing is there (EAGAIN); -1: the end. */
int	worker_job_recv(struct worker *, struct job *) must_check;
/* What stands in j->mail, to the log and to queue. */
void	worker_job_answer(const struct worker *, const struct job *);
void	worker_job_free(struct job *);

/* ---- worker_command.c: for commands and files of alias tables */
/* Begins what is waiting, each in a child that answers itself. False: the end. */
bool	worker_commands(struct worker *);
/* Those children that have ended; wait: for one at the least. False: one died, and with it the worker has to. */
bool	worker_reap(struct worker *, bool wait);

#endif
