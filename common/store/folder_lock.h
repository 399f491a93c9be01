/*
 * common/store/folder_lock.h - the lock of a folder's writers: flock(2) of its posthouse.lock. It ends with the process that has it,
 * so that whoever has it knows that what others have begun under it, and not ended, is left by one that was killed.
 */
#ifndef STORE_FOLDER_LOCK_H
#define STORE_FOLDER_LOCK_H

#include "common/base/attr.h"

#define FOLDER_LOCK	"posthouse.lock"

/* Waits up to a minute. A descriptor, whose close gives the lock up; -1: errno, ETIMEDOUT, EROFS, EACCES ... */
int	folder_lock(int dir) must_check;

#endif
