/* imapd/selected.h - what the user may do in the mailbox that is selected (RFC 4314). */
#ifndef IMAPD_SELECTED_H
#define IMAPD_SELECTED_H

#include "imapd/place.h"

/* Has the user these rights (place.h)? If not NO [NOPERM] is said. */
bool	selected_right(struct session *, struct command *, unsigned need);
/* Where it is; without the rights. */
void	selected_place(const struct session *, struct place *);

#endif
