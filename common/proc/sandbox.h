/*
 * common/proc/sandbox.h - one call per profile: Landlock for files and ports, seccomp for
 * system calls (Linux). There is no way to run unsandboxed; a layer that
 * the kernel lacks is reported by sandbox_layers(), never silently skipped.
 */
#ifndef PROC_SANDBOX_H
#define PROC_SANDBOX_H

#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/diag.h"

enum sandbox_profile {
	SANDBOX_LISTENER,	/* accept, fork, pass descriptors; what its workers need */
	SANDBOX_SMTPD,		/* a connection, files below its directory, AF_UNIX clients */
	SANDBOX_LOGIN,		/* a connection, AF_UNIX clients, no files */
	SANDBOX_FRONT,		/* the same, and threads */
	SANDBOX_QUEUE,		/* files below the spool, AF_UNIX clients */
	SANDBOX_ROUTE,		/* reading the tables */
	SANDBOX_AUTH,		/* reading the password tables, passing descriptors */
	SANDBOX_LOG,		/* appending below the log directory */
	SANDBOX_SESSION,	/* one user's mail, a connection */
	SANDBOX_SESSION_BACK,	/* the same, which may give its connection back to the front that carries it (net/relay.h) */
	SANDBOX_MAILDIR,	/* one user's mail, no network at all (local worker) */
	SANDBOX_TOOL,		/* drop: files given, AF_UNIX clients */
	SANDBOX_SENDER,		/* remote's parent: accept, fork, and what its workers need */
	SANDBOX_REMOTE,		/* TCP to anywhere, no files */
	SANDBOX_HOP,		/* UDP and TCP to the network, threads, no files */
	SANDBOX_KEYS,		/* accept, threads; no files, no network */
	SANDBOX_HTTP,		/* TCP to anywhere, names by libc and its files, an AF_UNIX client */
	SANDBOX_COUNT
};

enum { SANDBOX_READ = 1, SANDBOX_WRITE = 2, SANDBOX_EXEC = 4 };	/* WRITE includes create, rename, remove, truncate */

/* With path NULL: what is open there, for a directory that is out of reach of any path. */
#define SANDBOX_FD(fd)	((unsigned)(fd) << 8)

struct sandbox_path {
	const char	*path;	/* a file or a directory with all below */
	unsigned	 rights;
};

const char *sandbox_name(enum sandbox_profile);
/*
 * Enter for good (threads, children too). Paths that do not exist are skipped. Narrower profiles may be
 * entered on top of wider ones. Sets no_new_privs. -1: *why, and the caller must exit. A forbidden call
 * answers EPERM (calls that a hostile program would want: kill the process).
 */
int	sandbox_enter(enum sandbox_profile, const struct sandbox_path *, size_t, struct diag *)
	    must_check;
/*
 * The same in two steps, for workers that are forked: compiled once (takes about a millisecond and much
 * memory), before any sandbox is entered; entered by each.
 */
struct sandbox_filter;
int	sandbox_compile(enum sandbox_profile, struct sandbox_filter **, struct diag *) must_check;
int	sandbox_enter_with(const struct sandbox_filter *, const struct sandbox_path *, size_t, struct diag *) must_check;
/*
 * The same for programs that are executed anew and live shortly: compiled by their parent into a sealed file, which
 * all of them may share (a close-on-exec descriptor, -1 *why). Who is given it needs no library for it, and refuses one
 * that somebody could still write to.
 */
int	sandbox_export(enum sandbox_profile, struct diag *) must_check;
int	sandbox_enter_given(enum sandbox_profile, int fd, const struct sandbox_path *, size_t, struct diag *) must_check;
/*
 * Landlock (no network) and no_new_privs alone, for a command that lives for a millisecond or two: to compile a filter
 * would take as long again.
 */
int	sandbox_enter_files(const struct sandbox_path *, size_t, struct diag *) must_check;
/* The Landlock ABI of this kernel, 0 for none. */
int	sandbox_landlock_abi(void);
/* "landlock ABI 7 (files, ports, scopes), seccomp" or what is missing; into dst. */
const char *sandbox_layers(char *, size_t);

#endif
