/* deliver/remote_tx.h - one message to a server: MAIL, RCPT, the content; RFC 5321 3.3, RFC 2033. */
#ifndef DELIVER_REMOTE_TX_H
#define DELIVER_REMOTE_TX_H

#include "deliver/remote_job.h"
#include "deliver/remote_session.h"

/* Gets what became of a recipient; called once for each that is settled. */
struct tx_ops {
	void	(*result)(void *, struct job_rcpt *, const struct verdict *);
	void	*arg;
};

enum tx_end {
	TX_DONE,	/* whoever was in it is settled, or marked for a later transaction */
	TX_EARLY,	/* the session broke, or said 421, before anything was settled or any content sent: *why */
	TX_BUSY,	/* all are settled; the server is busy */
	TX_BROKEN	/* the session broke meanwhile: all who were in it are settled */
};

/* A transaction for as many of the recipients that are not settled as the server takes at a time. */
enum tx_end tx_run(struct session *, struct job *, const struct tx_ops *, struct verdict *why);

#endif
