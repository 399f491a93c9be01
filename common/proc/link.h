/*
 * common/proc/link.h - a program's end of its link to the master (FD_LINK), and the tags on it.
 * Records: V verb. Master to program: "status" (answer "status" with K "name=value" fields),
 * "reload" (conf fd first, then listening fds named by N fields), "stop"; to keys "files" (fds named by N fields) before
 * a "reload", as many as it takes.
 * Program to master: "ready", "status", "watch" (alive, every WATCH seconds), from auth "session" (see proto_auth.h), from keys "loaded" (what
 * came with the last reload is served now).
 */
#ifndef PROC_LINK_H
#define PROC_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/proc/child.h"
#include "common/proc/msg.h"

#define LINK_VERB	'V'
#define LINK_COUNTER	'K'
#define LINK_NAME	'N'

enum link_verb { LINK_NONE, LINK_STATUS, LINK_RELOAD, LINK_FILES, LINK_STOP, LINK_GONE, LINK_ANSWER };

struct link_event {
	enum link_verb	 verb;		/* ANSWER: something else for the program, in rec */
	int		 conf;		/* RELOAD: conf fd, caller closes */
	struct child_fd	 fds[CHILD_FDS];/* RELOAD: listening sockets, FILES: files; caller owns */
	size_t		 nfds;
};

int	link_ready(int) must_check;	/* tell the master that we serve */
int	link_watch(int) must_check;	/* tell the master that we are alive */
int	link_loaded(int) must_check;
/* Reads one event (the link may be non-blocking: LINK_NONE). rec is the caller's buffer of MSG_MAX. GONE: the master has died or a protocol error. -1 only with ENOMEM. */
int	link_read(int, struct buf *, struct link_event *) must_check;
/* What a program does at each word of its master. */
struct link_ops {
	void	(*status)(void *, char *dst, size_t size);	/* the counters: "name=value name=value" */
	void	(*reload)(void *, struct link_event *);		/* takes a descriptor by setting it to -1 in the event; of keys FILES too */
	void	(*stop)(void *, bool orphan);			/* orphan: the link is broken */
	void	(*answer)(void *, struct str rec);		/* NULL: there are none */
};
/* One event, if there is one; rec as in link_read. Descriptors that nobody took are closed. */
void	link_serve(int, struct buf *rec, const struct link_ops *, void *);
/* Answer to LINK_STATUS: "name=value name=value". */
int	link_status(int, const char *) must_check;

#endif
