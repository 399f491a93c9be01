/*
 * common/proc/service.h - what every event-driven daemon does besides its work: it listens to its master and to
 * SIGTERM, takes its named sockets over, says that it is ready, and ends in order.
 */
#ifndef PROC_SERVICE_H
#define PROC_SERVICE_H

#include <event2/event.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/base/str.h"
#include "common/proc/link.h"
#include "common/proc/peers.h"

struct service;

struct service_ops {
	/* The counters as "name=value name=value" into dst. */
	void	(*status)(void *, char *dst, size_t size);
	/* A new configuration; the descriptor stays the service's. */
	void	(*reload)(void *, int conf);
	/* Something else that the master says; NULL if there is nothing. */
	void	(*answer)(void *, struct str);
};

/* The link to the master and SIGTERM are watched; ops and arg must outlive it. */
int	service_new(struct service **, const struct service_ops *, void *arg, struct diag *) must_check;
/* Called instead of reload, for a service that has files of the master; takes a descriptor by setting it to -1. */
void	service_on_files(struct service *, void (*)(void *, struct link_event *));
void	service_free(struct service **);	/* after all events on its base */
struct event_base *service_base(const struct service *);
/* The descriptor that the master named so is served by peers; its role is given. */
int	service_listen(struct peers *, const char *name, unsigned role, struct diag *) must_check;
/* As many descriptors as the administrator allows; their number. */
size_t	service_raise_files(void);
/* Says ready and works until service_stop, the master's word or its death: exit status. */
int	service_run(struct service *) must_check;
/* Ends service_run once the present event is done with. */
void	service_stop(struct service *, int status);
/* Calls fn whenever fd is readable. */
int	service_watch(const struct service *, int fd, event_callback_fn, void *, struct event **) must_check;

#endif
