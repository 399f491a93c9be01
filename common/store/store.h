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
const char *store_host(const struct store *);	/* this host's name, for names of files */
/* What makes names durable in a directory of this store (durable.h): found out at store_open, because a sandbox hides it. */
enum durable_how store_durable(const struct store *, int dir);

struct store_folder {
	const char	*name;
	bool		 subscribed;
	bool		 exists;	/* false: only subscribed, or only the parent of others that exist (\NonExistent) */
	bool		 has_children;	/* that exist, at any depth */
	char		 use;		/* special use: 0, 'a'll, 'A'rchive, 'D'rafts, 'F'lagged, 'J'unk, 'S'ent, 'T'rash, 'I'mportant */
};
/*
 * All folders, the inbox first, then by name, parents (also those that are none themselves) before their children, and these right
 * behind them. Folders of foreign programs may have names that are no modified UTF-7; those with an empty part in their names cannot
 * be here. What is below "INBOX" is the inbox's. Valid until the next call with this store that is not const. -1: errno.
 */
int	store_list(struct store *, const struct store_folder **, size_t *n) must_check;
/* Pure: the order of store_list, as strcmp has it: the end of a name, then the dot, then everything else. */
int	store_name_cmp(const char *, const char *);
/* Pure: is the folder a below b, at any depth? Below "" (the inbox) none is by its name. */
bool	store_is_below(const char *a, const char *b);
bool	store_exists(struct store *, const char *folder);
/* Is the folder whose cur/ that is still called so? Others delete and rename folders. */
bool	store_is_there(const struct store *, const char *folder, int cur);
/* errno of all these: EEXIST, ENOENT, EINVAL (a name that cannot be), EBUSY, ENAMETOOLONG, EDQUOT, EACCES ... */
int	store_create(struct store *, const char *folder, char use) must_check;	/* durable */
/*
 * With all that is in it; its UIDVALIDITY is never used again for a folder of that name. Children stay. The inbox: EINVAL.
 * *left: errno of why its special use stayed behind; 0: it did not.
 */
int	store_delete(struct store *, const char *folder, int *left) must_check;
/*
 * With its children; the inbox: its messages go to the new folder, and it stays (RFC 3501 6.3.5). Subscriptions stay as they are.
 * Each folder is renamed by itself: after a crash some of them may have their new names; each has one of the two. *left: as of store_delete, of any of them.
 */
int	store_rename(struct store *, const char *from, const char *to, int *left) must_check;
/*
 * As maildir_open_to_read, of a folder, with tmp if something is to be put there; what a foreign program did not make in it (tmp, new, cur)
 * is made. -1: *why, errno; ENOENT also for a name that cannot be.
 */
int	store_open_folder(struct store *, const char *folder, bool tmp, struct maildir *, struct diag *why) must_check;
/* The folder need not be there. EDQUOT: there are STORE_FOLDERS_MAX subscriptions; EFBIG: they are too long together. */
int	store_subscribe(struct store *, const char *folder, bool on) must_check;
/* Gives a folder a special use (RFC 6154), or none (0); kept in "posthouse-special-use". */
int	store_set_use(struct store *, const char *folder, char use) must_check;
/* The use of a folder, whatever says so; 0: none, or it cannot be found out. */
char	store_use(struct store *, const char *folder);
/* By a setting: "Drafts", "Sent", "Trash", "Junk" and "Archive" have their uses where nothing else is said, and no other folder has them. */
void	store_use_names(struct store *, bool);

/* UIDVALIDITY for a new folder: greater than any that was given here before ("dovecot-uidvalidity"). */
int	store_next_validity(struct store *, uint32_t *) must_check;
/* The same for who has but the Maildir's directory; above v, too. */
int	store_validity_above(int root, uint32_t v, uint32_t *) must_check;
/* Whether it was Dovecot that began to give them in this Maildir; false, too, where nobody has. */
bool	store_validity_is_dovecots(int root);

/* A name by which all folders of this store are unchanged as long as it is the same (mtime of the root and of subscriptions). */
uint64_t store_version(const struct store *);

#endif
