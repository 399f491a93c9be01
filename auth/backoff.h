/*
 * auth/backoff.h - who has failed how often lately, and who is blocked for it. Bounded, each kind by itself, so that
 * a flood of one does not make us forget another. Pure but for the keys' secret.
 */
#ifndef AUTH_BACKOFF_H
#define AUTH_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

#define BACKOFF_ENTRIES	4096	/* of each kind */
#define BACKOFF_WAYS	4
#define BACKOFF_MAX	30000	/* ms, the longest delay */
#define BACKOFF_DOUBLED	5	/* so often is a block doubled: 32 times as long */
#define BACKOFF_FRIEND	(30 * 86400000LL)	/* ms that a login is remembered */

enum backoff_kind {
	BACKOFF_CLIENT,
	BACKOFF_PAIR,		/* a client with one user name */
	BACKOFF_USER,		/* a user name, wherever from */
	BACKOFF_KNOWN,		/* a pair that has logged in */
	BACKOFF_KINDS
};

/* What is allowed; all the failures are forgiven in as long as a block takes, one after the other. */
struct backoff_limits {
	long long	failures;	/* 0: never a block */
	int64_t		block_time;	/* ms, of the first block; the next ones take twice as long each */
};

struct backoff_entry {
	uint64_t	key;		/* 0 free */
	int64_t		last, until;	/* the last failure or login, the end of the block */
	uint32_t	level;		/* thousandths of a failure, as of last */
	uint32_t	blocks;
};

struct backoff {
	uint64_t		secret;
	struct backoff_entry	entries[BACKOFF_KINDS][BACKOFF_ENTRIES];
};

void	 backoff_init(struct backoff *, uint64_t secret);
/* One failure more. True: this one made it a block. */
bool	 backoff_failed(struct backoff *, enum backoff_kind, struct str, const struct backoff_limits *, int64_t now);
/* Failures that are not forgiven yet, rounded up. */
unsigned backoff_failures(const struct backoff *, enum backoff_kind, struct str, const struct backoff_limits *,
	    int64_t now);
bool	 backoff_blocked(const struct backoff *, enum backoff_kind, struct str, int64_t now);
/* So many failures less. */
void	 backoff_forgive(struct backoff *, enum backoff_kind, struct str, const struct backoff_limits *, unsigned,
	    int64_t now);
/* A pair has logged in; has it, lately? */
void	 backoff_remember(struct backoff *, struct str, int64_t now);
bool	 backoff_is_known(const struct backoff *, struct str, int64_t now);
/* base for the first, then twice as long for each further failure. */
int64_t	 backoff_delay(unsigned failures, int64_t base);

#endif
