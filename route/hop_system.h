/* route/hop_system.h - what hop reads of this system, once, before its chroot. */
#ifndef ROUTE_HOP_SYSTEM_H
#define ROUTE_HOP_SYSTEM_H

#include "common/proc/settings.h"
#include "route/dns.h"
#include "route/hop_hosts.h"

#define HOP_HOSTS_FILE	"/etc/hosts"
#define HOP_RESOLV_FILE	"/etc/resolv.conf"

/* /etc/hosts; without one, or with one that is too large (said in the log), nothing. -1 ENOMEM. */
int	hop_system_hosts(struct hosts *) must_check;
/* libunbound with the servers of the settings, or of /etc/resolv.conf. -1: *why. */
int	hop_system_dns(struct dns **, const struct settings *, struct diag *) must_check;

#endif
