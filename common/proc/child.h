/* common/proc/child.h - start a program with a plan of descriptors; and, in the child, find them. */
#ifndef PROC_CHILD_H
#define PROC_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#include "common/base/attr.h"

#define FD_CONF		3	/* its part of the configuration */
#define FD_LOG		4	/* the log channel */
#define FD_LINK		5	/* to the master */
#define FD_FIRST	6	/* named ones, see PH_FDS */
#define CHILD_FDS	32
#define CHILD_NAME_MAX	32

struct child_fd {
	char	name[CHILD_NAME_MAX];	/* "smtp", "route@smtp" */
	int	fd;			/* parent's number; in the child FD_FIRST + index */
};

struct child_plan {
	const char	*path;		/* program */
	char *const	*argv;
	int		 conf, log, link;	/* -1: none */
	int		 err;			/* becomes fd 2; -1: /dev/null */
	const struct child_fd *fds;
	size_t		 nfds;
	/* Runs in the child between fork and exec (setuid ...); -1 ends it with 75. May be NULL. */
	int		(*before_exec)(void *);
	void		*arg;
	char *const	*extra_env;	/* besides PATH, PH_FDS, TZ; NULL-ended, or NULL */
};

/*
 * Fork and exec in a session (and process group) of its own; everything not in the plan is closed, signals are
 * reset, environment is only what the plan says. pid, or -1 (no such program, no process). A child whose exec
 * fails all the same says so on its fd 2 and ends with 71.
 */
pid_t	child_spawn(const struct child_plan *) must_check;
/* In the child: the named descriptors of PH_FDS, set close-on-exec (as are 3, 4, 5). Number, 0 without PH_FDS, or -1 EPROTO. */
int	child_fds(struct child_fd[CHILD_FDS]) must_check;
/* The n-th (0 first) descriptor with that name, or -1. */
int	child_fd_find(const struct child_fd *, size_t, const char *, unsigned);

#endif
