/* auth/introspect_job.h - the questions of auth, answered from the cache or by the provider. See introspect.h. */
#ifndef AUTH_INTROSPECT_JOB_H
#define AUTH_INTROSPECT_JOB_H

#include <event2/event.h>
#include <stddef.h>

#include "auth/introspect_http.h"
#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/proc/settings.h"

struct introspect;

/* Connects to auth at this path whenever it is there. http and settings are the caller's, and live as long. -1: *why. */
int	introspect_new(struct introspect **, struct event_base *, const char *path, struct diag *why) must_check;
/* From now on with these; questions under way are asked again, and what is known is forgotten. */
void	introspect_use(struct introspect *, struct http *, const struct token_settings *);
void	introspect_free(struct introspect **);
/* "asked=N cached=N ..." into dst. */
void	introspect_status(const struct introspect *, char *dst, size_t size);

#endif
