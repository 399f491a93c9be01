/* common/fmt/header.h - fields of an RFC 5322 message header, CRLF or LF ends. */
#ifndef FMT_HEADER_H
#define FMT_HEADER_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

struct header_field {
	struct str	name;	/* without the colon */
	struct str	body;	/* after the colon, folded as it stands, without the last line end */
	struct str	raw;	/* all of it with its line end */
};

/* The next field; false at the empty line (consumed), at the end, or at a line that is no field (untouched). */
bool	header_next(struct cur *, struct header_field *);
/* The same, but lines that are no field are passed over: false only at the empty line, or at the end. */
bool	header_next_any(struct cur *, struct header_field *);
/* First field of that name (ASCII case ignored) in a header section. */
bool	header_find(struct str, const char *, struct header_field *);
/* How many fields of that name. */
size_t	header_count(struct str, const char *);
/* From a '(' to behind the end of that comment, which may hold others, or to the end of all (RFC 5322 3.2.2). */
void		header_skip_comment(struct cur *);
/* Blanks, folding, comments. */
void		header_skip_cfws(struct cur *);
/* Without blanks and folding at both ends. */
struct str	header_trim(struct str);
/* Body without folding and outer blanks into buf. */
int	header_unfold(struct str, struct buf *);
/* Length of the header section including the empty line; n if there is none. */
size_t	header_length(struct str);

#endif
