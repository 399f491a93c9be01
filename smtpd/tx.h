/*
 * smtpd/tx.h - a mail transaction: from MAIL to the end of DATA. It is wiped by
 * one call, and only session.c and what begins a new one call it.
 */
#ifndef SMTPD_TX_H
#define SMTPD_TX_H

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/fmt/date.h"
#include "common/store/envelope.h"
#include "smtpd/allowance.h"

struct tx {
	struct arena		 mem;		/* what the views look at */
	struct str		 sender, envid;
	unsigned		 options;	/* ENV_ bits */
	struct envelope_rcpt	*rcpts;
	struct str		*why;		/* of each: by which rules route took it, for the log */
	size_t			 nrcpts, cap;
	char			 date[DATE_SIZE];	/* of its reception */
	unsigned		 taken[ALLOWANCE_WHATS];	/* of the user's allowance, not yet used */
};

void	tx_init(struct tx *);
void	tx_reset(struct tx *);
/*
 * Copies what the recipient looks at. A further copy of one that is there
 * already is none, unless each is answered (LMTP).
 */
int	tx_add(struct tx *, const struct envelope_rcpt *, struct str why, bool each) must_check;

#endif
