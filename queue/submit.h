/*
 * queue/submit.h - a message on its way from sendmail to drop, which makes it safe. Runs as the user
 * and needs no right; drop is asked once for each message.
 */
#ifndef QUEUE_SUBMIT_H
#define QUEUE_SUBMIT_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/proc/settings.h"
#include "queue/compose.h"
#include "queue/lines.h"

struct submit_rcpt {
	struct str	addr;
	struct str	orcpt;		/* as in RCPT, or empty */
	unsigned	notify;		/* NOTIFY_ bits, 0 not given */
};

struct submit_env {
	struct str		 sender;	/* empty: nobody */
	struct str		 envid;		/* xtext, or empty */
	unsigned		 options;	/* ENV_ bits */
	struct submit_rcpt	*rcpts;
	size_t			 nrcpts, cap;
};
/* A copy of the pointers only. -1 ENOMEM. */
int	submit_add_rcpt(struct submit_env *, struct submit_rcpt) must_check;

struct submit {
	const struct settings	*set;
	const char		*conf;		/* for drop, or NULL */
	struct submit_env	*env;
	struct compose		 compose;
	unsigned		 notify;	/* of recipients found in the header */
	struct lines		 lines;
	struct compose_scan	 scan;
	struct buf		 text;		/* lines not sent yet */
	struct buf		 found;		/* records of recipients in the header */
	bool			 begun;		/* the header is behind us */
	bool			 full;		/* drop wants no more */
	off_t			 size;		/* sent so far */
	int			 status;	/* to end with if drop was never asked */
	pid_t			 pid;		/* of drop, or 0 */
	int			 fd;		/* to it, or -1 */
};

/* flags are those of lines.h. */
void	submit_init(struct submit *, const struct settings *, struct submit_env *, unsigned flags);
/* Takes a piece of the message; *used bytes of it. 1: the dot has come; 0: go on; -1: *why, and submit_end must still be called. */
int	submit_add(struct submit *, struct str, size_t *used, struct diag *why) must_check;
/*
 * The end of the message if whole, else it is given up. 0: it is safe. Else the exit status of sysexits(3), with
 * *why empty if drop has said on its standard error what is wrong.
 */
int	submit_end(struct submit *, bool whole, struct diag *why) must_check;
/* NULL, or the first address that is none. Addresses of several and the same kind are left once. */
int	submit_check_rcpts(struct submit_env *, struct diag *why) must_check;

#endif
