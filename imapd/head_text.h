/* imapd/head_text.h - fields of a header as text to be searched: from an ENVELOPE, or from the header itself. */
#ifndef IMAPD_HEAD_TEXT_H
#define IMAPD_HEAD_TEXT_H

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/fmt/casemap.h"
#include "imapd/search_parse.h"

struct head_text {
	struct arena	arena;
	struct buf	raw, text;
};
void	head_text_init(struct head_text *);
void	head_text_free(struct head_text *);

/* An item of the envelope as it stands there; p NULL: NIL. Unescaped strings live until the next call. False: that is no envelope. */
bool	head_text_item(struct head_text *, struct str envelope, enum search_field, struct str *);
/*
 * Is the needle in that field, decoded? Addresses are as in "Ann Example <ann@example.org>, <bob@example.org>". An empty needle
 * asks whether the field is there. -1: ENOMEM.
 */
int	head_text_match(struct head_text *, struct str envelope, enum search_field, struct needle *, bool *) must_check;
/* May such a field of a message have that word (folded) where its ENVELOPE does not, since this has the same in other words? */
bool	head_text_rewritten(enum search_field, struct str word);
/* As head_text_match, with all fields of that name in a header. */
int	head_text_fields(struct head_text *, struct str header, struct str name, struct needle *, bool *) must_check;

#endif
