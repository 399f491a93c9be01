/* common/fmt/mutf7.h - mailbox names in modified UTF-7 (RFC 3501 5.1.3), which is also what Maildir++ has on disk. Pure. */
#ifndef FMT_MUTF7_H
#define FMT_MUTF7_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

/* Appends. False (and nothing appended): it is no modified UTF-7 in its one right form. */
bool	mutf7_to_utf8(struct str, struct buf *) must_check;
/* Appends. False: it is no UTF-8. */
bool	mutf7_from_utf8(struct str, struct buf *) must_check;

#endif
