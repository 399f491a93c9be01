/*
 * common/proc/sandbox_files.c - the sandbox of short commands: files, ports and
 * scopes, no filter of system calls. Apart, so that they need not link
 * what compiles filters.
 */
#include "common/proc/sandbox.h"

#include <sys/prctl.h>

#include "common/proc/sandbox_impl.h"

int
sandbox_enter_files(const struct sandbox_path *paths, size_t n,
    struct diag *why)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return diag_errno(why, "sandbox: no_new_privs");
	return sandbox_landlock(0, paths, n, why);
}
