/* queue/logfiles.h - the log as it lies on disk: the file, and those that were rotated away, packed by gzip or not. */
#ifndef QUEUE_LOGFILES_H
#define QUEUE_LOGFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/fmt/logline.h"

struct logfile {
	char		*path;
	int64_t		 mtime_ms;	/* of the last line, about */
	dev_t		 dev;
	ino_t		 ino;
	int		 error;		/* errno of reading; 0: none; ESTALE: it was rotated since it was found */
	bool		 copy;		/* another one is being packed into it */
	bool		 skipped;	/* it is a copy, or ends before what was asked for */
};

/* The oldest first. */
struct logfiles {
	struct logfile	*files;
	size_t		 n;
	bool		 older;		/* there are lines from before what was asked for */
};

/*
 * path, and in its directory what is named path.X or path-X. While X is being packed, X and X.gz lie there: only X
 * will be read. -1: errno; the list may be empty.
 */
int	logfiles_find(struct logfiles *, const char *path) must_check;
/*
 * Calls fn for each line of ours that is not older than from_ms; line is all of it. What cannot be read
 * has its error set. False if fn said so, which ends it.
 */
bool	logfiles_each(struct logfiles *, int64_t from_ms,
	    bool (*fn)(void *, const struct logline *, struct str line), void *);
/* Have all that matter been read? */
bool	logfiles_ok(const struct logfiles *);
/* Has one been rotated away under our eyes? */
bool	logfiles_moved(const struct logfiles *);
/* What went wrong with it, for people. */
const char *logfile_error(const struct logfile *);
void	logfiles_free(struct logfiles *);

#endif
