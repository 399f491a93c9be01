/*
 * common/proc/proto_auth.h - front to auth: V login, S service, U user, P password, C client
 * address, B bytes that the client had already sent; with the connection as descriptor.
 * -> V ok (the session has the connection now; close yours), V fail (wrong), V temp; T text.
 * auth to master on its link: V session, S, U, D uid, G gid, H home, M mailbox, C, B + connection
 * -> V ok or V temp. The master gives the same record to the session as a sealed memfd, the
 * descriptor named "login"; the connection is the one named "client".
 */
#ifndef PROC_PROTO_AUTH_H
#define PROC_PROTO_AUTH_H

#define AUTH_VERB	'V'
#define AUTH_SERVICE	'S'
#define AUTH_USER	'U'
#define AUTH_PASS	'P'
#define AUTH_CLIENT	'C'
#define AUTH_PENDING	'B'
#define AUTH_UID	'D'
#define AUTH_GID	'G'
#define AUTH_HOME	'H'
#define AUTH_MAILBOX	'M'	/* "maildir:/path" or "mbox:/path" */
#define AUTH_TEXT	'T'
#define AUTH_TAG	'I'	/* request number on the link auth-master; comes back */

#define AUTH_USER_MAX	256
#define AUTH_PASS_MAX	1024

#endif
