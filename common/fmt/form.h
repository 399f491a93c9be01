/* common/fmt/form.h - values of a form as it is posted (application/x-www-form-urlencoded). Pure. */
#ifndef FMT_FORM_H
#define FMT_FORM_H

#include "common/base/buf.h"
#include "common/base/str.h"

/* Most bytes of n when encoded. */
#define FORM_LEN(n)	(3 * (n))

/* Appends the value; what is no letter, digit, "-", "." or "_" is spelled out. Errors stay in the buffer (buf_ok). */
void	form_encode(struct buf *, struct str);

#endif
