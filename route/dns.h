/*
 * route/dns.h - questions to DNS that are answered later: libunbound with a
 * thread of its own, which talks to the servers that it is told of.
 */
#ifndef ROUTE_DNS_H
#define ROUTE_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/net/addr.h"
#include "route/hop_name.h"

enum dns_type { DNS_A = 1, DNS_MX = 15, DNS_AAAA = 28 };

enum dns_result {
	DNS_FOUND,
	DNS_EMPTY,	/* the name exists, nothing of this type does */
	DNS_NXDOMAIN,
	DNS_SERVFAIL,	/* no answer that could be used */
	DNS_TIMEOUT,
	DNS_BOGUS	/* proven to be false */
};

/* An answer; lives as long as the callback runs. */
struct dns_reply {
	enum dns_result	 result;
	unsigned	 ttl;		/* seconds, of negative answers too */
	bool		 secure;	/* proven to be true */
	const char	*why;		/* of BOGUS and SERVFAIL, or "" */
	size_t		 n;		/* records */
	const void	*records;
};

struct dns;
struct dns_query;
typedef void	dns_done(void *, const struct dns_reply *);

struct dns_conf {
	const struct addr	*servers;	/* with ports */
	size_t			 nservers;
	bool			 dnssec;
	const char		*anchor;	/* file */
};

/* Reads all the files that it will ever need; starts its thread with the first dns_ask. -1: *why. */
int	dns_open(struct dns **, const struct dns_conf *, struct diag *) must_check;
void	dns_close(struct dns **);	/* queries under way are forgotten */
int	dns_fd(const struct dns *);	/* readable: call dns_process, which calls back */
void	dns_process(struct dns *);
/* NULL: ENOMEM. The query is gone once it was answered or cancelled. Never calls back at once. */
struct dns_query *dns_ask(struct dns *, const char *name, enum dns_type, dns_done *, void *) must_check;
void	dns_cancel(struct dns_query *);

/* A record of an answer; false: it cannot be used. */
bool	dns_mx(const struct dns_reply *, size_t, uint16_t *, char[HOP_NAME_MAX + 1]);
bool	dns_addr(const struct dns_reply *, size_t, struct addr *);
const char *dns_type_name(enum dns_type);
const char *dns_result_name(enum dns_result);

#endif
