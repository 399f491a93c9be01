/* pop3d/transaction.h - the states TRANSACTION and UPDATE of one session. */
#ifndef POP3D_TRANSACTION_H
#define POP3D_TRANSACTION_H

#include <stddef.h>
#include <stdint.h>

#include "common/store/box.h"
#include "pop3d/talk.h"

struct transaction {
	struct talk	*talk;
	struct box	*box;
	uint8_t		*marks;		/* per message: MARK_... */
	size_t		 retrieved, deleted;
	uint64_t	 bytes;		/* of messages sent */
	const char	*failed;	/* set: the connection cannot go on */
};

/* From the first command after the login to the end. -1: no memory. */
int	transaction_run(struct transaction *, struct talk *, struct box *)
	    must_check;

#endif
