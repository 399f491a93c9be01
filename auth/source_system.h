/*
 * auth/source_system.h - users of the system: auth asks auth-pam(8), which runs as root, over a connection of its
 * own for each login. The answer comes when PAM has one: the descriptor is for the event loop.
 */
#ifndef AUTH_SOURCE_SYSTEM_H
#define AUTH_SOURCE_SYSTEM_H

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/store/users.h"

#define SYSTEM_MS	35000	/* no answer until then: SYSTEM_TEMP; auth-pam ends its own work before */
#define SYSTEM_WHY_MAX	80

enum system_verdict {
	SYSTEM_WAIT,		/* nothing has come yet */
	SYSTEM_OK,		/* the user is filled in: uid, gid, home, no mailbox, no quota */
	SYSTEM_UNKNOWN,		/* no such user, or below local.min-uid: its password is not even tried */
	SYSTEM_WRONG,		/* the password, or it has none */
	SYSTEM_DENIED,		/* proven, but expired or locked */
	SYSTEM_TEMP		/* not now */
};

/* Sends the question: a non-blocking descriptor, which the caller closes; -1 errno (EAGAIN: too many wait there). */
int	system_ask(const char *name, const char *password, const char *service, const char *client) must_check;
/* Reads the answer into rec (MSG_MAX). why: for the log, "" if there is nothing to say. */
enum system_verdict system_answer(int fd, struct buf *rec, struct user *, char why[SYSTEM_WHY_MAX]);

#endif
