/* deliver/target.h - for whom deliver(1) was called, and by which settings. */
#ifndef DELIVER_TARGET_H
#define DELIVER_TARGET_H

#include "common/proc/settings.h"
#include "common/store/users.h"
#include "deliver/opts.h"

struct target {
	struct settings	*set;
	struct user	 user;
	struct str	 ext;		/* sub-address, a view into the options */
};

/* Reads the configuration and finds the user. 0, or a sysexits(3) status and why. */
int	target_find(struct target *, const struct opts *, struct diag *) must_check;
/* Becomes the user; with his other groups if they may matter for what is asked. */
int	target_become(const struct target *, const struct opts *, struct diag *) must_check;
void	target_free(struct target *);
/* The part of an address that is the sub-address, "" if there is none. */
struct str target_ext(struct str addr, const char *separator);

#endif
