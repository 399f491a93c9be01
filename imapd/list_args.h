/*
 * imapd/list_args.h - the arguments of LIST (RFC 3501 6.3.8; RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590) and LSUB.
 * Pure; what is parsed is views of the command, or in the arena.
 */
#ifndef IMAPD_LIST_ARGS_H
#define IMAPD_LIST_ARGS_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

#define LIST_PATTERNS_MAX	100

/* Which mailboxes. */
enum { LIST_SUBSCRIBED = 1, LIST_REMOTE = 2, LIST_RECURSIVE = 4, LIST_SPECIAL_USE = 8 };
/* What is said of each. */
enum {
	GIVE_SUBSCRIBED = 1, GIVE_CHILDREN = 2, GIVE_SPECIAL_USE = 4, GIVE_STATUS = 8, GIVE_MYRIGHTS = 16,
	GIVE_METADATA = 32
};

struct list_request {
	bool		 extended;	/* anything that RFC 3501 has not got */
	unsigned	 select, give;
	struct str	 reference;
	struct str	*patterns;
	size_t		 npatterns;
	unsigned	 status;	/* items, status_args.h */
	struct str	*entries;	/* of METADATA */
	size_t		 nentries;
};

/* All of the arguments. NULL, or what is wrong with them. */
const char *list_args(struct cur *, struct arena *, struct list_request *);
/* "reference" pattern */
const char *lsub_args(struct cur *, struct arena *, struct list_request *);

#endif
