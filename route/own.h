/*
 * route/own.h - the addresses of this host. What is asked is opened before the sandbox; later answers come from the same
 * descriptor, so that an address that is new is seen from within.
 */
#ifndef ROUTE_OWN_H
#define ROUTE_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/net/addr.h"

#define OWN_MAX		256	/* further ones are not seen */
#define OWN_MS		5000	/* how soon a new one is */

struct own {
	struct addr	addrs[OWN_MAX];
	size_t		n;
	int		fd;	/* owned; -1: what is known stays */
	int64_t		asked;
};

/* Asks for the first time; without an answer there are none. */
void	own_open(struct own *, int64_t now);
/* Asks again, if that is OWN_MS ago. True: they are others now. */
bool	own_refresh(struct own *, int64_t now);
void	own_close(struct own *);

#endif
