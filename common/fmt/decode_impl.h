/* common/fmt/decode_impl.h - what the files of decode.h share. */
#ifndef FMT_DECODE_IMPL_H
#define FMT_DECODE_IMPL_H

#include "common/fmt/decode.h"

int	decode_base64(struct decode *, struct str, struct buf *) must_check;
int	decode_base64_end(struct decode *, struct buf *) must_check;
/* last: nothing comes behind it. */
int	decode_qp(struct decode *, struct str, bool last, struct buf *)
	    must_check;

#endif
