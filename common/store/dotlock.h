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
/* Bits that no other program sets. */
#define DOTLOCK_UNDER	0100	/* made under another lock */
#define DOTLOCK_HELD	0010	/* its maker has it open, and locked by flock(2) */

/*
 * The lock (its name, "NAME.lock"), open for writing. Waits up to ms. mode: DOTLOCK_MODE; or with DOTLOCK_UNDER: the caller has another lock, that
 * nobody keeps who is dead (folder_lock.h), and gives that up last. A lock with that bit is stale to him: its maker had the other
 * one as well, and died. One that is not made so is locked by flock(2) as long as its maker lives: if it is not, it is stale at once. -1: errno, ETIMEDOUT when another one keeps it.
 */
int	dotlock_take(int dir, const char *lock, int ms, mode_t mode) must_check;
/*
 * What it holds takes the place of name, durably; the descriptor is closed, the lock gone, also when it fails. -1: errno, EFBIG: the text does not fit into
 * its buffer, so that nobody would read it; name is as it was, or, if only the flush of
 * the directory failed, may be again after a power cut.
 */
int	dotlock_replace(int dir, const char *lock, int *fd, const char *name, const struct buf *) must_check;
/* Nothing was changed. */
void	dotlock_drop(int dir, const char *lock, int *fd);

#endif
