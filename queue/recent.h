/*
 * queue/recent.h - recipients that were tried, and when they may be again: a message whose other recipients
 * had to wait their turn comes back earlier than they would. A table of 1 MB that forgets; what is forgotten is tried
 * too early, no more. Pure but for its memory.
 */
#ifndef QUEUE_RECENT_H
#define QUEUE_RECENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/id.h"

struct recent;

int	recent_new(struct recent **) must_check;
void	recent_free(struct recent **);
/* rcpt: the recipient's index in the envelope. A NULL table knows nothing. */
void	recent_add(struct recent *, struct id, size_t rcpt, int64_t until);
/* 0, or until when. */
int64_t	recent_until(const struct recent *, struct id, size_t rcpt, int64_t now);
/* An administrator wants all to be tried. */
void	recent_clear(struct recent *);

#endif
