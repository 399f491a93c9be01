/*
 * route/hop_site.h - the settings of mail to other hosts, prepared; and which
 * addresses are ours. Pure but for the memory that it takes.
 */
#ifndef ROUTE_HOP_SITE_H
#define ROUTE_HOP_SITE_H

#include <stdbool.h>

#include "common/net/addr.h"
#include "route/hop_name.h"
#include "route/hop_pattern.h"

#define HOP_OWN_MAX	256

struct hop_site {
	const struct settings	*settings;	/* borrowed */
	struct hop_patterns	 transports, tls, sources, connections, rates;
	char			 hostname[HOP_NAME_MAX + 1];
	bool			 v4, v6;	/* remote.family */
	struct addr		*listen;	/* smtp.listen */
	size_t			 nlisten;
	struct addr		 own[HOP_OWN_MAX];	/* of this host */
	size_t			 nown;
};

/* The settings must outlive it. -1: *why, and nothing is owned. */
int	hop_site_init(struct hop_site *, const struct settings *, const struct addr *own, size_t,
	    struct diag *) must_check;
void	hop_site_free(struct hop_site *);
/* They are others now. */
void	hop_site_set_own(struct hop_site *, const struct addr *, size_t);
/* Does this host have the address? 0.0.0.0, :: and all of 127.0.0.0/8 lead here, too. */
bool	hop_site_own(const struct hop_site *, const struct addr *);
/* Would a connection to this address and port reach our own smtpd? */
bool	hop_site_us(const struct hop_site *, const struct addr *, unsigned port);

#endif
