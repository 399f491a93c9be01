/*
 * deliver/remote_unix.h - to LMTP servers at sockets with a path. A worker has a root directory without any:
 * a helper outside of it, which reads nothing but these requests, connects the worker's own socket,
 * and only to the paths that are targets of transport lines.
 */
#ifndef DELIVER_REMOTE_UNIX_H
#define DELIVER_REMOTE_UNIX_H

#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/base/str.h"
#include "common/proc/settings.h"

/*
 * Starts the helper as the user; *fd is for unix_dial, -1 if no line names a path. It ends when the last copy of *fd is closed.
 * To be called before the caller has become somebody else.
 */
int	unix_helper(const struct settings *, const char *user, int *fd, pid_t *pid, struct diag *) must_check;
/* A connected, non-blocking socket, or -1 with errno (EACCES: no transport line names this path). */
int	unix_dial(int helper, struct str path, int64_t timeout_ms) must_check;

#endif
