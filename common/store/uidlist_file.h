/*
 * common/store/uidlist_file.h - dovecot-uidlist on disk. dovecot-uidlist.lock, made with O_EXCL, is Dovecot's lock for it and the
 * place where its successor is written; what only adds lines appends them under that lock.
 */
#ifndef STORE_UIDLIST_FILE_H
#define STORE_UIDLIST_FILE_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#define UIDLIST_FILE	"dovecot-uidlist"
#define UIDLIST_LOCK	"dovecot-uidlist.lock"
#define UIDLIST_MAX	(256u << 20)
#define COURIER_LIST	"courierimapuiddb"	/* the same of Courier's, where there is none: version 1 */

/*
 * Takes such a lock (the name of a file); a stale one is broken. indexed: the caller has the folder's posthouse.lock, and gives that
 * up last: the lock's mode says so (DOTLOCK_UNDER), so that it is known to be stale by the next one who has both. Its descriptor, or -1: errno, ETIMEDOUT.
 */
int	uidlist_lock(int dir, const char *name, bool indexed) must_check;
/* The lock is given up, nothing was changed. */
void	uidlist_unlock(int dir, const char *name);
/* A list that is being made anew. */
struct uidlist_draft {
	struct buf	text;		/* the lines that are not written yet */
	size_t		written;	/* bytes of those that are */
	int		lock;		/* -1: all stay in text */
};
void	uidlist_draft_init(struct uidlist_draft *, int lock);
void	uidlist_draft_free(struct uidlist_draft *);
/* Before its end is written. -1: ENOMEM, lines are lost; EFBIG: nobody would read so long a list. */
int	uidlist_draft_check(const struct uidlist_draft *) must_check;
/* If the text is long it goes on its way to the disk, which works while the next lines are made. -1: errno, also that of uidlist_draft_check. */
int	uidlist_draft_send(struct uidlist_draft *) must_check;
/* The text, written to the lock's descriptor behind what was sent there, durably takes the place of the file. The lock is gone then. -1: errno, it is still there. */
int	uidlist_replace(int dir, const char *lock_name, int lock, const char *name, struct str text) must_check;
/* Appends durably, and gives up the lock. -1: errno, the list is as it was (or ends in a torn line), the lock still there. */
int	uidlist_append(int dir, struct str text) must_check;

#endif
