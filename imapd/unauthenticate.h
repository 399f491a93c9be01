/* imapd/unauthenticate.h - UNAUTHENTICATE (RFC 8437): the connection goes on, the session does not. */
#ifndef IMAPD_UNAUTHENTICATE_H
#define IMAPD_UNAUTHENTICATE_H

#include "imapd/session.h"

/* After the last command of a session that is to give its connection back (s->back): everything else of it has ended. */
void	unauthenticate_end(struct session *);

#endif
