/* queue/trace_text.h - a line of the log as a sentence about a message; pure. */
#ifndef QUEUE_TRACE_TEXT_H
#define QUEUE_TRACE_TEXT_H

#include "common/base/buf.h"
#include "common/fmt/logline.h"

/* What happened, without time and id; several lines end in "\n" each but the last. Control characters are made '?'. */
void	trace_text(const struct logline *, struct buf *);

#endif
