/* imapd/notify_parse.h - what NOTIFY asks for (RFC 5465 8; "subtree-one": RFC 7377 6). Pure. */
#ifndef IMAPD_NOTIFY_PARSE_H
#define IMAPD_NOTIFY_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

#define NOTIFY_GROUPS_MAX	100
#define NOTIFY_NAMES_MAX	1000	/* in one group */

enum {
	NOTIFY_NEW = 1, NOTIFY_EXPUNGE = 2, NOTIFY_FLAGS = 4, NOTIFY_NAME = 8, NOTIFY_SUBSCRIPTION = 16,
	NOTIFY_NOTES = 32 /* MailboxMetadataChange */, NOTIFY_SERVER = 64 /* ServerMetadataChange */,
	NOTIFY_MESSAGES = NOTIFY_NEW | NOTIFY_EXPUNGE | NOTIFY_FLAGS
};
/* Those that there are, for BADEVENT. */
#define NOTIFY_EVENTS	"MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange"

enum notify_filter {
	FILTER_SELECTED, FILTER_DELAYED, FILTER_PERSONAL, FILTER_SUBSCRIBED, FILTER_SUBTREE, FILTER_SUBTREE_ONE, FILTER_MAILBOXES
};

struct notify_asked {
	enum notify_filter filter;
	unsigned	 events;
	const struct str *names;	/* as the client has them */
	size_t		 n;
};

struct notify_request {
	bool		 none;		/* NOTIFY NONE */
	bool		 status;
	bool		 unknown;	/* there is an event that there is not here: NO [BADEVENT] */
	struct notify_asked *groups;
	size_t		 n;
	struct str	 atts;		/* "(UID FLAGS)" of MessageNew; n 0: none */
};

/* "SET STATUS (personal (MessageNew MessageExpunge))" or "NONE", to the end. What is not a view is in the arena. False: *why is what BAD says. */
bool	notify_parse(struct cur *, struct arena *, struct notify_request *, const char **why);

#endif
