/*
 * common/store/arrivals.h - what a program of ours puts into a folder, so that it knows the UIDs at once (save.c). Below it are
 * the list of UIDs, the keywords' letters and the index, see view.h.
 */
#ifndef STORE_ARRIVALS_H
#define STORE_ARRIVALS_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/store/store.h"

struct arrivals;	/* a folder that something is put into; opaque */

struct arrival {
	const char	*file;		/* its name in cur/, "base:2,FLAGS": it is there, and durable, before arrivals_number */
	uint64_t	 wire;		/* octets with CRLF ends; 0: not known */
	int64_t		 saved;		/* seconds since 1970 */
	struct str	 guid;		/* empty: its base name is */
	uint32_t	 uid;		/* set by arrivals_number; 0: removed by others before, or not to be found while they rename */
};

int	arrivals_open(struct arrivals **, struct store *, const char *folder, struct diag *why) must_check;
void	arrivals_close(struct arrivals **);
/*
 * What is renamed into the folder must not be lost with it, and what has a GUID must not get another one from somebody who is faster
 * (RFC 8474 5.1): from here to arrivals_let_go nobody of ours deletes it or looks at it. -1: errno; ESTALE: it has been deleted, or renamed, already.
 */
int	arrivals_hold(struct arrivals *) must_check;
void	arrivals_let_go(struct arrivals *);
/* Is it still where it was when it was opened? */
bool	arrivals_is_there(const struct arrivals *);
/* Its Maildir (tmp, new, cur); not the caller's. */
const struct maildir *arrivals_maildir(const struct arrivals *);
/* The letter of a keyword in file names there, made (durable) if it is new. 0: there is no room for one more. -1: errno. */
int	arrivals_keyword(struct arrivals *, struct str name, char *letter) must_check;
/* UIDs, in order, written durably to dovecot-uidlist under its lock; the index is told. -1: errno; the messages are there all the same, without UIDs yet. */
int	arrivals_number(struct arrivals *, struct arrival *, size_t n, uint32_t *validity) must_check;

#endif
