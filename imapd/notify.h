/* imapd/notify.h - NOTIFY (RFC 5465). */
#ifndef IMAPD_NOTIFY_H
#define IMAPD_NOTIFY_H

#include "imapd/session.h"

enum {
	NOTIFY_NEW = 1, NOTIFY_EXPUNGE = 2, NOTIFY_FLAGS = 4, NOTIFY_NAME = 8, NOTIFY_SUBSCRIPTION = 16,
	NOTIFY_NOTES = 32 /* MailboxMetadataChange */, NOTIFY_SERVER = 64 /* ServerMetadataChange */,
	NOTIFY_MESSAGES = NOTIFY_NEW | NOTIFY_EXPUNGE | NOTIFY_FLAGS
};

/* Does the session have to tell of events between commands? */
bool	notify_is_on(const struct session *);
/* Is this event of the selected mailbox to be told? Without NOTIFY: all of them. */
bool	notify_wants(const struct session *, unsigned event);
/* Messages from that UID on have come, and the client was told of their number. */
void	notify_arrived(struct session *, uint32_t uid);
/* What has changed in the selected mailbox, as far as the client wants to know it. idle: in IDLE, else between commands. */
void	notify_selected(struct session *, bool idle);
/* Events of mailboxes that are not selected, told between commands and while the session waits. */
void	notify_send(struct session *);
/* A descriptor for poll(2) that is readable when notify_send may have something; -1: none. */
int	notify_wait_fd(struct session *);
void	notify_clear(struct session *);
/* Nothing is to be told any more; memory is given back. */
void	notify_end(struct session *);

#endif
