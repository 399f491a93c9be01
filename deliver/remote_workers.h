/*
 * deliver/remote_workers.h - the workers that the parent of remote(8) has. It keeps a copy of each one's connection to
 * queue, and reads nothing from it: when queue has closed its side the worker is to end, and one that hangs is killed.
 */
#ifndef DELIVER_REMOTE_WORKERS_H
#define DELIVER_REMOTE_WORKERS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WORKERS_MAX	10000	/* remote.workers goes so far */

struct workers {
	struct {
		pid_t	pid;
		int	queue;	/* owned; -1: closed by its other side */
		int64_t	due;	/* then it is killed; 0: it may go on */
	}	list[WORKERS_MAX];
	size_t	n, room;	/* room: as many as there may be descriptors for */
};

/* Asks for the limit of descriptors: to be called before the sandbox. */
void	workers_init(struct workers *);
/* The descriptor is theirs now. There must be room. */
void	workers_add(struct workers *, pid_t, int queue);
void	workers_forget(struct workers *, pid_t);
/* In a new worker: it must not have the others' connections. */
void	workers_leave(struct workers *);
/* What to wait for: n entries, in the order of the list. */
void	workers_gather(const struct workers *, struct pollfd *);
/* Those whose connection has been closed meanwhile get so much time; who has used it up is killed, and the log says so. */
void	workers_look(struct workers *, const struct pollfd *, int64_t now, int64_t patience);
/* When the next one is killed if it does not end; -1: nobody is late. */
int64_t	workers_due(const struct workers *);
void	workers_signal(const struct workers *, int);

#endif
