/*
 * imapd/metadata_use.h - the special use of a mailbox as its entry "/private/specialuse" (RFC 6154, 4). It is never kept among
 * the others: what LIST says and what the entry says are one.
 */
#ifndef IMAPD_METADATA_USE_H
#define IMAPD_METADATA_USE_H

#include "imapd/metadata_file.h"

/* Is it that entry? */
bool	metadata_is_use(struct str name);
/* One use, as LIST shows it; nothing, or p NULL: none. False: a mailbox cannot have it. */
bool	metadata_use_parse(struct str value, char *use);
/* The entry of that user gets what the use is; 0: he has none, whatever was read. user lives as long as m. */
void	metadata_use_put(struct metadata *, struct str user, char use);

#endif
