/* keys/signers.h - the threads that answer listeners and their workers, as many at a time as the machine has processors. */
#ifndef KEYS_SIGNERS_H
#define KEYS_SIGNERS_H

#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/proc/child.h"
#include "keys/vault.h"

#define SIGNERS_MAX	32
#define SIGNERS_DOORS	4	/* sockets */

/* How many: to be asked before the sandbox is entered. */
size_t	signers_wanted(void);
/* The listening sockets stay the caller's. They run until the process ends. */
int	signers_start(size_t n, struct vault *, const int *sockets, size_t nsockets, struct diag *) must_check;

#endif
