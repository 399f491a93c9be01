/* common/fmt/structure.h - ENVELOPE and BODYSTRUCTURE as IMAP writes them (RFC 3501 7.4.2, RFC 9051 7.5.2). Pure. */
#ifndef FMT_STRUCTURE_H
#define FMT_STRUCTURE_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/parts.h"

/* "(date subject from sender reply-to to cc bcc in-reply-to message-id)" of a header. 8-bit bytes are left as they stand, in literals. */
int	envelope_put(struct buf *, struct str header) must_check;
/* The fields that threads are made of, from a header (References, or if there is no msg-id in it, the first of In-Reply-To; RFC 5256 3): "<a@b> <c@d>", normalized (quotes that need not be gone), in order, without what is no msg-id. */
int	references_put(struct buf *, struct str header) must_check;
/* The first msg-id of a field's body, normalized; nothing if there is none. */
int	references_put_first(struct buf *, struct str body) must_check;
/* extended: BODYSTRUCTURE, else BODY. */
int	structure_put(struct buf *, const struct parts *, bool extended) must_check;
/* BODY from the text of a BODYSTRUCTURE. -1 EINVAL: it is none. */
int	structure_reduce(struct buf *, struct str bodystructure) must_check;
/* Is a text that may be another's (of a shared folder's cache) one list, in which nothing ends the response? */
bool	structure_may_be_sent(struct str);

/* One item of a parenthesised list as written above: strings without their quotes (unescaped into the arena), NIL as p NULL, lists with their parentheses as a view. */
struct cur;
bool	structure_item(struct cur *, struct arena *, struct str *, bool *is_list);

#endif
