/* imapd/updates.h - what changed in the selected mailbox, told to the client (RFC 3501 7.3.1, 7.3.2, 7.4; RFC 7162). */
#ifndef IMAPD_UPDATES_H
#define IMAPD_UPDATES_H

#include "imapd/session.h"

/* SELECT leaves the rows of a mailbox for the next command (view_complete). False: they cannot be had, and BYE was said. */
bool	updates_ready(struct session *) must_check;
/* Looks and tells; expunges: EXPUNGE (VANISHED) may be said now. Sets s->end when the mailbox can no longer be served. */
void	updates_send(struct session *, bool expunges);
/* "FLAGS (...)", and "OK [PERMANENTFLAGS (...)]" if that is wanted as well. */
void	updates_flags(struct session *, bool permanent);
/* "(\Seen $Label)" of a message, appended. */
int	flags_put(const struct session *, struct buf *, const struct view_message *);
/* The client has shown that it knows of CONDSTORE. The first time it is told the HIGHESTMODSEQ of the selected mailbox, if there is one (RFC 7162 3.1). */
void	updates_condstore(struct session *);
/*
 * "* 3 FETCH (UID 5 MODSEQ (7) FLAGS (...))", appended (and said, when much has gathered): UID if asked for, MODSEQ if the client knows of it, FLAGS if wanted; in
 * UIDONLY as UIDFETCH (RFC 9586).
 */
void	updates_fetch(struct session *, struct buf *, size_t at, bool uid, bool flags);
/* "* VANISHED (EARLIER) 3:5": of known (resolved UIDs; NULL: any), what was expunged after since (RFC 7162 3.2.6). -1: errno. */
int	updates_vanished(struct session *, const struct imap_set *known, uint64_t since) must_check;

#endif
