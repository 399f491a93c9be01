/*
 * route/hop_facts.h - what DNS and /etc/hosts said about a name: the mail
 * servers of a domain with their addresses, or the addresses of one host.
 */
#ifndef ROUTE_HOP_FACTS_H
#define ROUTE_HOP_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "route/dns.h"

#define FACTS_HOSTS	20u	/* the best ones are asked about */
#define FACTS_ADDRS	16u	/* of one host and family */
#define FACTS_WHY	120u

struct fact_look {		/* one question */
	bool		 asked;
	enum dns_result	 result;
	unsigned	 ttl;
	bool		 secure;
	char		 why[FACTS_WHY];
};

struct fact_host {
	char		*name;
	uint16_t	 pref;
	uint32_t	 lot;		/* drawn among equals, when some have to be left out */
	size_t		 local;		/* line of /etc/hosts, 0: DNS was asked */
	struct fact_look a, aaaa;
	struct addr	*addrs;		/* of both families */
	size_t		 naddrs, left_out;
};

struct facts {
	bool		 is_mx;		/* servers of a domain, not one host */
	char		 name[HOP_NAME_MAX + 1];
	struct fact_look mx;
	bool		 null_mx;	/* RFC 7505 */
	bool		 implicit;	/* the domain itself is its server, RFC 5321 5.1 */
	struct fact_host *hosts;	/* by preference, then by lot */
	size_t		 nhosts;
	size_t		 left_out;	/* MX records beyond FACTS_HOSTS, or without a host's name */
};

void	facts_init(struct facts *, bool is_mx, const char *name);
void	facts_free(struct facts *);
/* The best FACTS_HOSTS are kept. -1 ENOMEM. */
int	facts_add_host(struct facts *, const char *name, uint16_t pref, uint32_t lot) must_check;
int	facts_add_addr(struct fact_host *, const struct addr *) must_check;
/* How many addresses it has of IPv4, or of IPv6. */
size_t	facts_of_family(const struct fact_host *, bool v4);
void	facts_look(struct fact_look *, const struct dns_reply *);
/* Seconds that all of it holds: 10 to 3600. */
unsigned facts_expire(const struct facts *);
size_t	facts_size(const struct facts *);	/* bytes of memory */

#endif
