/* imapd/esearch_sources.h - which mailboxes an ESEARCH means (RFC 7377 2.2). */
#ifndef IMAPD_ESEARCH_SOURCES_H
#define IMAPD_ESEARCH_SOURCES_H

#include "imapd/place.h"

#define SOURCES_MAX	10000

struct sources {
	bool		 selected;
	struct source {
		struct place	 place;
		struct source	*next;
	}		*list;		/* others, each once, in the arena */
	size_t		 n;
};

/* "IN (...) " if it is there; without it the selected mailbox is meant. False: the command has its reply. */
bool	sources_parse(struct session *, struct command *, struct sources *);

#endif
