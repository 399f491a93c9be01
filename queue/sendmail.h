/* queue/sendmail.h - the parts of the program sendmail. */
#ifndef QUEUE_SENDMAIL_H
#define QUEUE_SENDMAIL_H

#include "common/base/buf.h"
#include "common/proc/settings.h"
#include "queue/sendmail_opts.h"
#include "queue/submit.h"

/* Who calls, and how he is to be named where the message does not say. */
struct sendmail_user {
	struct buf	login, name, domain;
	struct buf	from, date;	/* of the message to come */
};

struct sendmail {
	const struct sendmail_opts	*o;
	const struct settings		*set;
	struct sendmail_user		 user;
};

/* From the user database. 0, or -1: the user has no name. */
int	sendmail_user(struct sendmail *);
void	sendmail_user_free(struct sendmail_user *);
/* What is added to the message, from this sender. */
int	sendmail_compose(struct sendmail *, struct str sender, struct compose *) must_check;
/* -bs: until QUIT or the end of the input; an exit status. */
int	sendmail_smtp(struct sendmail *) must_check;

#endif
