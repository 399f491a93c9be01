/* imapd/identify.h - ID (RFC 2971), before the login and after it. */
#ifndef IMAPD_IDENTIFY_H
#define IMAPD_IDENTIFY_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/fmt/cur.h"
#include "common/proc/settings.h"

#define IDENTIFY_TEXT	300	/* of what the client says of itself, for the log */

/*
 * What the client says: NIL, or a list of fields and values, as "name=Mutt version=2" appended to text (whose maximum it cannot exceed), for
 * log_safe. False: it is no such list, or longer than RFC 2971, 3.3 allows.
 */
bool	identify_take(struct cur *, struct arena *, struct buf *text) must_check;
/* What imap.id says, as the list of the answer. */
int	identify_put(struct buf *, const struct settings *) must_check;

#endif
