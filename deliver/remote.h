/* deliver/remote.h - what the workers of remote(8) have from their parent, and how a failure is told. */
#ifndef DELIVER_REMOTE_H
#define DELIVER_REMOTE_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/fmt/reply.h"
#include "common/net/tls.h"
#include "common/proc/settings.h"
#include "deliver/remote_pass.h"

struct remote {
	const struct settings	*set;
	struct tls_client	*tls;
	struct passwords	*passwords;
	int			 dialer;	/* to who connects to sockets with a path (remote_unix.h); -1: nobody */
	int			 queue;		/* the connection to queue: when it is closed, waiting ends */
};

/* How something ended, for queue: status, text, and whether a server said so. */
struct verdict {
	char	status[12];
	char	text[REPLY_TEXT + 1];
	bool	said;
};

void	verdict_set(struct verdict *, const char *status, const char *, ...) printf_like(3, 4);
/* The server's reply. A code that makes no sense here (2xx or 3xx instead of a failure) becomes 4.5.0. */
void	verdict_reply(struct verdict *, const struct reply *);

#endif
