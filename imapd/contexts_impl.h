/* imapd/contexts_impl.h - searches that are kept up to date, for contexts.c and contexts_tell.c alone. */
#ifndef IMAPD_CONTEXTS_IMPL_H
#define IMAPD_CONTEXTS_IMPL_H

#include "imapd/ordered.h"
#include "imapd/search_context.h"

struct context {
	char			 tag[IMAP_TAG_MAX + 1];
	bool			 uid, sorted;
	struct sort_order	 order;
	struct arena		 arena;
	struct search_program	 program;
	struct search_run	*run;
	struct str		 where;		/* " MAILBOX x UIDVALIDITY 5", or nothing */
	struct str		 atts;		/* "(UID FLAGS)": told of new messages; n 0: none */
	struct ordered		 result;
};

struct contexts {
	struct context	*list[CONTEXTS_MAX];
	size_t		 n;
	uint64_t	 modseq;	/* of what all of them have seen */
	uint32_t	 uidnext;
};

/* Its updates end: the client is told, and the others move up. */
void	context_end(struct session *, size_t i);
/* UIDs of messages; NULL: ENOMEM. */
uint32_t *context_uids(const struct session *, const struct found *);

#endif
