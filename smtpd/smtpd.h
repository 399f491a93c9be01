/* smtpd/smtpd.h - what the listener knows and its workers inherit. */
#ifndef SMTPD_SMTPD_H
#define SMTPD_SMTPD_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/net/listener.h"
#include "common/proc/msg.h"
#include "common/store/spool.h"
#include "smtpd/allowance.h"

#define REPLY_SIZE	513	/* RFC 5321 4.5.3.1.5: 512 with code and CRLF; and a NUL */

struct smtpd {
	struct listener		 listener;
	struct settings		*settings;	/* the listener's */
	bool			 lmtp, submission;
	enum durable_how	 how;
	char			 greeting[REPLY_SIZE];
	struct spool_in		 spool;
	struct allowance	*allowance;	/* shared by the workers; NULL with LMTP */
	struct msg_client	 route, queue;	/* of a worker; connected when needed */
	struct buf		 question, answer;
};

/* starttls.c: is this a service with TLS from the first byte? */
bool	starttls_is_implicit(const char *service);
/* greet.c: from the settings, with its line end. */
void	greeting_make(struct smtpd *);
/* session.c: one connection, from the greeting to the end. */
void	session_run(void *, const struct server_session *);

#endif
