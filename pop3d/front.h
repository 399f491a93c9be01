/* pop3d/front.h - a connection before its login. */
#ifndef POP3D_FRONT_H
#define POP3D_FRONT_H

#include "common/net/listener.h"

/* One connection, from the greeting to the session's start or the end; arg is the listener. */
void	front_session(void *, const struct server_session *);
/* May a password come from there in clear text? how: "yes", "no", "loopback". */
bool	front_cleartext_ok(const char *how, const struct addr *peer);

#endif
