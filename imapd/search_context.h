/* imapd/search_context.h - searches with RETURN (UPDATE): how they begin (RFC 5267 4.3). What happens to them later is in contexts.h. */
#ifndef IMAPD_SEARCH_CONTEXT_H
#define IMAPD_SEARCH_CONTEXT_H

#include "imapd/search_request.h"
#include "imapd/sorting.h"

#define CONTEXTS_MAX	16

/* May there be updates under this tag? False: BAD has been said. */
bool	context_check(struct session *, struct command *, const struct search_request *);
/*
 * If the request has UPDATE: its result is kept up to date from now on; order NULL: that of the mailbox; named: its updates name the mailbox
 * (RFC 7377 2.1). Where it cannot be, or found is NULL, the client is told by NO [NOUPDATE].
 */
void	context_add(struct session *, const struct command *, const struct search_request *, const struct sort_order *, const struct found *,
	    bool named);

#endif
