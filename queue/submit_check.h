/* queue/submit_check.h - what a local user may ask for; for drop, which tells him, and for queue, which believes nothing. */
#ifndef QUEUE_SUBMIT_CHECK_H
#define QUEUE_SUBMIT_CHECK_H

#include "common/base/buf.h"
#include "common/proc/settings.h"
#include "common/store/envelope.h"

/* NULL, or what is wrong with the envelope (a constant); the content's length is looked at as far as it is known. */
const char *submit_check(const struct settings *, const struct envelope *);
/*
 * The records that sendmail sends (S, E, O; r with o, n), with their empty line, become the head of a spool
 * file; nothing else may be in it. -1: EBADMSG.
 */
int	submit_head(struct str, const char *id, int64_t arrival_ms, struct buf *) must_check;

#endif
