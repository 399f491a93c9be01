/*
 * common/fmt/resent.h - the newest block of Resent- fields (RFC 5322 3.6.6): it stands first, and ends before
 * a Received field or a second Resent-From, Resent-Date or Resent-Message-ID.
 */
#ifndef FMT_RESENT_H
#define FMT_RESENT_H

#include <stdbool.h>

#include "common/base/str.h"

struct resent {
	bool	any;			/* the message is sent again */
	bool	ended;			/* its newest block is behind us */
	bool	from, date, id;		/* the block has these */
};

/* The next field of a header, by its name; begin with all false. True: the block ended just before this field. */
bool	resent_field(struct resent *, struct str name);

#endif
