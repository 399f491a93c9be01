/*
 * common/proc/proto_remote.h - queue to remote. A connection to spool/sock/remote is one worker and one connection to a
 * server: the worker connects at the first delivery and keeps the session for the next to the same destination.
 * V deliver, I, O, N, S, B, U, Y, e, H, R's and the open spool file as descriptor
 * -> one V result per recipient (n, s, t, h, D, Z), at any time and in any order, then one V done (I, K, F, t).
 * One delivery is under way at a time. Closing the socket ends the worker.
 */
#ifndef PROC_PROTO_REMOTE_H
#define PROC_PROTO_REMOTE_H

#define REMOTE_VERB	'V'
#define REMOTE_ID	'I'	/* message id */
#define REMOTE_OFFSET	'O'	/* of the content in the file */
#define REMOTE_LENGTH	'N'	/* of the content */
#define REMOTE_SENDER	'S'	/* envelope sender, "" for null */
#define REMOTE_BODY	'B'	/* "7bit" or "8bitmime", as the client said; "" if it said nothing */
#define REMOTE_UTF8	'U'	/* present: the client said SMTPUTF8 */
#define REMOTE_RET	'Y'	/* "FULL" or "HDRS" */
#define REMOTE_ENVID	'e'	/* as xtext */
#define REMOTE_HOP	'H'	/* the answer of hop (proto_hop.h), whole */
#define REMOTE_RCPT	'R'	/* a record, REMOTE_RCPTS at the most: */
#define RCPT_NUMBER	'n'	/* index in the envelope */
#define RCPT_ADDR	'a'
#define RCPT_ORCPT	'o'	/* "type;xtext", missing if none */
#define RCPT_NOTIFY	'y'	/* "NEVER", "SUCCESS,FAILURE" ..., missing if the client said nothing */
/* results */
#define REMOTE_NUMBER	'n'	/* of the recipient */
#define REMOTE_STATUS	's'	/* enhanced code: 2.x.x the server has it, 4.x.x later, 5.x.x never */
#define REMOTE_TEXT	't'	/* what the server said, "550 5.1.1 no such user", or what went wrong here; at most 1000 bytes */
#define REMOTE_HOST	'h'	/* "mx.example.org[192.0.2.1]:25" that said it, missing if none did */
#define REMOTE_DSN	'D'	/* present: the server offers DSN and will report itself */
#define REMOTE_TLS	'Z'	/* "TLSv1.3 TLS_AES_256_GCM_SHA384 verified", missing: in the clear */
#define REMOTE_SAID	'r'	/* present: the text is a reply of the server's (Diagnostic-Code: smtp) */
/* done */
#define REMOTE_KEEP	'K'	/* present: the session stands, the next delivery may come */
#define REMOTE_FAILURE	'F'	/* of the destination, not of the message: "connect" (no address answers), "session" (refused or lost before MAIL), "busy" (421, 4xx to MAIL that says so); missing: none */

#define REMOTE_RCPTS	100

#endif
