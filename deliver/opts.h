/* deliver/opts.h - the command line of deliver(1). */
#ifndef DELIVER_OPTS_H
#define DELIVER_OPTS_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/diag.h"

struct opts {			/* NULL: not given; views into argv */
	const char	*conf, *user;
	const char	*sender;	/* "" for a bounce */
	const char	*rcpt;		/* -d */
	const char	*ext;		/* -a: a sub-address or, with '@', the whole */
	const char	*folder;	/* NULL for the mailbox itself */
	const char	*where;		/* -o */
	const char	*command;	/* -p */
	long long	 size;		/* bytes; -1: what the setting says */
	bool		 soft;		/* -t: every failure is temporary */
	bool		 verbose;
};

/* -1: *why says what is wrong with the call. */
int	opts_parse(struct opts *, int argc, char *argv[], struct diag *why) must_check;

#endif
