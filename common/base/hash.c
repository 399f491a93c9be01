/* common/base/hash.c - eight bytes at a time. */
#include "common/base/hash.h"

#include <string.h>

#define FACTOR	UINT64_C(0x9e3779b97f4a7c15)

static uint64_t
mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * FACTOR;
	return h ^ h >> 32;
}

uint64_t
hash_bytes(uint64_t seed, const void *data, size_t n)
{
	const unsigned char	*p = data;
	uint64_t		 h = seed ^ n, other = ~h, word[2];

	/* two at a time, as the multiplier has time for both */
	for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
		memcpy(word, p, sizeof(word));
		h = mix(h, word[0]);
		other = mix(other, word[1]);
	}
	word[0] = word[1] = 0;
	if (n > 0)
		memcpy(word, p, n);
	return mix(mix(mix(h, word[0]), word[1]), other);
}
