/* pop3d/front_impl.h - what the parts of the front share; nobody else includes this. */
#ifndef POP3D_FRONT_IMPL_H
#define POP3D_FRONT_IMPL_H

#include "common/proc/login.h"
#include "pop3d/command.h"
#include "pop3d/front.h"
#include "pop3d/talk.h"

/* One client that has not logged in. */
struct front {
	struct talk		 talk;
	const struct listener	*listener;
	const struct server_session *peer;
	const struct settings	*set;
	struct mechanism_facts	 facts;		/* of the connection */
	bool			 may_stls;	/* it can still be encrypted */
	struct login		 login;
	bool			 has_user;
	char			 tls[80];	/* "TLSv1.3 TLS_AES_...", as auth takes it; "" in the clear */
	struct buf		 exporter, end_point;	/* channel bindings */
	struct buf		 certificate;	/* the client's */
	char			 user[AUTH_USER_MAX + 1];
	char			 client[ADDR_TEXT_SIZE], local[ADDR_TEXT_SIZE];
	bool			 detached;	/* the connection goes on without the front */
};

/* A command's answer to: does the client go on here? False: talk.end says why not. */

/* front_auth.c: RFC 1939, 7, and RFC 5034. */
bool	front_user(struct front *, const struct command *);
bool	front_pass(struct front *, const struct command *);
bool	front_auth(struct front *, const struct command *);

/* front_tls.c: RFC 2595, 4. */
bool	front_stls(struct front *, const struct command *);
/* front_tls.c: the handshake. False: the connection is of no more use, talk.end says why. */
bool	front_shake_hands(struct front *);
/* front_tls.c: the proven connection to its session. With TLS LOGIN_OK comes when that has ended, and talk.end says how; or when the connection is detached. */
enum login_result front_take(struct front *) must_check;
/* front_tls.c: what was learnt of the connection's TLS. */
void	front_forget(struct front *);

#endif
