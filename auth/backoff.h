/* auth/backoff.h - how often a client or a user name has failed lately. Bounded; pure but for the key's secret. */
#ifndef AUTH_BACKOFF_H
#define AUTH_BACKOFF_H

#include <stdint.h>

#include "common/base/str.h"

#define BACKOFF_ENTRIES	4096
#define BACKOFF_WAYS	4
#define BACKOFF_FORGET	600000	/* ms without a failure */
#define BACKOFF_MAX	30000	/* the longest delay */

struct backoff_entry {
	uint64_t	key;		/* 0 free */
	int64_t		last;
	unsigned	failures;
};

struct backoff {
	uint64_t		secret;
	struct backoff_entry	entries[BACKOFF_ENTRIES];
};

void	 backoff_init(struct backoff *, uint64_t secret);
/* kind tells clients from users. */
void	 backoff_failed(struct backoff *, char kind, struct str, int64_t now);
void	 backoff_succeeded(struct backoff *, char kind, struct str);
unsigned backoff_failures(const struct backoff *, char kind, struct str, int64_t now);
/* base for the first, then twice as long for each further failure. */
int64_t	 backoff_delay(unsigned failures, int64_t base);

#endif
