/* deliver/remote_address.h - addresses for servers that know no SMTPUTF8 (RFC 6531). */
#ifndef DELIVER_REMOTE_ADDRESS_H
#define DELIVER_REMOTE_ADDRESS_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

/*
 * Appends the address as it may be said to a server: as it is if utf8, or if it is ASCII; else with the domain as
 * A-labels (RFC 5890). False: its local part is not ASCII, or the domain is no name.
 */
bool	address_wire(struct buf *, struct str addr, bool utf8);
/* Are the domains of both the same? */
bool	address_same_domain(struct str, struct str);

#endif
