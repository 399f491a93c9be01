/*
 * common/store/durable.h - the one place that knows what makes a new file and
 * its name survive a power cut, per file system, with the fewest flushes.
 * The argument stands in spool(5).
 *
 * Order of use: write the file in tmp; durable_data() each; rename each; durable_names() once per
 * directory (or per file where the file system asks). Only then acknowledge.
 */
#ifndef STORE_DURABLE_H
#define STORE_DURABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/store/flush.h"

enum durable_how {
	DURABLE_STRICT,		/* fsync the file, rename, fsync the directory: any POSIX system */
	DURABLE_ORDERED,	/* ext4, XFS: blocks written out, rename, one fsync carries the name */
	DURABLE_FILE,		/* btrfs, ZFS: rename, fsync of the file carries its name */
	DURABLE_UNJOURNALED	/* ext4 without a journal: as FILE, but each further rename needs a flush of its own */
};

/*
 * What is right for the file system of this descriptor; strict: the configuration wants that way on any. Looks
 * at /sys and /proc for the journal of ext4, so it is asked before a program enters its root directory or
 * sandbox; where they cannot be read the answer is DURABLE_STRICT. Keeps errno.
 */
enum durable_how durable_for(int dirfd, bool strict);
/* The same for the directory of that name; DURABLE_STRICT if it cannot be opened. */
enum durable_how durable_for_path(const char *, bool strict);
const char	*durable_name(enum durable_how);
/*
 * After each write of a file that grows from its beginning: every MiB goes to the disk while the next one
 * is being made, so that the flush at the end finds little to do. A hint; says nothing of failure.
 */
void	durable_early(int fd, off_t at, off_t len);
/*
 * Begins what durable_data() will wait for. Of several files all are begun before the first is waited for:
 * the disk then has work to choose from. A hint, like the above.
 */
void	durable_begin(enum durable_how, int fd);
/* Before the rename. */
int	durable_data(enum durable_how, int fd) must_check;
/* The same, of a file that is to take the place of another one with the same message. */
int	durable_replacement(enum durable_how, int fd) must_check;
/* After the renames into dirfd of the n files fds. Where each needs a flush, these are under way together. -1: none of them may be acknowledged. */
int	durable_names(enum durable_how, struct flush *, int dirfd, const int *fds, size_t n) must_check;
/*
 * Instead of durable_names when the renamed file replaces another one that holds the same message (or one that
 * is removed after this call): either of them may survive a power cut, but one of them will.
 */
int	durable_replaced(enum durable_how, int dirfd, int fd) must_check;
/* Does a rename of a file whose name is safe need a flush of the new directory, so that one of the two names survives? */
bool	durable_moves_need_flush(enum durable_how);

#endif
