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
 * What has no address in it is passed over. A syntax error ends the address that it is in.
 */
bool	addrlist_next(struct cur *, struct buf *);

#endif
