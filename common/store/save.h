/*
 * common/store/save.h - messages on their way into a folder: from a client (APPEND), or from another folder (COPY, MOVE).
 * All of a batch appear, or none; once save_commit has answered they survive a power cut, and have their UIDs.
 */
#ifndef STORE_SAVE_H
#define STORE_SAVE_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/store/view.h"

#define SAVE_MAX	100000	/* messages in one batch */

struct save;	/* opaque */

struct save_message {
	uint16_t	 flags;		/* VIEW_SEEN ...; not RECENT */
	const struct str *keywords;	/* names; those that the folder has no room for are left out */
	size_t		 nkeywords;
	int64_t		 date;		/* INTERNALDATE; INT64_MIN: now */
};

/* -1: *why, errno (ENOENT: TRYCREATE). */
int	save_begin(struct save **, struct store *, const char *folder, struct diag *why) must_check;
/* One more; the caller writes its content (CRLF ends become LF, as everything in a Maildir here) by save_write, any number of times, then save_end. */
int	save_open(struct save *, const struct save_message *) must_check;
int	save_write(struct save *, struct str) must_check;
int	save_end(struct save *, uint64_t *wire) must_check;
/* A message of a view, with its flags, keywords, dates, GUID and what is cached of it: a second name of the same file where the file system has that, and who may use the one folder may use the other. flags, keywords: as in the view unless m is not NULL. -1: ENOENT: it is gone. */
int	save_copy(struct save *, struct view *, size_t at, const struct save_message *m) must_check;
/* The same, and it is gone from there: by rename, at save_commit, so that it is always in one of the two. What was done is taken back if the batch fails. The view has to be there until then. -1: ENOENT: it is gone. Where a rename cannot do it, and with m (as in save_copy), it is copied, and then goes from there. */
int	save_move(struct save *, struct view *, size_t at, const struct save_message *m) must_check;
/* Bytes of the messages so far, for the quota. */
uint64_t save_bytes(const struct save *);
size_t	save_count(const struct save *);
/* uids (save_count of them) may be NULL. Frees. Tells the quota. *validity is 0 if one of them was saved but has no UID: somebody else has removed it already, or it cannot be found while others rename there; that UID is 0. -1: nothing was saved, errno; ENOENT: one that is to be moved is gone; ESTALE: the folder is. */
int	save_commit(struct save **, uint32_t *validity, uint32_t *uids) must_check;
void	save_abort(struct save **);

#endif
