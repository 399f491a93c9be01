/*
 * route/hop_hosts.h - what the system says of names and servers: /etc/hosts
 * and /etc/resolv.conf, as text that was read before. Pure.
 */
#ifndef ROUTE_HOP_HOSTS_H
#define ROUTE_HOP_HOSTS_H

#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/net/addr.h"
#include "route/hop_name.h"

#define HOSTS_ENTRIES	65536	/* further ones are not seen */
#define RESOLV_SERVERS	8

struct host_entry {
	char		*name;		/* lower case */
	struct addr	 addr;
	size_t		 line;		/* of the file, from 1 */
};

struct hosts {
	struct host_entry	*entries;	/* by name, then by line */
	size_t			 n, cap;
};

/* hosts(5); lines that make no sense are passed over. -1 ENOMEM, and nothing is owned. */
int	hosts_parse(struct str, struct hosts *) must_check;
void	hosts_free(struct hosts *);
/* The first entry of a name in lower case, and their number. */
size_t	hosts_find(const struct hosts *, const char *, const struct host_entry **);
/* The nameserver lines of resolv.conf(5): number of them; ports are 53. */
size_t	resolv_parse(struct str, struct addr[RESOLV_SERVERS]);

#endif
