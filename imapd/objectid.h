/* imapd/objectid.h - object identifiers (RFC 8474), as FETCH shows them and SEARCH is asked for them. Pure. */
#ifndef IMAPD_OBJECTID_H
#define IMAPD_OBJECTID_H

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

/* Appends. */
int	objectid_put(struct buf *, struct str guid) must_check;

#endif
