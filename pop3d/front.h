/* pop3d/front.h - a connection before its login. */
#ifndef POP3D_FRONT_H
#define POP3D_FRONT_H

#include "common/net/listener.h"

/* One connection, from the greeting to the session's start or the end; arg is the listener. */
void	pop3_front_session(void *, const struct server_session *);

#endif
