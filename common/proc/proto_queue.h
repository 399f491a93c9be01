/*
 * common/proc/proto_queue.h - to queue. A poke is a hint and has no answer:
 * V new, I id (from smtpd@incoming, drop). Control (run/queue): V hold|release|flush|remove|
 * requeue|trace|stat, I id or R pattern -> V ok with T lines, or V bad with T.
 */
#ifndef PROC_PROTO_QUEUE_H
#define PROC_PROTO_QUEUE_H

#define QUEUE_VERB	'V'
#define QUEUE_ID	'I'
#define QUEUE_RCPT	'R'
#define QUEUE_TEXT	'T'

#endif
