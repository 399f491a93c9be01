/*
 * route/hop_watch.h - does somebody change a file that was read at the start?
 * Told by a descriptor that works from within a chroot (inotify(7)).
 */
#ifndef ROUTE_HOP_WATCH_H
#define ROUTE_HOP_WATCH_H

#include <stddef.h>

#include "common/base/attr.h"

#define HOP_WATCH_FILES	4u

struct hop_watch;

/* Absolute paths, borrowed; to be called before they are read. The file need not exist, nor what it is a link to; its directory must. -1 errno. */
int	hop_watch_new(struct hop_watch **, const char *const *paths, size_t n) must_check;
void	hop_watch_free(struct hop_watch **);
int	hop_watch_fd(const struct hop_watch *);	/* readable: call hop_watch_changed */
/* The last file that was written, replaced or made since, or NULL. */
const char *hop_watch_changed(struct hop_watch *);

#endif
