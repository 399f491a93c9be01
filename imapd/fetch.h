/* imapd/fetch.h - answers of FETCH that no FETCH has asked for (RFC 5465). */
#ifndef IMAPD_FETCH_H
#define IMAPD_FETCH_H

#include "imapd/session.h"

struct fetch_list;	/* opaque: what is told of each message */

/*
 * Lists as "(UID FLAGS)", which have been parsed before; what several of them ask for is told once. -1: errno; EINVAL: together they
 * are too much for one answer.
 */
int	fetch_list_begin(struct fetch_list **, struct session *, const struct str *lists, size_t n) must_check;
/* "* 5 FETCH (...)". \Seen stays as it is; of a message that is gone nothing is said. -1: errno. */
int	fetch_list_say(struct fetch_list *, size_t at) must_check;
void	fetch_list_end(struct fetch_list **);

#endif
