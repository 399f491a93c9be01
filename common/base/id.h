/*
 * common/base/id.h - the one name of a message: 52 bits of microseconds since
 * 1970 and 48 random bits, written as 20 characters in a base 32 alphabet
 * whose order is that of ASCII (0-9 a-h j k m n p-t v-z: no i, l, o, u), so
 * that names sort by time and are safe in file names and header fields.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/base/str.h"

#define ID_LEN		20
#define ID_SIZE		(ID_LEN + 1)	/* with the NUL */
#define ID_ALPHABET	"0123456789abcdefghjkmnpqrstvwxyz"
#define SHARD_LEN	2
#define SHARD_COUNT	1024

struct id {
	uint64_t	time_us;	/* 52 bits */
	uint64_t	random;		/* 48 bits */
};

/* A new one for this moment; random bits from arc4random. */
struct id	id_make(const struct timespec *);
void		id_format(struct id, char[ID_SIZE]);
/* Exactly ID_LEN characters of the alphabet and nothing else. */
bool		id_parse(struct str, struct id *);
bool		id_eq(struct id, struct id);
/* For qsort(3) and bsearch(3) over them: the oldest first. */
int		id_cmp(const void *, const void *);
/*
 * The queue's sub-directory: two characters made of the bits of the time that change
 * about once a second, so that what arrives together lies together.
 */
void		id_shard(struct id, char[SHARD_LEN + 1]);
/* Name of the n-th shard, 0 <= n < SHARD_COUNT. */
void		id_shard_name(unsigned, char[SHARD_LEN + 1]);

#endif
