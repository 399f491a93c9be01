/*
 * imapd/list_args.h - the arguments of LIST (RFC 3501 6.3.8; RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590), LSUB and
 * STATUS. Pure; what is parsed is views of the command, or in the arena.
 */
#ifndef IMAPD_LIST_ARGS_H
#define IMAPD_LIST_ARGS_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

#define LIST_PATTERNS_MAX	100
#define LIST_ENTRIES_MAX	100

/* Which mailboxes. */
enum { LIST_SUBSCRIBED = 1, LIST_REMOTE = 2, LIST_RECURSIVE = 4, LIST_SPECIAL_USE = 8 };
/* What is said of each. */
enum {
	GIVE_SUBSCRIBED = 1, GIVE_CHILDREN = 2, GIVE_SPECIAL_USE = 4, GIVE_STATUS = 8, GIVE_MYRIGHTS = 16,
	GIVE_METADATA = 32
};
/* Items of STATUS, in the order in which they are answered. */
enum {
	STATUS_MESSAGES = 1, STATUS_RECENT = 2, STATUS_UIDNEXT = 4, STATUS_UIDVALIDITY = 8, STATUS_UNSEEN = 16,
	STATUS_HIGHESTMODSEQ = 32, STATUS_SIZE = 64, STATUS_DELETED = 128, STATUS_DELETED_STORAGE = 256,
	STATUS_APPENDLIMIT = 512, STATUS_MAILBOXID = 1024
};
extern const char *const status_names[11];	/* by bit */

struct list_request {
	bool		 extended;	/* anything that RFC 3501 has not got */
	unsigned	 select, give;
	struct str	 reference;
	struct str	*patterns;
	size_t		 npatterns;
	unsigned	 status;
	struct str	*entries;	/* of METADATA */
	size_t		 nentries;
};

/* All of the arguments. NULL, or what is wrong with them. */
const char *list_args(struct cur *, struct arena *, struct list_request *);
/* "reference" pattern */
const char *lsub_args(struct cur *, struct arena *, struct list_request *);
/* "(MESSAGES UIDNEXT)" */
const char *status_items(struct cur *, unsigned *);
/* "entry" or "(entry ...)", of GETMETADATA as well: bounded, and each in the form that metadata_entry_wrong wants. */
const char *metadata_entries(struct cur *, struct arena *, struct str **, size_t *n);
/* NULL: "/private/..." or "/shared/..." as RFC 5464, 3 has it. Else what is wrong. */
const char *metadata_entry_wrong(struct str);
/* "(USE (\Drafts))" of CREATE (RFC 6154, 3); *use as in store.h, 0: none. *unknown: it is well-formed, but there is no such use, or more than one. */
const char *create_use(struct cur *, char *use, bool *unknown);
/* "\Drafts" and its letter; NULL: none. */
const char *use_name(char);
/* The same the other way round; false: there is no such use. */
bool	use_letter(struct str name, char *);

#endif
