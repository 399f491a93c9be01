/* imapd/metadata_impl.h - what the files of METADATA share. */
#ifndef IMAPD_METADATA_IMPL_H
#define IMAPD_METADATA_IMPL_H

#include "imapd/mailboxes.h"
#include "imapd/metadata_file.h"

/* What is noted about: a mailbox, or the server. */
struct metadata_about {
	struct place	 place;
	struct str	 name;		/* as the client gave it */
	bool		 server;
	bool		 many;		/* the name is a pattern; only by GETMETADATA */
	char		 use;		/* special use; 0: none */
};

/* The right to see it, and any other to its messages (RFC 5464, 3.3). */
bool	metadata_may_use(unsigned rights);
/* The name of a mailbox, whose notes the user may use; "": the server. patterns: it may be one. False: it has been answered. */
bool	metadata_about(struct session *, struct command *, bool patterns, struct metadata_about *);
/* metadata_each.c: is it a pattern of LIST, and no mailbox's name? */
bool	metadata_is_pattern(struct session *, struct str name);
/*
 * Calls it for each mailbox that matches and may be looked up, with its name for the client and its special use. -1: one of
 * them, or the list of all, could not be had: errno.
 */
typedef int metadata_found(void *, const struct place *, struct str name, char use);
int	metadata_each(struct session *, struct str pattern, metadata_found *, void *) must_check;
/* In a folder, or of the server in the root: the file, and its lock. */
const char *metadata_file_name(bool server);
const char *metadata_lock_name(bool server);

#endif
