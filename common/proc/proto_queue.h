/*
 * common/proc/proto_queue.h - to queue. A poke is a hint and has no answer:
 * V new, I id (from smtpd@incoming, drop). Control (run/queue): V hold|release|flush|remove|
 * requeue|trace|stat, I id (or "ALL") -> V ok with T lines, or V bad with T; V brake, or
 * brake-release|brake-drop with U user, likewise. V list, then V more
 * as long as the answer is V more, not V end: E entries, each a record. V list may hold
 * filters, all of which an entry has to match.
 */
#ifndef PROC_PROTO_QUEUE_H
#define PROC_PROTO_QUEUE_H

#define QUEUE_VERB	'V'
#define QUEUE_ID	'I'
#define QUEUE_TEXT	'T'
#define QUEUE_ENTRY	'E'
#define QUEUE_USER	'U'	/* of brake-release and brake-drop */
/* of a list; "*" in a text stands for anything, case is ignored */
#define FILTER_SENDER	'F'
#define FILTER_RCPT	't'	/* one of those not delivered yet */
#define FILTER_DOMAIN	'd'	/* of such a recipient */
#define FILTER_TEXT	'e'	/* is part of the reason why it waits */
#define FILTER_USER	'u'	/* who sent it, exactly */
#define FILTER_OLDER	'o'	/* ms since the arrival, or more */
#define FILTER_PLACE	'p'	/* as in an entry */
#define FILTER_BARE	'b'	/* entries hold id, place and due only; other filters but the place are left to who asks */
#define FILTER_BRIEF	'B'	/* entries have no reasons */
/* of an entry */
#define ENTRY_ID	'I'
#define ENTRY_PLACE	'P'	/* "waiting", "running", "held", "incoming", "dropped" */
#define ENTRY_DUE	'D'	/* of the next attempt, ms since 1970 */
#define ENTRY_ARRIVAL	'A'	/* ms since 1970 */
#define ENTRY_SIZE	'Z'	/* of the content */
#define ENTRY_SENDER	'S'
#define ENTRY_RCPT	'r'	/* not delivered yet; the first ones if there are many */
#define ENTRY_REASON	'w'	/* behind a recipient: status code and reason of its last attempt */
#define ENTRY_NRCPTS	'n'	/* not delivered yet: how many */
#define ENTRY_WHY	'W'	/* the last line of its status file */

#endif
