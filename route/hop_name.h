/*
 * route/hop_name.h - domains as DNS wants them, and address literals. Pure.
 */
#ifndef ROUTE_HOP_NAME_H
#define ROUTE_HOP_NAME_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/net/addr.h"

#define HOP_NAME_MAX	253	/* characters of a name in text, RFC 1035 2.3.4 */

/*
 * A domain in lower case with A-labels (IDNA2008, non-transitional; RFC 5891).
 * -1 EINVAL: no such domain can exist (RFC 1035 2.3.4, RFC 5890).
 */
int	hop_name_ascii(struct str, char[HOP_NAME_MAX + 1]) must_check;
/*
 * The one form in which domains of ours are compared: lower case, and A-labels if there is anything but ASCII in it. What
 * cannot exist, and is therefore nobody's, stays as it is. -1: too long.
 */
int	hop_name_canonical(struct str, char *, size_t) must_check;
/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 4.1.3); in a transport line the tag may be missing. */
bool	hop_name_literal(struct str, struct addr *);
/* An uncompressed name of a DNS message, in lower case without the last dot ("" is the root). -1: not a host's name. */
int	hop_name_wire(struct str, char[HOP_NAME_MAX + 1]) must_check;

#endif
