/* deliver/owner.h - what a user has a right to: the same for the agent and the command. */
#ifndef DELIVER_OWNER_H
#define DELIVER_OWNER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/proc/settings.h"
#include "common/store/users.h"

/* May this process deliver as the user? Root as all from local.min-uid on, anybody else as himself. */
bool	owner_ok(const struct settings *, const struct user *);
/* "maildir:/path" or "mbox:/path". */
int	owner_mailbox(const struct settings *, const struct user *, char *, size_t) must_check;
/* Bytes; 0 for no limit. */
uint64_t owner_quota(const struct settings *, const struct user *);
/*
 * Does who has this user's number and group reach the path without his other groups? Asked as root; looks at the
 * way to his home, not into it.
 */
bool	owner_reaches(const struct user *, const char *path);
/* The domain of names without one. */
const char *owner_domain(const struct settings *);

#endif
