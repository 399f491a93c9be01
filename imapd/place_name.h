/*
 * imapd/place_name.h - a mailbox's name on the wire and its folder's on disk. Pure. On disk parts are between dots, in modified
 * UTF-7; INBOX is the folder "" (see store.h). Rules are those of Dovecot 2.3 with Maildir++.
 */
#ifndef IMAPD_PLACE_NAME_H
#define IMAPD_PLACE_NAME_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#define PLACE_NAME_MAX	1000	/* octets of a name on the wire */

struct name_rules {
	char		 separator;
	const char	*prefix;	/* of the user's own folders: "" or "INBOX." */
	const char	*shared;	/* of shared ones: "Shared."; NULL: there are none */
	bool		 utf8;		/* else modified UTF-7 */
};

/* In which namespace the name is; *rest is what is left of it, "" for the inbox. False: in none. */
bool	name_space(const struct name_rules *, struct str name, bool *shared, bool *inbox, struct str *rest);
/*
 * rest of a name, as a folder; of is the size of folder. NULL, or what is wrong with it. *odd: such a folder is not made,
 * but another program may have made it: control characters, or no modified UTF-7.
 */
const char *name_to_folder(const struct name_rules *, bool shared, struct str rest, char *folder, size_t of, bool *odd);
/* A name in UTF-8, in NFC, appended. 0: it is in NFC as it is; 1: it was not; -1: too long. */
int	name_compose(struct str name, struct buf *) must_check;
/* Appends. */
int	name_from_folder(const struct name_rules *, bool shared, const char *folder, struct buf *) must_check;

#endif
