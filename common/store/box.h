/*
 * common/store/box.h - a mailbox as pop3d and imapd see it: messages in order with UID, size,
 * flags. Today over Maildir with a UID list compatible with Dovecot's (dovecot-uidlist is read for
 * take-over); the index file is a cache and is rebuilt when missing or stale.
 */
#ifndef STORE_BOX_H
#define STORE_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/base/str.h"

struct box;	/* opaque */

struct box_message {
	uint32_t	uid;
	uint64_t	size;		/* octets with CRLF line ends, as POP3 and IMAP count */
	char		flags[32];	/* Maildir flag letters */
	bool		is_new;		/* still in new/ */
	const char	*name;		/* base name: unique, the POP3 UIDL */
};

/* location "maildir:/path"; opens and scans. Messages stay numbered 0..n-1 for the life of the box. */
int	box_open(struct box **, const char *location, const char *folder, struct diag *) must_check;
size_t	box_count(const struct box *);
const struct box_message *box_message(const struct box *, size_t);
/* Descriptor of the message's file, read-only. ENOENT when another program removed it. Finds it again if only its flags changed. */
int	box_open_message(struct box *, size_t) must_check;
/* Removes; durable after box_sync. ENOENT is success. */
int	box_expunge(struct box *, size_t) must_check;
int	box_add_flags(struct box *, size_t, const char *letters) must_check;	/* also moves new to cur */
int	box_sync(struct box *) must_check;
uint32_t box_uidvalidity(const struct box *);
void	box_close(struct box **);

#endif
