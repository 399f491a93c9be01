/*
 * imapd/incoming.h - the arguments of a command that streams its literals (APPEND, REPLACE): what of them has come, up to the next
 * literal. Whatever is refused, what comes unasked is read away in the end, so that the next command is found.
 */
#ifndef IMAPD_INCOMING_H
#define IMAPD_INCOMING_H

#include "imapd/session.h"

struct incoming {
	struct session		*s;
	struct command		*c;
	struct cur		 in;	/* what has come and is to be parsed, without the announcement at its end */
	bool			 open;	/* a literal was announced, and has not been read */
	struct imap_literal	 literal;
	struct buf		 line;
};

void	incoming_begin(struct incoming *, struct session *, struct command *);
/* The literal has been read: what stands behind it. False: BAD (or NO) has been said, or the client has gone. */
bool	incoming_more(struct incoming *);
/* A string, which may be a literal of up to max octets; in the arena. False as above. */
bool	incoming_astring(struct incoming *, size_t max, struct str *);
/* Is there nothing left? If there is, BAD is said. */
bool	incoming_done(struct incoming *);
/* The rest is thrown away, and the memory given back. */
void	incoming_end(struct incoming *);

#endif
