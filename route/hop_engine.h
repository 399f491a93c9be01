/*
 * route/hop_engine.h - next hops for any number of questions at a time. What
 * was found is kept for a while; the same look-up for several is made once.
 */
#ifndef ROUTE_HOP_ENGINE_H
#define ROUTE_HOP_ENGINE_H

#include <event2/event.h>

#include "route/hop_choose.h"
#include "route/hop_site.h"

#define HOP_CACHE_ENTRIES	4096u
#define HOP_CACHE_BYTES		(16u << 20)
#define HOP_UNDER_WAY		2048u	/* look-ups at a time; further questions are told to come later */

struct hop_engine;

/* The choice lives until the callback returns. */
typedef void	hop_answered(void *, const struct hop_choice *);

struct hop_counters {
	unsigned long long	questions, looked_up, cached, joined, failed, refused;
	size_t			entries, bytes, under_way;
};

/* Reads resolv.conf, hosts and the trust anchor: before the chroot. The settings must outlive it. */
int	hop_engine_new(struct hop_engine **, struct event_base *, const struct settings *, struct diag *) must_check;
/* Its events; makes threads, so after the sandbox. */
int	hop_engine_start(struct hop_engine *) must_check;
void	hop_engine_free(struct hop_engine **);	/* questions are forgotten without an answer */
/* New settings, all or nothing (-1: *why); what is kept is forgotten. Servers and DNSSEC stay: see hop_engine_same_dns. */
int	hop_engine_reload(struct hop_engine *, const struct settings *, struct diag *) must_check;
bool	hop_engine_same_dns(const struct settings *, const struct settings *);
/* Calls back once, maybe before this returns. -1 ENOMEM: never. The callback may not ask. */
int	hop_engine_ask(struct hop_engine *, struct str domain, hop_answered *, void *) must_check;
void	hop_engine_count(const struct hop_engine *, struct hop_counters *);

#endif
