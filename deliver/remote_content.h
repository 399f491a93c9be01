/* deliver/remote_content.h - the bytes of a message on their way to a server. */
#ifndef DELIVER_REMOTE_CONTENT_H
#define DELIVER_REMOTE_CONTENT_H

#include "common/fmt/downgrade.h"
#include "deliver/remote_job.h"
#include "deliver/remote_session.h"

#define SEND_PIECE	65536u	/* bytes read and sent at a time */

/* What it holds above 127. -1: it cannot be read (errno). */
struct content_facts {
	bool	header, body;
};
int	content_scan(const struct job *, struct content_facts *) must_check;

/*
 * Everything but what stays in the session's buffer, for the caller to flush. -1: the session is broken (the server
 * must not take what there is for the whole), *why.
 */
int	send_plain(struct session *, const struct job *, struct verdict *why) must_check;	/* for BDAT */
/* Finds out how it can be said in 7 bits, into d (downgrade_init was called). -1: errno; EINVAL: it cannot. */
int	content_plan(const struct job *, struct downgrade *d) must_check;
int	send_downgraded(struct session *, const struct job *, struct downgrade *, struct verdict *why) must_check;	/* as send_dots */
int	send_dots(struct session *, const struct job *, struct verdict *why) must_check;	/* for DATA, with the last dot */

#endif
