/* common/store/users_scan.h - what the parts of users_scan share; nobody else includes this. */
#ifndef STORE_USERS_SCAN_H
#define STORE_USERS_SCAN_H

#include "common/store/users.h"

struct users_scan;	/* opaque */

/* An entry at its place: filled up with defaults, proven, and given to the sink. False: the scan is over. */
bool	users_scan_entry(struct users_scan *, struct users_entry *, const char *file, unsigned line, unsigned col);
void	users_scan_mistake(struct users_scan *, const char *file, unsigned line, unsigned col, const char *what);

/* users_sqlite.c: all rows to users_scan_entry. */
void	users_sqlite(struct users_scan *, const struct users_source *);

#endif
