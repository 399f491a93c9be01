/* keys/load.h - from the descriptors that the master gives, piece by piece, to a list of pairs. */
#ifndef KEYS_LOAD_H
#define KEYS_LOAD_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/proc/child.h"
#include "common/proc/settings.h"
#include "keys/pair.h"

/* What has come; zeroed it is empty. */
struct load {
	struct pair_files	*files;		/* by number, those of tls.certificate in order */
	size_t			 n;
};

struct pairs {
	struct pair	*list;
	size_t		 n;
};

/* Takes "certificate N", "key N" and "ocsp N" over; they are read at once. -1: *why. */
int	load_files(struct load *, const struct child_fd *, size_t, struct diag *) must_check;
/*
 * Makes pairs of what has come and forgets it. say is told what is wrong, and what is only to be watched (warning);
 * pairs that are wrong have no key. -1: ENOMEM. The number of those that are wrong is in *wrong.
 */
int	load_pairs(struct load *, const struct settings *, struct pairs *, size_t *wrong,
	    void (*say)(bool warning, const char *text)) must_check;
void	load_wipe(struct load *);
void	pairs_free(struct pairs *);

#endif
