/* imapd/notify.h - NOTIFY (RFC 5465). */
#ifndef IMAPD_NOTIFY_H
#define IMAPD_NOTIFY_H

#include "imapd/session.h"

/* Does the session have to tell of events between commands? */
bool	notify_is_on(const struct session *);
/* What has changed in the selected mailbox, as far as the client wants to know it. at_will: no command that numbers messages is under way, so that expunges may be told. */
void	notify_selected(struct session *, bool at_will);
/* Events of mailboxes that are not selected, told between commands and while the session waits. */
void	notify_send(struct session *);
/* A descriptor for poll(2) that is readable when notify_send may have something; -1: none. */
int	notify_wait_fd(struct session *);
void	notify_clear(struct session *);
/* Nothing is to be told any more; memory is given back. */
void	notify_end(struct session *);

#endif
