/*
 * common/store/mode.h - files in a directory that several users share: one that others than its owner can write to, or
 * that gives its group to what is in it. A new file there can be used by whoever can use the directory, as Dovecot has it; in
 * any other it is its maker's alone.
 */
#ifndef STORE_MODE_H
#define STORE_MODE_H

#include <sys/types.h>

#include <stdbool.h>

#include "common/base/attr.h"

bool	mode_is_shared(mode_t);	/* of a directory */

/* The file, just made in dir with mode 0600 by this process, gets what the directory's mode says, whatever the umask. */
int	mode_share(int dir, int fd) must_check;

#endif
