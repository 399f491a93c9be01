/* smtpd/smtpd.h - what the listener knows and its workers inherit. */
#ifndef SMTPD_SMTPD_H
#define SMTPD_SMTPD_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/net/server.h"
#include "common/proc/msg.h"
#include "common/proc/sandbox.h"
#include "common/proc/settings.h"
#include "common/store/spool.h"

struct smtpd {
	struct settings		*settings;
	bool			 lmtp;
	struct spool_in		 spool;
	struct sandbox_filter	*sandbox;	/* for workers */
	struct msg_client	 route, queue;	/* of a worker; connected when needed */
	struct buf		 question, answer;
};

/* session.c: one connection, from the greeting to the end. */
void	session_run(void *, const struct server_session *);

#endif
