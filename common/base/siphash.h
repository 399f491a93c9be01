/*
 * common/base/siphash.h - a hash with a secret key (SipHash-2-4 of 128 bits, Aumasson and Bernstein 2012): who does not know the key
 * cannot find two texts with the same hash, nor many that fall into the same place of a table. So a table may keep the hashes alone.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stdint.h>

#include "common/base/str.h"

struct siphash {
	uint64_t	w[2];
};
struct siphash	siphash(const uint64_t key[2], struct str);

#endif
