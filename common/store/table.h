/* common/store/table.h - constant databases (tinycdb), built beside and swapped by rename; a reader notices and reopens. */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/base/str.h"

struct table;	/* reader, opaque */
struct table_maker;	/* writer, opaque */

int	table_open(struct table **, int dirfd, const char *name, struct diag *) must_check;
/* If the file under the name is another one now, use it; on failure the old stays. True if it changed. Cheap: one fstatat. */
bool	table_refresh(struct table *, struct diag *);
/* Value of a key: 1 found (view valid until refresh/close), 0 not there, -1 damaged (EPROTO). */
int	table_get(struct table *, struct str key, struct str *value) must_check;
void	table_close(struct table **);

int	table_make(struct table_maker **, int dirfd, const char *name, mode_t, struct diag *) must_check;
/* A key that is there already: -1 EEXIST. */
int	table_add(struct table_maker *, struct str key, struct str value) must_check;
/* Flush and rename into place. Frees. */
int	table_commit(struct table_maker **, struct diag *) must_check;
void	table_abort(struct table_maker **);

#endif
