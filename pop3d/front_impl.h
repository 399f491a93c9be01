/* pop3d/front_impl.h - what the parts of the front share; nobody else includes this. */
#ifndef POP3D_FRONT_IMPL_H
#define POP3D_FRONT_IMPL_H

#include "common/net/entry.h"
#include "pop3d/command.h"
#include "pop3d/front.h"
#include "pop3d/talk.h"

/* One client that has not logged in. */
struct front {
	struct talk		 talk;
	const struct settings	*set;
	struct entry		 entry;		/* its connection is the talk's */
	bool			 has_user;
	char			 user[AUTH_USER_MAX + 1];
};

/* A command's answer to: does the client go on here? False: talk.end says why not. */

/* front_auth.c: RFC 1939, 7, and RFC 5034. */
bool	front_user(struct front *, const struct command *);
bool	front_pass(struct front *, const struct command *);
bool	front_auth(struct front *, const struct command *);

#endif
