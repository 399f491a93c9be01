/*
 * common/store/box.h - a mailbox as its readers see it: messages in the order
 * of their arrival, with size and flags. Over Maildir; other programs may
 * deliver, rename and remove in it at the same time.
 */
#ifndef STORE_BOX_H
#define STORE_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/base/str.h"

#define BOX_FLAGS_MAX	31
#define BOX_UNIQUE_MAX	70	/* RFC 1939 7, UIDL */

struct box;	/* opaque */

/* location "maildir:/path" (made if it is not there). Nothing is read yet: see box_scan. */
int	box_open(struct box **, const char *location, struct diag *) must_check;
/* The path of the mailbox, for a sandbox. */
const char *box_path(const struct box *);
/*
 * One reader that removes at a time: waits up to timeout_ms. -1 EWOULDBLOCK: somebody else has it.
 * The lock ends with box_unlock and with the process.
 */
int	box_lock(struct box *, int64_t timeout_ms) must_check;
void	box_unlock(struct box *);
/* Lists the messages; they keep their numbers 0..n-1 until the box is closed. */
int	box_scan(struct box *, struct diag *) must_check;
size_t	box_count(const struct box *);
/* Octets with CRLF line ends (RFC 1939 11): from the name, else the file is read, once. */
int	box_size(struct box *, size_t, uint64_t *) must_check;
/* Maildir's base name, cut or hashed to what UIDL allows; the same as long as the message exists. */
void	box_unique(const struct box *, size_t, char[BOX_UNIQUE_MAX + 1]);
bool	box_has_flag(const struct box *, size_t, char);
/* Descriptor of the message's file, read-only. ENOENT: another program removed it. Finds it again if only its flags changed. */
int	box_message(struct box *, size_t) must_check;
/* Removes; durable after box_sync. What is gone already is a success. */
int	box_expunge(struct box *, size_t) must_check;
/* Adds a Maildir flag ('S' seen) and moves it from new to cur; durable after box_sync. */
int	box_flag(struct box *, size_t, char) must_check;
int	box_sync(struct box *) must_check;
void	box_close(struct box **);

#endif
