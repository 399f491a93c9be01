/* route/source_key.h - names in source files as they are looked up. Pure. */
#ifndef ROUTE_SOURCE_KEY_H
#define ROUTE_SOURCE_KEY_H

#include "common/base/buf.h"
#include "common/base/str.h"
#include "route/site.h"
#include "route/value.h"

/* The key of an entry of such a table is added to the buffer; NULL, or what is wrong with the name. */
const char	*source_key(const struct site *, enum table_kind, struct str name, struct buf *key);

#endif
