/*
 * common/proc/priv.h - the only caller of set*id, setgroups and chroot.
 * Without root every call does the part that is possible: chdir for chroot.
 */
#ifndef PROC_PRIV_H
#define PROC_PRIV_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/diag.h"

bool	priv_is_root(void);
/*
 * Become the user (its groups from the group database) inside dir: chroot + chdir as root, else chdir only. user NULL: keep.
 * dir NULL: stay. Verifies that root cannot be regained. -1: *why says what; the caller must exit.
 */
int	priv_enter(const char *user, const char *dir, struct diag *why) must_check;
/* Become uid, gid and nothing else; user is the name for initgroups or NULL for no supplementary groups. As non-root succeeds only for the own uid. */
int	priv_become(const char *user, uid_t, gid_t, struct diag *why) must_check;
/* PR_SET_DUMPABLE 0, no core, umask 077, no_new_privs if the argument is true. */
int	priv_harden(bool) must_check;

#endif
