/* deliver/remote_tx_impl.h - what the parts of a transaction share; nobody else includes this. */
#ifndef DELIVER_REMOTE_TX_IMPL_H
#define DELIVER_REMOTE_TX_IMPL_H

#include "deliver/remote_content.h"
#include "deliver/remote_tx.h"

struct tx {
	struct session		*s;
	struct job		*job;
	const struct tx_ops	*ops;
	const struct remote_settings *set;
	struct verdict		*why;
	struct content_facts	 facts;
	bool			 utf8;		/* SMTPUTF8 is said */
	struct downgrade	*down;		/* not NULL: it is converted to 7 bits */
	struct job_rcpt		*rcpts[REMOTE_RCPTS];
	bool			 accepted[REMOTE_RCPTS];
	size_t			 n, naccepted, nsettled;
	bool			 mail;		/* was accepted */
	bool			 begun;		/* some of the content was sent */
	bool			 ended;		/* all of the content was handed to the system */
};

void	tx_settle(struct tx *, struct job_rcpt *, const struct verdict *);

/* ---- remote_fit.c: what can be told before anything is said */

/* Whether this message can be said to this server at all, and how; false: t->why. */
bool	tx_is_sayable(struct tx *);
/* Who is in this transaction. One whose address cannot be said is settled. */
void	tx_choose(struct tx *);

#endif
