/* common/fmt/final.h - a final recipient: what an address means here. Travels as a nested record. */
#ifndef FMT_FINAL_H
#define FMT_FINAL_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"

enum final_kind {
	FINAL_USER = 'U',	/* mailbox of a local user */
	FINAL_PIPE = 'P',	/* arg: command line for sh -c, run as user */
	FINAL_FILE = 'M',	/* arg: absolute path, mbox or (ending in '/') Maildir, written as user */
	FINAL_REMOTE = 'R'	/* arg: address on another host */
};

struct final {
	enum final_kind	kind;
	struct str	user;	/* U, P, M: login name that it runs as */
	struct str	ext;	/* sub-address after the separator, or "" */
	struct str	addr;	/* the local address that led here, local@domain: Delivered-To */
	struct str	arg;	/* P, M, R */
};

void	final_encode(struct buf *, const struct final *);	/* the record, to be put as the value of a field */
bool	final_decode(struct str, struct final *);		/* views into the input */

#endif
