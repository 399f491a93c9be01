/* imapd/use.h - special uses of mailboxes (RFC 6154) as clients name them. Pure. */
#ifndef IMAPD_USE_H
#define IMAPD_USE_H

#include <stdbool.h>

#include "common/base/str.h"
#include "common/fmt/cur.h"

/* "\Drafts" and its letter; NULL: none. */
const char *use_name(char);
/* The same the other way round; false: there is no such use. */
bool	use_letter(struct str name, char *);
/* "(USE (\Drafts))" of CREATE (RFC 6154, 3); *use as in store.h, 0: none. *unknown: it is well-formed, but there is no such use, or more than one. */
const char *use_to_create(struct cur *, char *use, bool *unknown);

#endif
