/*
 * imapd/place.h - the client's names of mailboxes, and where these are: the user's own folders, and shared ones
 * (namespaces, RFC 2342). On the wire a name is modified UTF-7, or UTF-8 once that is enabled (RFC 6855) or with IMAP4rev2; its hierarchy
 * separator is imap.separator. INBOX is the inbox in any case. What rights the user has (RFC 4314) is decided here.
 */
#ifndef IMAPD_PLACE_H
#define IMAPD_PLACE_H

#include "imapd/acl_file.h"
#include "imapd/place_name.h"
#include "imapd/session.h"

enum { SPACE_OWN, SPACE_SHARED };
#define PLACE_SHARED	"Shared."	/* in front of shared folders where they stand among one's own: subscriptions */

struct place {
	struct store	*store;
	unsigned	 name_space;			/* SPACE_... */
	char		 folder[MAILDIR_FOLDER_MAX + 1];	/* as store.h has it */
	unsigned	 rights;
};

/* Opens what the settings say. Before the sandbox. -1: *why. */
int	places_open(struct session *, struct diag *why) must_check;
void	places_close(struct session *);

/*
 * Where the mailbox of that name is, or would be. need: the rights that are asked for (bits); missing ones are answered with NO [NOPERM], or
 * as if there were no such mailbox to one who may not look it up. False: the command has its reply. The mailbox need not exist.
 */
bool	place_find(struct session *, struct command *, struct str name, unsigned need, struct place *);
/* The same where nobody is answered: false: no mailbox can be called that, or a right is missing, or nobody can say. */
bool	place_look_up(struct session *, struct str name, unsigned need, struct place *);
/* The place alone; what rights there are is not looked at, they are none. */
bool	place_of_name(struct session *, struct str name, struct place *);
/* The name of a place, for the client, appended as an astring. */
int	place_put(struct session *, struct buf *, const struct place *) must_check;
/* The same for a folder of a namespace, as text (UTF-8 or modified UTF-7, as the client has it), not quoted. */
int	place_name(struct session *, unsigned name_space, const char *folder, struct buf *) must_check;

/* Is that its name, or has the client said it in another way (RFC 9051 5.1)? */
bool	place_is_called(struct session *, const struct place *, struct str name);

char	place_separator(const struct session *);
/* Of the namespaces 0 to n - 1; "" or with the separator at its end. */
unsigned place_spaces(const struct session *);
const char *place_prefix(const struct session *, unsigned name_space);
struct store *place_store(const struct session *, unsigned name_space);

/* Could nobody say, by that errno? It may be otherwise the next time, so that it is no answer. */
bool	place_is_failure(int error);
/*
 * The user's rights; of a folder that is not there: those that it would have. The user has all rights to what is his own; none to what has a
 * list that cannot be understood. -1: nobody can say (place_is_failure).
 */
int	place_rights(const struct session *, unsigned name_space, const char *folder, unsigned *) must_check;
/* Of the selected mailbox: its namespace, the rights to it; none if it is gone, or nobody can say. */
unsigned place_selected_space(const struct session *);
unsigned place_selected_rights(const struct session *);
int	place_selected_look(const struct session *, unsigned *) must_check;	/* the same, -1 as of place_rights */
/* Which file place_acl reads for a folder, and as of when. */
struct acl_stamp {
	unsigned	above;		/* so many folders above it, or that there is none */
	uint64_t	device, inode;	/* 0: there is none */
	int64_t		size, changed;
};
void	place_acl_stamp(const struct session *, unsigned name_space, const char *folder, struct acl_stamp *);
bool	place_acl_same(const struct acl_stamp *, const struct acl_stamp *);
/*
 * The ACL that counts for a folder: its own, else that of the nearest one above it that has one, at last of the tree. *own: it is its
 * own. None: it is empty. -1: errno; EINVAL: it cannot be understood. Names are in the arena.
 */
int	place_acl(const struct session *, unsigned name_space, const char *folder, struct arena *, struct acl *,
	    bool *own) must_check;
/* The user, for acl_rights_of. */
void	place_who(const struct session *, unsigned name_space, struct acl_who *);
/* The name of a file in a folder, below the descriptor of its store: ".Work/dovecot-acl". */
#define PLACE_FILE_MAX	(MAILDIR_FOLDER_MAX + 32)
const char *place_file(const char *folder, const char *file, char[PLACE_FILE_MAX]);

#endif
