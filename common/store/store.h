/*
 * common/store/store.h - a tree of mail folders: one Maildir++ directory, as IMAP's mailboxes. A folder's name here is as
 * it is on disk: "" is the inbox, "Work.Lists" is the directory ".Work.Lists"; modified UTF-7, parts between dots.
 * What Dovecot and Courier keep beside the folders (subscriptions, courierimapsubscribed) is read, and kept as Dovecot does.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/store/maildir.h"

#define STORE_FOLDERS_MAX	100000	/* in one store */

struct store;	/* opaque */

/* location: "maildir:/path". create: makes the Maildir. -1: *why. Before the sandbox is entered. */
int	store_open(struct store **, const char *location, bool create, struct diag *why) must_check;
void	store_close(struct store **);
int	store_root(const struct store *);	/* descriptor of the directory; not the caller's */
const char *store_path(const struct store *);

struct store_folder {
	const char	*name;
	bool		 subscribed;
	bool		 exists;	/* false: only subscribed, or only the parent of others (\NonExistent) */
	bool		 has_children;
	char		 use;		/* special use: 0, 'a'll, 'A'rchive, 'D'rafts, 'F'lagged, 'J'unk, 'S'ent, 'T'rash, 'I'mportant */
};
/* All folders, the inbox first, then by name, parents (also those that are none themselves) before their children. Valid until the next call with this store that is not const. -1: errno. */
int	store_list(struct store *, const struct store_folder **, size_t *n) must_check;
bool	store_exists(struct store *, const char *folder);
/* errno of all these: EEXIST, ENOENT, EINVAL (a name that cannot be), EBUSY, ENAMETOOLONG, EDQUOT, EACCES ... */
int	store_create(struct store *, const char *folder, char use) must_check;	/* durable */
/* With all that is in it; its UIDVALIDITY is never used again for a folder of that name. Children stay. The inbox: EINVAL. */
int	store_delete(struct store *, const char *folder) must_check;
/* With its children; the inbox: its messages go to the new folder, and it stays (RFC 3501 6.3.5). */
int	store_rename(struct store *, const char *from, const char *to) must_check;
int	store_subscribe(struct store *, const char *folder, bool on) must_check;
/* Which folder has a special use (RFC 6154); NULL: none. Set by store_create and store_set_use; kept in "posthouse-special-use"; where that says nothing, the names "Drafts", "Sent", "Trash", "Junk", "Archive" have their use if asked for by settings. */
int	store_set_use(struct store *, const char *folder, char use) must_check;

/* UIDVALIDITY for a new folder: greater than any that was given here before ("dovecot-uidvalidity"). */
int	store_next_validity(struct store *, uint32_t *) must_check;

/* A name by which all folders of this store are unchanged as long as it is the same (mtime of the root and of subscriptions). */
uint64_t store_version(const struct store *);

#endif
