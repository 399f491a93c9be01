/* common/fmt/structure_impl.h - what the files of structure.h share. */
#ifndef FMT_STRUCTURE_IMPL_H
#define FMT_STRUCTURE_IMPL_H

#include "common/base/buf.h"
#include "common/base/str.h"

/*
 * A string of a response: in quotes if it may be, else a literal (8-bit bytes). Without line ends; NUL, which neither can
 * hold, is U+FFFD.
 */
int	structure_put_string(struct buf *, struct str);
int	structure_put_nstring(struct buf *, struct str);	/* p NULL: NIL */
/* Blanks in a row are one: for subjects and names. */
int	structure_put_text(struct buf *, struct str);
/* The addresses of a field, in parentheses, or NIL. */
int	structure_put_addresses(struct buf *, struct str body);

#endif
