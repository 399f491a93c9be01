/* common/base/radix.h - many numbers in order, faster than by comparing them. */
#ifndef BASE_RADIX_H
#define BASE_RADIX_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct radix_place {
	uint64_t	key;
	uint32_t	number;		/* whatever the caller has at that key */
};

/*
 * By key, those of one key as they were. In time that goes with n and the bytes in which keys differ, and room for as many again.
 * -1: ENOMEM, nothing has changed.
 */
int	radix_sort(struct radix_place *, size_t n) must_check;

#endif
