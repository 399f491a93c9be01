/*
 * queue/history.h - a message's status file (spool(5)): one line for each attempt that did not deliver,
 * "seconds address status text"; what another host replied is "host[address]:port said: reply" there. Pure but for its memory.
 */
#ifndef QUEUE_HISTORY_H
#define QUEUE_HISTORY_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/str.h"

struct history_line {
	struct str	addr, status, text;	/* views of the text */
	struct str	host, reply;		/* of another host's: its name, "[address]" if it has none, and what it said; or empty */
	int64_t		at_s;			/* since 1970 */
	size_t		nth;
};

/* The lines by recipient, of each in their order. Zeroed: none. */
struct history {
	struct history_line	*lines;
	size_t			 n;
};

/* The text must stay. Lines that make no sense are left out. -1 ENOMEM. */
int	history_read(struct history *, struct str text) must_check;
/* Those of one recipient. */
const struct history_line *history_of(const struct history *, struct str addr, size_t *n);
void	history_free(struct history *);

#endif
