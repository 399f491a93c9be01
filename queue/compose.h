/*
 * queue/compose.h - the header of a message as programs hand it to sendmail:
 * where it ends, who is to get it, what goes and what is added. Pure; lines
 * end with CRLF here. The rules stand in sendmail(8).
 */
#ifndef QUEUE_COMPOSE_H
#define QUEUE_COMPOSE_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/submission.h"

#define COMPOSE_MAX	(1u << 20)	/* longest header */

/* Looks for the end of the header while the message comes in; begin with { 0, 0 }. */
struct compose_scan {
	size_t	from;	/* where the fields begin: behind lines "From " of a mailbox */
	size_t	at;	/* where they end, as far as it is known */
};
/* True: the fields are text[from, at), and *skip bytes of an empty line follow. False: ask again with more text. */
bool	compose_scan(struct compose_scan *, struct str text, bool whole, size_t *skip);

struct compose {
	struct submission_set	set;		/* what is added, and what goes */
	bool			extract;	/* -t */
};
/*
 * The fields as they are to be, into out; with extract the addresses of the recipients, as they stand
 * there, are added to rcpts as records 'r'. buf_ok tells of both.
 */
void	compose_fields(const struct compose *, struct str, struct buf *out, struct buf *rcpts);
/* All addresses of a list, as in a header field or on the command line. */
void	compose_addresses(struct str, struct buf *rcpts);
/* "Ann Lee <ann@example.org>", quoted or encoded (RFC 2047) where it must be. */
void	compose_mailbox(struct str name, struct str addr, struct buf *);

#endif
