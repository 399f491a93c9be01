/* common/fmt/structure_impl.h - what the files of structure.h share. */
#ifndef FMT_STRUCTURE_IMPL_H
#define FMT_STRUCTURE_IMPL_H

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

/*
 * A string of a response: in quotes if it may be, else a literal (8-bit bytes). Without line ends; NUL, which neither can
 * hold, is U+FFFD.
 */
int	structure_put_string(struct buf *, struct str);
int	structure_put_nstring(struct buf *, struct str);	/* p NULL: NIL */
/* Blanks in a row are one: for subjects and names. */
int	structure_put_text(struct buf *, struct str);
/* A field of addresses. */
struct structure_field {
	struct str	name, body;	/* body p NULL: there is none */
	struct cur	rest;		/* of the header, behind it */
	bool		again;		/* there are others of that name */
};
/* The addresses of the field, and of those of its name behind it, in parentheses, or NIL. */
int	structure_put_addresses(struct buf *, const struct structure_field *);

#endif
