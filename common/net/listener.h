/*
 * common/net/listener.h - how the listener of a pool (server.h) comes to life: named sockets and settings from
 * the master, TLS, its user, chroot and sandbox; and how it takes a new configuration. What is its own, a
 * service says in a plan.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/net/server.h"
#include "common/net/tls.h"
#include "common/proc/sandbox.h"
#include "common/proc/settings.h"

struct listener {
	const struct listener_plan *plan;
	void			*arg;		/* of all calls of the plan */
	char			 name[CHILD_NAME_MAX];	/* of its first socket */
	struct settings		*settings;
	struct tls_server	*tls;	/* NULL: the plan has no keys */
	struct sandbox_filter	*filter;	/* for workers */
};

struct listener_plan {
	const char	*program;	/* "pop3d": in its usage; what it writes to the log */
	const char	*user;		/* "ph-login" */
	enum sandbox_profile worker;
	const struct sandbox_path *places, *worker_places;	/* what listener and workers can reach in the chroot */
	size_t		 nplaces, nworker_places;
	const char	*keys;		/* socket of keys(8) in the chroot; NULL: no TLS */
	const char	*alpn;		/* of its protocol, or NULL */
	/* The name in the log, from the listener's name; and the part of the settings that has the limits. */
	const char	*(*log_name)(const struct listener *);
	const struct listen_settings *(*limits)(const struct listener *);
	/* The directory that becomes its root. -1: *why. */
	int		(*directory)(const struct listener *, char *, size_t, struct diag *);
	/* Before the chroot, after it before the sandbox, and after each change of the settings. May be NULL. -1: *why. */
	int		(*prepare)(void *, struct diag *);
	int		(*inside)(void *, struct diag *);
	void		(*settled)(void *);
	const char	*(*refusal)(void *, const char *service, bool total);
	const char	*(*greeting)(void *, const char *service);	/* may be NULL */
	void		(*session)(void *, const struct server_session *);
};

/* The whole of main for a listener: its exit status. The listener is filled before the plan is asked anything. */
int	listener_main(struct listener *, const struct listener_plan *, void *arg, int argc) must_check;

#endif
