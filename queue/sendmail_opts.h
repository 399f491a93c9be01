/* queue/sendmail_opts.h - the options of sendmail(8), which many programs know by heart. Pure. */
#ifndef QUEUE_SENDMAIL_OPTS_H
#define QUEUE_SENDMAIL_OPTS_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/diag.h"

enum sendmail_mode {
	SENDMAIL_MAIL,		/* -bm: a message on standard input */
	SENDMAIL_SMTP,		/* -bs */
	SENDMAIL_LIST,		/* -bp, or called as mailq */
	SENDMAIL_ALIASES,	/* -bi, or called as newaliases */
	SENDMAIL_FLUSH		/* -q */
};

struct sendmail_opts {
	enum sendmail_mode	 mode;
	bool			 extract;	/* -t */
	bool			 dots;		/* -i: a lone dot is no end */
	const char		*conf;		/* -C, or NULL */
	const char		*sender;	/* -f, -r, or NULL */
	const char		*name;		/* -F, or NULL */
	const char		*envid;		/* -V, or NULL */
	const char		*flush;		/* -qI: an id; NULL: all */
	unsigned		 notify;	/* -N: NOTIFY_ bits, 0 not given */
	unsigned		 options;	/* ENV_ bits of -B and -R */
	int			 first;		/* of argv: the first recipient */
};

/* 0, or the exit status of a wrong call with *why. */
int	sendmail_opts(int argc, char *const argv[], struct sendmail_opts *, struct diag *) must_check;

#endif
