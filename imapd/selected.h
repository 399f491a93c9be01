/* imapd/selected.h - what the user may do in the mailbox that is selected (RFC 4314). */
#ifndef IMAPD_SELECTED_H
#define IMAPD_SELECTED_H

#include "imapd/place.h"

/* Has the user these rights (place.h)? If not NO [NOPERM] is said. */
bool	selected_right(struct session *, struct command *, unsigned need);
/*
 * May it still be read (RFC 4314, 5.1.1)? Of a shared one the list of rights is looked at (by stat), and read if it is another one. If not
 * BYE is said, and s->end is set. If there are other rights the client is told which flags it may change.
 */
bool	selected_readable(struct session *) must_check;
void	selected_forget(struct session *);
/* Where it is; without the rights. */
void	selected_place(const struct session *, struct place *);

#endif
