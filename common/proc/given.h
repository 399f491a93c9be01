/*
 * common/proc/given.h - what the master gives a mailbox session: the client's connection, a sealed record of who it is, its settings,
 * its log, and the filter of its sandbox. For programs that serve one user after the login (pop3d-session, imapd-session).
 */
#ifndef PROC_GIVEN_H
#define PROC_GIVEN_H

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/proc/proto_auth.h"
#include "common/proc/sandbox.h"
#include "common/proc/settings.h"

#define GIVEN_MAILBOX	1100

struct given {
	char		user[AUTH_USER_MAX + 1];
	char		mailbox[GIVEN_MAILBOX];		/* "maildir:/path" */
	char		client[80], local[80], tls[80];	/* as text; "" where there is none */
	char		note[AUTH_NOTE_MAX + 1];	/* of the front's */
	char		by[AUTH_USER_MAX + 1];	/* the master user who is logged in as user, or "" */
	uint64_t	quota;		/* bytes; 0: the configuration's */
	struct buf	record;
	struct str	pending;	/* what the client has said already; a view into record */
	int		connection;
	int		filter;		/* of the sandbox */
	struct settings	*settings;	/* owned; settings_free when no longer needed */
};

/* Opens the log as name, too. 0, or the exit status of main, which has been explained. */
int	given_take(const char *name, int argc, struct given *) must_check;
/* Into the sandbox, with the filter that was given. -1: *why. */
int	given_enter(struct given *, const struct sandbox_path *, size_t, struct diag *) must_check;
void	given_end(struct given *);

#endif
