/*
 * imapd/progress.h - commands that take long: the client hears how far they are (INPROGRESS, RFC 9585), and they end when
 * it has gone or the server is to stop.
 */
#ifndef IMAPD_PROGRESS_H
#define IMAPD_PROGRESS_H

#include "imapd/session.h"

struct progress {
	struct session	*session;
	struct str	 tag;
	struct buf	*ahead;		/* of the caller's responses what is not sent yet, maybe the end of one; NULL: they are whole */
	size_t		 total;		/* 0: not known */
	size_t		 before;	/* done elsewhere: the other mailboxes of a search */
	int64_t		 looked;	/* when, now_ticked_ms scale */
	int64_t		 said;		/* now_ms scale */
};

void	progress_begin(struct progress *, struct session *, struct str tag, size_t total);
/* Pure: the code, "INPROGRESS (\"tag\" 5 10)" (RFC 9585 4). */
int	progress_put(struct buf *, struct str tag, size_t done, size_t total) must_check;
/* Called for each message, cheap. -1 ECANCELED: the session is over, s->end says why, and BYE has been said where it can be. */
int	progress_step(struct progress *, size_t done) must_check;
/* The same, for what is not so cheap itself. */
int	progress_look(struct progress *, size_t done) must_check;

#endif
