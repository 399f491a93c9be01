/*
 * smtpd/allowance.h - how much each user has sent within the hour and the day. In memory that the workers of a
 * listener share and that is forgotten when it ends; of more users than there is room for, those who sent
 * longest ago are forgotten first.
 */
#ifndef SMTPD_ALLOWANCE_H
#define SMTPD_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/str.h"

struct allowance;

enum allowance_what { ALLOWANCE_MESSAGES, ALLOWANCE_RECIPIENTS, ALLOWANCE_WHATS };

/* 0: no limit. */
struct allowance_limits {
	unsigned	hour[ALLOWANCE_WHATS], day[ALLOWANCE_WHATS];
};

/* What is used up, if something is. */
struct allowance_spent {
	unsigned	limit;
	bool		day;
	int64_t		wait_ms;	/* until there is some again */
};

/* In the listener, before the fork. NULL: no memory. */
struct allowance *allowance_new(void);
void	allowance_free(struct allowance **);
/*
 * Takes one of the user's. False: there is none left, and *spent says what was the limit. An hour begins with the first that is
 * taken after the last one is over, and so does a day. now: milliseconds.
 */
bool	allowance_take(struct allowance *, struct str user, enum allowance_what, const struct allowance_limits *, int64_t now,
	    struct allowance_spent *spent);
/* It was not used. */
void	allowance_give_back(struct allowance *, struct str user, enum allowance_what);

#endif
