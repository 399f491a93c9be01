/*
 * deliver/remote_dial.h - to the next server that answers: hosts in their order, the addresses of one host
 * raced as in RFC 8305.
 */
#ifndef DELIVER_REMOTE_DIAL_H
#define DELIVER_REMOTE_DIAL_H

#include "deliver/remote.h"
#include "deliver/remote_job.h"

struct dial {
	const struct hop	*hop;
	bool			 tried[HOP_TARGETS];
	unsigned		 left;		/* attempts (remote.addresses) */
};

void	dial_init(struct dial *, const struct hop *, unsigned attempts);
/*
 * 1: *fd (owned by the caller, non-blocking) is connected to *target; 0: there is none left, and if none answered
 * *why says what the last one did; -1: queue has gone, or we are to stop.
 */
int	dial_next(struct dial *, const struct remote *, int *fd, const struct target **target, struct verdict *why) must_check;
/* Was there a target that was never tried, for there are too many? */
bool	dial_untried(const struct dial *);
/* "mx.example.org[192.0.2.1]:25", or the path. */
const char *target_text(const struct target *, char *, size_t);

#endif
