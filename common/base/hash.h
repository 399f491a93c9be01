/* common/base/hash.h - a quick hash of bytes, for tables and to notice damage; no protection against those who choose the bytes and know the seed. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t	hash_bytes(uint64_t seed, const void *, size_t);

#endif
