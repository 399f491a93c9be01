/* common/fmt/complete.h - mailboxes without a domain get one (RFC 6409 8.8). Pure. */
#ifndef FMT_COMPLETE_H
#define FMT_COMPLETE_H

#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/str.h"

/*
 * The text of an address field with @domain behind each mailbox that has none. Names, comments, groups, quoted
 * strings, encoded words and what is no address stay, and so does what would make a line longer than max bytes.
 * buf_ok tells.
 */
void	complete_addresses(struct str field, struct str domain, size_t max, struct buf *out);

#endif
