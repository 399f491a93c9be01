/*
 * queue/agents.h - what the parts of the deliveries to local share; nobody
 * else includes this.
 */
#ifndef QUEUE_AGENTS_H
#define QUEUE_AGENTS_H

#include "queue/queue.h"

enum agent_state { AGENT_CLOSED, AGENT_WANTED, AGENT_OPENING, AGENT_OPEN };

struct agent {
	TAILQ_ENTRY(agent)	 link;		/* wanted, opening or open */
	struct queue		*q;
	char			*user;
	bool			 command;	/* for finals P and M */
	enum agent_state	 state;
	int			 fd;
	uint64_t		 pid;		/* as the parent calls the worker, 0: unknown */
	struct event		*event;
	struct task_list	 ready, sent;
	size_t			 nsent;
	int64_t			 since;		/* WANTED, OPENING, or nsent > 0: the last sign of life */
	int64_t			 pace;		/* ms from result to result, on the average */
};
TAILQ_HEAD(agent_list, agent);

struct agents {
	struct queue		*q;
	int			 fd;		/* to the parent */
	struct event		*event;
	void			*all;		/* tree of tsearch(3), by user and kind */
	struct agent_list	 wanted, opening, open;	/* open: the one used last at the end */
	size_t			 nopen;		/* with those opening */
	struct buf		 rec;
};

/* All that this agent should have done has the same end; then it is forgotten. */
void	agent_fail(struct agents *, struct agent *, const char *status, struct str text, bool soon);
/* Puts it into the list of that state. */
void	agent_set_state(struct agents *, struct agent *, enum agent_state);
/* The worker is let go; what was sent to it is in `sent` still. */
void	agent_close(struct agents *, struct agent *);
/* There must be no tasks. */
void	agent_free(struct agents *, struct agent *);
/* The parent has gone: nobody is opened until it is back. */
void	agents_parent_gone(struct agents *, const char *why);

/* ---- agents_worker.c */
/* Its worker is at the other end of fd, which is the agent's now: it gets what waits for it. */
void	agent_adopt(struct agents *, struct agent *, int fd);
/* As much as the worker may have at a time. */
void	agent_send_more(struct agents *, struct agent *);

/* ---- agents_watch.c */
/* Those that hang are given up, and those that are slow give way if room is short. */
void	agents_watch(struct queue *);

#endif
