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
};

/* The name of a mailbox, whose notes the user may use; "": the server. False: it has been answered. */
bool	metadata_about(struct session *, struct command *, struct metadata_about *);
/* In a folder, or of the server in the root: the file, and its lock. */
const char *metadata_file_name(bool server);
const char *metadata_lock_name(bool server);

#endif
