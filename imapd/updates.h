/* imapd/updates.h - what changed in the selected mailbox, told to the client (RFC 3501 7.3.1, 7.3.2, 7.4; RFC 7162). */
#ifndef IMAPD_UPDATES_H
#define IMAPD_UPDATES_H

#include "imapd/session.h"

/* Looks and tells; expunges: EXPUNGE (VANISHED) may be said now. Sets s->end when the mailbox can no longer be served. */
void	updates_send(struct session *, bool expunges);
/* "FLAGS (...)" and "OK [PERMANENTFLAGS (...)]". */
void	updates_flags(struct session *);
/* "(\Seen $Label)" of a message, appended. */
int	flags_put(const struct session *, struct buf *, const struct view_message *) must_check;
/* "* 3 FETCH (FLAGS (...) UID 5 MODSEQ (7))": UID, and MODSEQ if the client knows of it; in UIDONLY as UIDFETCH (RFC 9586). */
void	updates_fetch(struct session *, size_t at, bool uid);

#endif
