/* route/compile.h - the commands that read source files: -c and -t. */
#ifndef ROUTE_COMPILE_H
#define ROUTE_COMPILE_H

#include "common/proc/settings.h"
#include "route/source.h"

/* Reads, proves and writes the tables; mistakes to stderr. Exit status; on a failure the old tables stay. */
int	compile_run(const struct settings *);
/* Reads and proves, and works out the expect lines; writes nothing. */
int	compile_test(const struct settings *);
/* One expect line. True if it holds; else what came instead is a mistake in src. */
bool	expect_holds(struct sources *, struct engine *, struct decision *, const struct setting_item *);

#endif
