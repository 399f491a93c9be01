/* imapd/metadata_args.h - names of entries (RFC 5464, 3), as GETMETADATA, SETMETADATA and LIST have them. Pure. */
#ifndef IMAPD_METADATA_ARGS_H
#define IMAPD_METADATA_ARGS_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

#define METADATA_ASKED_MAX	100	/* entries in one command */

/* "entry" or "(entry ...)": bounded, and each in the form that metadata_entry_wrong wants. */
const char *metadata_entries(struct cur *, struct arena *, struct str **, size_t *n);
/* NULL: "/private/..." or "/shared/..." as RFC 5464, 3 has it. Else what is wrong. */
const char *metadata_entry_wrong(struct str);

#endif
