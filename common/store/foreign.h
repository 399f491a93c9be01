/* common/store/foreign.h - the spool of another mail system: found, opened, and removed when its owner says so. */
#ifndef STORE_FOREIGN_H
#define STORE_FOREIGN_H

#include <stdbool.h>

#include "common/base/attr.h"

/*
 * Calls fn(arg, dirfd, name) for each file that is no directory, in the directory and as many levels below it, until
 * it is not 0, which is returned. -1: errno.
 */
int	foreign_walk(int dirfd, unsigned levels, int (*fn)(void *, int, const char *), void *) must_check;
/* A regular file, to be read; no link is followed. -1: errno, ENOENT if it has gone, EBADMSG for anything else. */
int	foreign_open(int dirfd, const char *name) must_check;
/* Is somebody at work on it: has it a lock of flock(2), or of fcntl(2)? */
bool	foreign_is_locked(int fd);
/* Keeps those off who would lock it to work on it, as long as this process has it open; false: somebody is at work. */
bool	foreign_lock(int fd) must_check;
/* The name goes if it is still that of the open file. */
int	foreign_remove(int dirfd, const char *name, int fd) must_check;

#endif
