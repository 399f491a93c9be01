/* imapd/notify.h - NOTIFY (RFC 5465). */
#ifndef IMAPD_NOTIFY_H
#define IMAPD_NOTIFY_H

#include "imapd/notify_parse.h"
#include "imapd/place.h"

/* Does the session have to tell of events between commands? */
bool	notify_is_on(const struct session *);
/* Is this event of the selected mailbox to be told? Without NOTIFY: all of them. */
bool	notify_wants(const struct session *, unsigned event);
/* "(UID FLAGS)": what is to be told of messages that come into the selected mailbox; empty: their number alone. */
struct str notify_attributes(const struct session *);
/* What has changed in the selected mailbox, as far as the client wants to know it. idle: in IDLE, else between commands. */
void	notify_selected(struct session *, bool idle);
/*
 * The command under way has done this itself (RFC 5465 5: no need to tell): NOTIFY_NEW: has put so many messages there; NOTIFY_EXPUNGE: has
 * changed what is there; NOTIFY_NAME: with what is below it; NOTIFY_SUBSCRIPTION, NOTIFY_NOTES, NOTIFY_SERVER.
 */
void	notify_own(struct session *, const struct place *, unsigned event, size_t messages);
/* Events of mailboxes that are not selected, told between commands and while the session waits. */
void	notify_send(struct session *);
/* Has it to be looked again, although nothing more may happen? */
bool	notify_unsure(const struct session *);
/* A descriptor for poll(2) that is readable when notify_send may have something; -1: there is none, look from time to time; -2: nothing is waited for. */
int	notify_wait_fd(struct session *);
void	notify_clear(struct session *);
/* Nothing is to be told any more; memory is given back. */
void	notify_end(struct session *);

#endif
