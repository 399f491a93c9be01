/* common/fmt/mboxrd.h - "From " quoting of mbox files (mboxrd: every ">*From " gets one more '>'). */
#ifndef FMT_MBOXRD_H
#define FMT_MBOXRD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/str.h"

/* Does this line (from its first byte) need quoting? More bytes may be needed: a line of only '>' or a part of "From " so far is no yes. */
bool	mboxrd_is_from(struct str);
/*
 * Is this the line "From sender date" that stands before a message in an mbox file, and that mail systems give to
 * delivery agents? The date is known by a day and a month; the sender may be missing.
 */
bool	mboxrd_separator(struct str line, struct str *sender);

#endif
