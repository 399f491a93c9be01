/* common/store/spool_check_impl.h - inside the check of a spool: spool_check.c and spool_check_copies.c only. */
#ifndef STORE_SPOOL_CHECK_IMPL_H
#define STORE_SPOOL_CHECK_IMPL_H

#include "common/store/spool_check.h"
#include "common/store/spool_impl.h"

struct looking {
	const struct spool		*s;
	const struct spool_check	*c;
	enum spool_place		 place;
	const char			*name;	/* of the place */
	const char			*below;	/* its sub-directory, or "" */
};

/* After an attempt to repair: what was done, or why it could not be (errno). */
void	spool_check_done(const struct looking *, const char *name, int r, const char *what, const char *done);
/* For spool_scan: this one, and those of its name in other places; arg is a struct looking. */
int	spool_check_copies(void *arg, const struct id *, const char *name, int64_t mtime);

#endif
