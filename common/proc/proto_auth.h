/*
 * common/proc/proto_auth.h - logins. A front has a connection to auth for each of its clients that logs in; each
 * question has one answer, and one is under way at a time.
 *
 * Front to auth:
 *	V login		S service, U user, P password, facts: USER and PASS of POP3, LOGIN of IMAP
 *	V sasl		S service, H mechanism, R initial response (missing: there was none; "": an empty one), facts
 *	V step		R the client's answer to a challenge
 *	V cancel	the client has given up ("*", RFC 4422 3.5); the answer is V fail, K cancelled
 *	V take		B bytes that the client has sent already; N note, missing: none; with what the session shall
 *			talk to as descriptor: the client's connection, or one end of a pair behind which the front
 *			does the TLS
 * Facts: C client address, L own address; E "TLSv1.3 TLS_AES_..." if the connection is encrypted; X and Y its
 * channel bindings tls-exporter and tls-server-end-point (RFC 9266, RFC 5929), as bytes; Z the client's certificate
 * (DER), which the handshake has proven.
 *
 * Auth to front:
 *	V more		D challenge, as bytes: ask the client, then "step" or "cancel"
 *	V ok		to login, sasl, step: U the user's name here, D what the client gets before it hears of its
 *			success (RFC 4422 3.6; missing: nothing). Whoever serves a mailbox goes on with "take" within
 *			AUTH_TAKE_MS; for "submission" and "smtp" that is all.
 *	V ok		to take: the session has the connection now, close yours
 *	V fail		K kind, T text that the client may read
 *	V temp		T text: not now; after "take": the session could not be started
 *
 * auth to master on its link: V session, S, U, D uid, G gid, H home, M mailbox, C, L, E, B, N, Q quota, A
 *			the master user who is logged in as U (missing: U himself), I number + connection
 * -> V ok or V temp, I. N is what the session is told by the front of the client's wishes before it logged in;
 * printable, and nothing that gives a right over a mailbox; of IMAP "TAG LOGIN" or "TAG AUTHENTICATE": the command that the session
 * answers, with OK or, if it cannot serve the mailbox, with NO; with " BACK" behind it if the front takes the connection back (RFC 8437;
 * net/relay.h): the sandbox of the session then lets it do so. The master gives the same record to the session as a sealed memfd, the
 * descriptor named "login"; the connection is the one named "client".
 *
 * Fronts that serve mailboxes and those that take mail have sockets of their own, and only their own services. A
 * front whose question is malformed, or out of turn, is dropped without an answer.
 */
#ifndef PROC_PROTO_AUTH_H
#define PROC_PROTO_AUTH_H

#include <stdbool.h>
#include <string.h>

#define AUTH_VERB	'V'
#define AUTH_SERVICE	'S'	/* "pop3", "imap", "submission", "smtp" */
#define AUTH_USER	'U'
#define AUTH_PASS	'P'
#define AUTH_MECHANISM	'H'
#define AUTH_RESPONSE	'R'
#define AUTH_DATA	'D'	/* of a challenge, or of the success */
#define AUTH_CLIENT	'C'
#define AUTH_LOCAL	'L'
#define AUTH_TLS	'E'
#define AUTH_EXPORTER	'X'
#define AUTH_END_POINT	'Y'
#define AUTH_CERT	'Z'
#define AUTH_PENDING	'B'
#define AUTH_NOTE	'N'
#define AUTH_QUOTA	'Q'	/* bytes; missing or 0: the configuration's */
#define AUTH_BY		'A'	/* may do what the user himself may not, see posthouse-imapd(8) */
#define AUTH_KIND	'K'
#define AUTH_TEXT	'T'
#define AUTH_UID	'D'
#define AUTH_GID	'G'
#define AUTH_HOME	'H'
#define AUTH_MAILBOX	'M'	/* "maildir:/path" or "mbox:/path" */
#define AUTH_TAG	'I'	/* request number on the link auth-master; comes back */

/* Kinds of failure. */
#define AUTH_WRONG	"wrong"		/* user, password or token */
#define AUTH_MECHANISM_UNKNOWN "mechanism"	/* there is none of that name, or not for this connection */
#define AUTH_SYNTAX	"syntax"	/* the message is not one of the mechanism's */
#define AUTH_CANCELLED	"cancelled"
#define AUTH_DENIED	"denied"	/* proven, but not for this service or from this network */
#define AUTH_BLOCKED	"blocked"	/* too many failures: for a while nothing is tried */
#define AUTH_CLEARTEXT	"cleartext"	/* not without encryption */

#define AUTH_USER_MAX	256
#define AUTH_PASS_MAX	1024
#define AUTH_MECHANISM_MAX 20	/* RFC 4422 3.1 */
#define AUTH_RESPONSE_MAX 12288	/* a message of the client's, decoded; tokens are long */
#define AUTH_NOTE_MAX	200
#define AUTH_NOTE_LOGIN "LOGIN"
#define AUTH_NOTE_AUTHENTICATE "AUTHENTICATE"
#define AUTH_NOTE_BACK	"BACK"
#define AUTH_TAKE_MS	60000

/* Does the front that wrote this note take the connection back? */
static inline bool
auth_note_is_back(const char *note)
{
	static const char	back[] = " " AUTH_NOTE_BACK;
	size_t			n = strlen(note), most = sizeof(back) - 1;

	return n >= most && strcmp(note + n - most, back) == 0;
}

#endif
