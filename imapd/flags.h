/* imapd/flags.h - flag lists that the client sends. */
#ifndef IMAPD_FLAGS_H
#define IMAPD_FLAGS_H

#include "imapd/session.h"

struct flag_list {
	uint16_t	 flags;		/* VIEW_... */
	struct str	*keywords;	/* in the arena */
	size_t		 n;
};
/* "(\Seen $x)", or, if bare, also without parentheses. \Recent and unknown system flags: BAD is said, false. */
bool	flag_list(struct session *, struct command *, struct cur *, bool bare, struct flag_list *);

#endif
