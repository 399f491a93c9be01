/* imapd/mailboxes.h - what the commands on mailboxes have in common. */
#ifndef IMAPD_MAILBOXES_H
#define IMAPD_MAILBOXES_H

#include "imapd/list_args.h"
#include "imapd/place.h"

/* list.c: "* LIST (flags) "/" name" of a folder, with its old name (as the client gave it) unless that is empty (RFC 9051 6.3.9.7). */
void	list_say(struct session *, const struct place *, const char *flags, struct str old_name);
/* The same to a client of IMAP4rev2 whose name of it is not the one that it has. */
void	list_say_other(struct session *, const struct place *, const char *flags, struct str name);
/* status.c: "* STATUS name (...)", appended. name as it is to be shown. -1: errno; what was appended is of no use. */
int	status_put(struct session *, struct buf *, const struct place *, struct str name, unsigned items) must_check;
/* metadata_get.c: "* METADATA name (...)" of these entries, appended; use: its special use. -1: as status_put. */
int	metadata_put(struct session *, struct buf *, const struct place *, struct str name, char use,
	    const struct str *entries, size_t n) must_check;
struct metadata;
struct metadata_entry;
/* metadata.c: what is noted about a mailbox, or the server; a file that is not there has no entries. text: what the entries are views of. -1: errno. */
int	metadata_load(const struct place *, bool server, struct arena *, struct buf *text, struct metadata *) must_check;
/* Is the entry one of those that the user may see? */
bool	metadata_is_visible(const struct session *, const struct metadata_entry *);
/* metadata_set.c: what is noted about one mailbox is of another one, which has no notes yet, as well. -1: errno. */
int	metadata_copy(const struct place *from, const struct place *to) must_check;
/* acl.c: "* MYRIGHTS name rights", appended. */
void	rights_put(struct session *, struct buf *, struct str name, unsigned rights);
#define ACL_LOCK	"dovecot-acl.lock"
#define ACL_LOCK_WAIT	3000	/* ms */
/* acl_keep.c: before a shared folder is renamed: it takes the list along that it has from above, if another one is there. -1: errno. */
int	acl_keep(struct session *, const struct place *from, const struct place *to) must_check;
/* Before one is deleted: those below it, which have its list, keep that. -1: errno. */
int	acl_leave(struct session *, const struct place *) must_check;

#endif
