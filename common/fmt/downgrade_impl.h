/* common/fmt/downgrade_impl.h - what the parts of downgrade share; nobody else includes this. */
#ifndef FMT_DOWNGRADE_IMPL_H
#define FMT_DOWNGRADE_IMPL_H

#include "common/fmt/downgrade.h"

enum { IN_HEADER, IN_BODY, IN_BETWEEN };	/* between: before and behind the parts of a multipart */

enum {
	HOW_KEEP,
	HOW_LABEL,	/* its label promises more than there is */
	HOW_QP,
	HOW_BASE64,
	HOW_ESCAPE,	/* is quoted-printable, but for some bytes */
	HOW_DROP	/* is base64, with bytes between that mean nothing */
};

/* Is what follows within a multipart/signed? */
bool	downgrade_sealed(const struct downgrade *);
/* A line of the present body, or a piece of one; ended: its line end belongs to it. */
void	downgrade_body_line(struct downgrade *, struct str, bool ended);
/* No delimiter follows: the last line end is part of the body. */
void	downgrade_body_last(struct downgrade *);
void	downgrade_body_end(struct downgrade *);

#endif
