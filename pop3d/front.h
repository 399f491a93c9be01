/* pop3d/front.h - a connection before its login. */
#ifndef POP3D_FRONT_H
#define POP3D_FRONT_H

#include "common/net/server.h"
#include "common/proc/sandbox.h"
#include "common/proc/settings.h"

struct pop3d {
	struct settings		*settings;
	struct sandbox_filter	*sandbox;	/* for workers */
};

/* One connection, from the greeting to the session's start or the end. */
void	front_session(void *, const struct server_session *);
/* May a password come from there in clear text? how: "yes", "no", "loopback". */
bool	front_cleartext_ok(const char *how, const struct addr *peer);

#endif
