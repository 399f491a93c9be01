/*
 * common/proc/proto_local.h - queue to local.
 * To the root parent (spool/sock/local): V open, U user, K kind -> V ok, W worker + one descriptor (a
 * SEQPACKET to a worker that is that user), or V temp / V perm with S status, T text.
 * V kill, W worker, of one that hangs; no answer.
 * To the worker, with the open spool file as descriptor: V deliver, I, O, N, S, R, F -> I, S, T.
 * Several deliveries may be under way; answers come in any order.
 */
#ifndef PROC_PROTO_LOCAL_H
#define PROC_PROTO_LOCAL_H

#define LOCAL_VERB	'V'
#define LOCAL_USER	'U'
#define LOCAL_KIND	'K'	/* "mailbox" (finals U; sandboxed) or "command" (finals P and M) */
#define LOCAL_WORKER	'W'	/* its process id */
#define LOCAL_ID	'I'	/* "ID/n": message id, index of the recipient in it */
#define LOCAL_OFFSET	'O'	/* of the content in the file */
#define LOCAL_LENGTH	'N'	/* of the content */
#define LOCAL_SENDER	'S'	/* envelope sender, "" for null */
#define LOCAL_RCPT	'R'	/* recipient as it was given: X-Original-To, ORIGINAL_RECIPIENT */
#define LOCAL_FINAL	'F'	/* struct final */
/* answers */
#define LOCAL_STATUS	's'	/* enhanced code: 2.x.x delivered, 4.x.x later, 5.x.x never */
#define LOCAL_TEXT	't'	/* for log, status file and bounce */

#define LOCAL_BATCH	32	/* deliveries in flight per worker */

#endif
