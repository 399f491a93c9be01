/* common/store/flush.h - fsync(2) of one file, or of several at a time. */
#ifndef STORE_FLUSH_H
#define STORE_FLUSH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

#define FLUSH_MAX	64	/* under way at a time; more come one after the other */

/* Until it succeeds or fails; a failure is never tried again: the kernel forgets the error, not the loss. */
int	flush_one(int fd) must_check;
/*
 * The kernel's queue for flushes under way: made when it is first needed and kept, because to end one takes
 * the kernel milliseconds. A zeroed struct is a closed one.
 */
struct flush {
	unsigned long	ctx;
	bool		refused;	/* by the kernel or a sandbox */
};
/*
 * All of them, under way together where the kernel can (io_submit(2), since Linux 4.18), so that the disk
 * empties its cache once for several; else one by one. -1: at least one may not be safe; errno is of one that failed.
 */
int	flush_all(struct flush *, const int *fds, size_t n) must_check;
void	flush_close(struct flush *);

#endif
