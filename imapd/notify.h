/* imapd/notify.h - NOTIFY (RFC 5465). */
#ifndef IMAPD_NOTIFY_H
#define IMAPD_NOTIFY_H

#include "imapd/session.h"

/* Events of mailboxes that are not selected, told between commands and while the session waits. */
void	notify_send(struct session *);
/* A descriptor for poll(2) that is readable when notify_send may have something; -1: none. */
int	notify_wait_fd(struct session *);
void	notify_clear(struct session *);

#endif
