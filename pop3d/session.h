/* pop3d/session.h - POP3 after the login: runs as the mailbox's user. */
#ifndef POP3D_SESSION_H
#define POP3D_SESSION_H

#include "common/net/conn.h"
#include "common/proc/settings.h"
#include "common/store/box.h"

#define MARK_DELETED	1
#define MARK_SEEN	2

struct session {
	const struct settings	*set;
	struct conn		 conn;
	struct box		*box;
	unsigned char		*marks;		/* of each message */
	const char		*user, *client;
	bool			 end, update;	/* update: QUIT was said (RFC 1939 6) */
	long long		 errors;
	unsigned long long	 retrieved, deleted, bytes;
};

/* The mailbox is open, listed and locked; the client waits for the answer to PASS. */
void	session_run(struct session *);
/* transfer.c: a message, of its body no more than so many lines; dots stuffed, ended. -1: errno (ENOENT: gone). */
int	transfer(struct session *, size_t n, bool whole, size_t lines) must_check;

#endif
