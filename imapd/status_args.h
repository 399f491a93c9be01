/* imapd/status_args.h - the items of STATUS (RFC 3501 6.3.10, RFC 9051 6.3.11), also as LIST asks for them. Pure. */
#ifndef IMAPD_STATUS_ARGS_H
#define IMAPD_STATUS_ARGS_H

#include "common/fmt/cur.h"

/* Items of STATUS, in the order in which they are answered. */
enum {
	STATUS_MESSAGES = 1, STATUS_RECENT = 2, STATUS_UIDNEXT = 4, STATUS_UIDVALIDITY = 8, STATUS_UNSEEN = 16,
	STATUS_HIGHESTMODSEQ = 32, STATUS_SIZE = 64, STATUS_DELETED = 128, STATUS_DELETED_STORAGE = 256,
	STATUS_APPENDLIMIT = 512, STATUS_MAILBOXID = 1024
};
extern const char *const status_names[11];	/* by bit */

/* "(MESSAGES UIDNEXT)" */
const char *status_items(struct cur *, unsigned *);

#endif
