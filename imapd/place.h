/*
 * imapd/place.h - the client's names of mailboxes, and where these are: the user's own folders, and shared ones
 * (namespaces, RFC 2342). On the wire a name is modified UTF-7, or UTF-8 once that is enabled (RFC 6855) or with IMAP4rev2; its hierarchy
 * separator is imap.separator. INBOX is the inbox in any case. What rights the user has (RFC 4314) is decided here.
 */
#ifndef IMAPD_PLACE_H
#define IMAPD_PLACE_H

#include "imapd/session.h"

#define PLACE_NAME_MAX	1000	/* octets of a name on the wire */

/* Rights of RFC 4314, 2.1, as bits. */
enum {
	RIGHT_LOOKUP = 1, RIGHT_READ = 2, RIGHT_SEEN = 4, RIGHT_WRITE = 8, RIGHT_INSERT = 16, RIGHT_POST = 32,
	RIGHT_CREATE = 64, RIGHT_DELETE = 128, RIGHT_REMOVE = 256 /* 't' */, RIGHT_EXPUNGE = 512, RIGHT_ADMIN = 1024,
	RIGHTS_ALL = 2047
};

struct place {
	struct store	*store;
	unsigned	 name_space;			/* 0: the user's own */
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
/* The name of a place, for the client, appended as an astring. */
int	place_put(struct session *, struct buf *, const struct place *) must_check;
/* The same for a folder of a namespace, as text (UTF-8 or modified UTF-7, as the client has it), not quoted. */
int	place_name(struct session *, unsigned name_space, const char *folder, struct buf *) must_check;

#endif
