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
	int64_t			 grace;		/* when we are to stop: the end of all patience (now_ms); 0: we are not yet */
};

/* ---- remote_tx.c */
void	tx_settle(struct tx *, struct job_rcpt *, const struct verdict *);
/* All that are neither settled nor for later. */
void	tx_settle_all(struct tx *, const struct verdict *);
/* The last reply, to something that may fail for a time or for good. False: it is neither, and the session breaks. */
bool	tx_failure(struct tx *, const char *doing, struct verdict *);
bool	tx_uses_bdat(const struct tx *);

/* remote_tx_data.c: a reply when all of it has been sent: to it belongs all patience, until we are to stop. -1: none, *t->why. */
int	tx_hear_sent(struct tx *, const char *doing, int64_t timeout);

/*
 * ---- remote_tx_data.c: behind MAIL and RCPT, whose answers have been heard. Whoever was accepted is settled; false: the
 * session is of no more use, *t->why, and t->begun and t->ended say how far it came.
 */
/* sent: it went together with MAIL. */
bool	tx_bdat(struct tx *, bool sent);
/* said: DATA was, together with MAIL. */
bool	tx_data(struct tx *, bool said);

/* ---- remote_fit.c: what can be told before anything is said */

/* Whether this message can be said to this server at all, and how; false: t->why. */
bool	tx_is_sayable(struct tx *);
/* Who is in this transaction. One whose address cannot be said is settled. */
void	tx_choose(struct tx *);

#endif
