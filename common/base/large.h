/* common/base/large.h - memory that is large and soon used from one end to the other. */
#ifndef BASE_LARGE_H
#define BASE_LARGE_H

#include <stddef.h>

/*
 * Of malloc(3), n bytes: from 4 MiB on the kernel is asked for large pages, so that it need not be interrupted for each 4 KiB: with tens of
 * thousands of messages that is a tenth of the time. Where it has none nothing changes. errno stays.
 */
void	large_hint(const void *, size_t n);

#endif
