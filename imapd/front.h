/* imapd/front.h - a connection before its login. The name is not pop3d's: tests link both. */
#ifndef IMAPD_FRONT_H
#define IMAPD_FRONT_H

#include "common/net/listener.h"

/* One connection, from the greeting to the session's start or the end; arg is the listener. */
void	imap_front_session(void *, const struct server_session *);

#endif
