/* common/fmt/saslprep.h - user names and passwords in the one form that is compared (RFC 4013). Pure. */
#ifndef FMT_SASLPREP_H
#define FMT_SASLPREP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/str.h"

#define SASLPREP_MAX	1024u	/* bytes, in and out */

/*
 * NFKC, blanks of other scripts become SP, what is not seen goes; as C string into dst (size n). -1: not UTF-8, nothing
 * is left, too long, or a character that may not be in it (control, private, turned by others). Unassigned ones may.
 */
int	saslprep(struct str, char *dst, size_t n) must_check;

#endif
