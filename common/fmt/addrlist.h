/*
 * common/fmt/addrlist.h - the addresses of To, Cc and Bcc fields (RFC 5322 3.4,
 * with the obsolete forms): display names, comments and groups are left out.
 */
#ifndef FMT_ADDRLIST_H
#define FMT_ADDRLIST_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

/*
 * The next address, folding and blanks removed, into buf (which is reset first). False at the end.
 * What has no address in it is passed over. It is not checked to be a good one: that is path_mailbox's work,
 * to which "ann bob" comes with its blank. One that does not fit into buf is passed over, too.
 */
bool	addrlist_next(struct cur *, struct buf *);
/* The same; *end is where its last byte ends in the text, so that something can be put behind it. */
bool	addrlist_next_at(struct cur *, struct buf *, const char **end);

#endif
