/* route/users_of.h - where users come from, in the words of common/store/users.h. */
#ifndef ROUTE_USERS_OF_H
#define ROUTE_USERS_OF_H

#include "common/base/attr.h"
#include "common/proc/settings.h"
#include "common/store/users.h"

struct users_of {
	struct users_source	*sources;	/* views into the settings */
	size_t			 n;
	struct users_defaults	 defaults;
};

/* -1 ENOMEM. */
int	users_of_init(struct users_of *, const struct settings *) must_check;
void	users_of_free(struct users_of *);

#endif
