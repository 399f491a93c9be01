/* route/tables.h - the compiled tables and the users, for the engine. */
#ifndef ROUTE_TABLES_H
#define ROUTE_TABLES_H

#include "common/base/diag.h"
#include "common/proc/settings.h"
#include "route/engine.h"

struct tables;

/* dirfd stays the caller's and must stay open. */
int	tables_open(struct tables **, const struct settings *, int dirfd, struct diag *) must_check;
/* Notices what was compiled anew. On a failure (why is set) the old ones stay. */
bool	tables_refresh(struct tables *, struct diag *why);
struct engine_tables tables_engine(struct tables *);
void	tables_close(struct tables **);

#endif
