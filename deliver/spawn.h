/* deliver/spawn.h - the part of local(8) that is root for a purpose: a process that is somebody else. */
#ifndef DELIVER_SPAWN_H
#define DELIVER_SPAWN_H

#include "common/proc/settings.h"
#include "common/store/users.h"

/*
 * A worker for the user, kind "mailbox" or "command", connected to *fd (owned by the caller).
 * Its pid, or -1 with a status (RFC 3463) and text.
 */
pid_t	spawn_worker(const struct settings *, const struct user *, const char *kind, int *fd, const char **status, char *text, size_t size) must_check;

#endif
