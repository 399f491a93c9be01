/*
 * common/store/box.h - a mailbox as pop3d and imapd see it: messages in order
 * with UID, size, flags. Over Maildir, with the UID list that Dovecot keeps
 * (dovecot-uidlist): it is read, written and locked as Dovecot does, so that
 * a Maildir may come from there and go back. Sizes once counted are kept in
 * it. Other programs may rename and remove messages at any time.
 */
#ifndef STORE_BOX_H
#define STORE_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/base/str.h"

struct box;	/* opaque */

struct box_message {
	uint32_t	 uid;		/* 0: has none yet, see box_save_uids */
	bool		 is_new;	/* still in new/ */
	struct str	 name;		/* base name of the file: unique */
	struct str	 uidl;		/* what another POP3 server called it, or empty */
	const char	*flags;		/* Maildir flag letters */
};

/* The directory in "maildir:/path", part of the argument; NULL if it is another kind of mailbox. */
const char *box_path(const char *location);
/*
 * Opens the directories of a mailbox; create: makes those that are missing. Folder "" is the inbox. What is in
 * it is looked at by box_load: there may be a sandbox in between. -1: *why.
 */
int	box_attach(struct box **, const char *location, const char *folder,
	    bool create, struct diag *why) must_check;
/*
 * Scans. Changes nothing on disk. Messages stay numbered 0..n-1 for the life of the box, those with a UID first, in
 * order. -1: *why, and the box can only be closed.
 */
int	box_load(struct box *, struct diag *why) must_check;
/* Both, of one that is there. */
int	box_open(struct box **, const char *location, const char *folder,
	    struct diag *why) must_check;
void	box_close(struct box **);
/* One session of those who ask for it at a time: -1 EWOULDBLOCK if another one has it. Held until box_close. */
int	box_lock(struct box *) must_check;
/*
 * With the lock, in a Maildir that nobody ever locked before. If Dovecot has served it, those that its list has get the
 * names for UIDL that Dovecot gave them by its pop3_uidl_format (NULL: none), otherwise those that Courier knows theirs, for ever:
 * box_save_uids writes them. Once only, so that those that come later are not renamed. -1: errno. The format has to outlive the box.
 */
int	box_adopt_names(struct box *, const char *format) must_check;
/* With the lock: ms since box_note_use was last called by anybody, -1 if it never was or nobody knows. */
int64_t	box_last_use(const struct box *);
int	box_note_use(const struct box *) must_check;
size_t	box_count(const struct box *);
/* Valid until the next call with this box that is not const. */
const struct box_message *box_message(const struct box *, size_t);
/* Octets with CRLF line ends, as POP3 and IMAP count. Counted at need. -1: errno, ENOENT when it is gone. */
int	box_size(struct box *, size_t, uint64_t *) must_check;
/* Descriptor of the message's file, read-only. -1: ENOENT when another program removed it. Finds it again if only its flags changed. */
int	box_open_message(struct box *, size_t) must_check;
/* Removes; durable after box_sync. ENOENT is success. */
int	box_expunge(struct box *, size_t) must_check;
/* Also moves it from new to cur. */
int	box_add_flags(struct box *, size_t, const char *letters) must_check;
/* What was removed stays removed, and the quota knows. */
int	box_sync(struct box *) must_check;
/*
 * Gives UIDs to the messages without and writes them and the sizes that were
 * counted to the list, if there is anything new to write. -1: errno (ETIMEDOUT: somebody
 * keeps the list locked); the UIDs are as good as none then.
 */
int	box_save_uids(struct box *) must_check;
uint32_t box_uidvalidity(const struct box *);

#endif
