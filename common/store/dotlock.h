/*
 * common/store/dotlock.h - files of a Maildir that several programs write, as Dovecot and others lock them: "NAME.lock" is made
 * with O_EXCL, it is where the new content is written, and by its rename it becomes NAME.
 */
#ifndef STORE_DOTLOCK_H
#define STORE_DOTLOCK_H

#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

#define DOTLOCK_STALE	120	/* seconds; an older one is of somebody who died, as Dovecot has it */

#define DOTLOCK_MODE	0600

/*
 * The lock (its name, "NAME.lock"), open for writing. Waits up to ms. mode: DOTLOCK_MODE; with any other one a lock of that very mode is stale at
 * once: whoever made it had another lock as well, that the caller has now. -1: errno, ETIMEDOUT when another one keeps it.
 */
int	dotlock_take(int dir, const char *lock, int ms, mode_t mode) must_check;
/* What it holds takes the place of name, durably; the descriptor is closed, the lock gone, also when it fails. -1: name is as it was. */
int	dotlock_replace(int dir, const char *lock, int *fd, const char *name, const struct buf *) must_check;
/* Nothing was changed. */
void	dotlock_drop(int dir, const char *lock, int *fd);

#endif
