/* queue/logfiles.h - the log as it lies on disk: the file, and those that were rotated away, packed by gzip or not. */
#ifndef QUEUE_LOGFILES_H
#define QUEUE_LOGFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/fmt/logline.h"

struct logfile {
	char		*path;
	int64_t		 mtime_ms;	/* of the last line, about */
	int		 error;		/* errno of reading; 0: none */
	bool		 skipped;	/* it ends before what was asked for */
};

/* The oldest first. */
struct logfiles {
	struct logfile	*files;
	size_t		 n;
};

/* path, and in its directory what is named path.X or path-X. -1: errno; the list may be empty. */
int	logfiles_find(struct logfiles *, const char *path) must_check;
/*
 * Calls fn for each line of ours that is not older than from_ms; line is all of it. What cannot be read
 * has its error set. False if fn said so, which ends it.
 */
bool	logfiles_each(struct logfiles *, int64_t from_ms,
	    bool (*fn)(void *, const struct logline *, struct str line), void *);
/* Have all that matter been read? */
bool	logfiles_ok(const struct logfiles *);
void	logfiles_free(struct logfiles *);

#endif
