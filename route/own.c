/* route/own.c - the addresses of this host, asked once before the sandbox. */
#include <sys/socket.h>
#include <ifaddrs.h>
#include <stddef.h>

#include "route/compile.h"

size_t
own_addresses(struct addr *out, size_t max)
{
	struct ifaddrs		*list;
	const struct ifaddrs	*i;
	size_t			 n = 0;

	if (getifaddrs(&list) == -1)
		return 0;
	for (i = list; i != NULL && n < max; i = i->ifa_next) {
		if (i->ifa_addr == NULL)
			continue;
		addr_from_sockaddr(i->ifa_addr, &out[n]);
		if (out[n].valid)
			n++;
	}
	freeifaddrs(list);
	return n;
}
