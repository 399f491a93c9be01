/*
 * queue/brake.h - an account that suddenly sends far more than it used to is not refused but held: posthouse-queue(8),
 * The brake. Whose mail it is says the envelope: a user who logged in, or "uid=33" of a local program.
 */
#ifndef QUEUE_BRAKE_H
#define QUEUE_BRAKE_H

#include "queue/brake_file.h"
#include "queue/queue.h"

/* Reads what was remembered; what makes no sense is begun anew, and said. -1: ENOMEM */
int	brake_new(struct queue *) must_check;
/*
 * Counts a message that is new. True: the brake is on for its account; the message was moved to hold, or could not
 * be and is looked at again.
 */
bool	brake_holds(struct queue *, struct message *);
/* A recipient of the message failed for good. */
void	brake_failed(struct queue *, const struct message *);
/* Writes notices that are due, and now and then what is remembered. */
void	brake_work(struct queue *);
/* ms until that has something to do; -1: never. */
int64_t	brake_wait(const struct queue *);
/* Accounts that are held. */
size_t	brake_count(const struct queue *);
/* The brake is off for the account; what it sent was right, or is not to count. False: it was not on. */
bool	brake_off(struct queue *, struct str name, bool right);
/* A line of text for each account that is held. */
void	brake_say(const struct queue *, void (*fn)(void *, const char *line), void *);
/* Writes what is remembered. */
void	brake_free(struct queue *);

/* "612 messages within an hour, its limit is 100" */
void	brake_reason(const struct brake_record *, struct buf *);

/* ---- brake_notice.c: to the postmaster and, if it is a user, to him. -1: not written (errno) */
int	brake_tell(struct queue *, const struct brake_record *) must_check;

#endif
