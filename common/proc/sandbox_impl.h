/* common/proc/sandbox_impl.h - what the parts of sandbox share; nobody else includes this. */
#ifndef PROC_SANDBOX_IMPL_H
#define PROC_SANDBOX_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/proc/sandbox.h"

/* What a profile can do besides computing and using the descriptors that it has. */
enum {
	CAN_READ = 1,		/* open files and list directories */
	CAN_WRITE = 2,		/* and make, rename, remove them */
	CAN_CONNECT = 4,	/* connect a socket that it has */
	CAN_SOCKET = 8,		/* make AF_UNIX sockets */
	CAN_ACCEPT = 16,	/* accept on a listening socket that it was given */
	CAN_FORK = 32,		/* have workers, signal them */
	CAN_NEST = 64,		/* enter a narrower profile */
	CAN_FLUSH = 128,	/* have several files flushed together: io_submit(2) */
	CAN_TCP = 256,		/* make TCP sockets and connect them to anywhere */
	CAN_UDP = 512,		/* make UDP sockets, with what a resolver sets on its own */
	CAN_THREAD = 1024,	/* have threads */
	CAN_PAIR = 2048,	/* make pairs of AF_UNIX sockets, as those with workers may, too */
	CAN_MANY = 4096,	/* wait for many descriptors by epoll and the like, make further ones of them, pass them on */
	CAN_MARK = 8192		/* pass one on, see net/relay.h */
};

/* The descriptor of SANDBOX_FD is above these. */
#define RIGHTS_MASK	0xffU

/* 0 also where the kernel has no Landlock. */
int	sandbox_landlock(unsigned can, const struct sandbox_path *, size_t,
	    struct diag *) must_check;
/* The filter as a program for the kernel, into buf (max SECCOMP_MAX). */
#define SECCOMP_MAX	(4096u * 8u)	/* BPF_MAXINSNS instructions */
int	sandbox_seccomp_compile(unsigned can, struct buf *, struct diag *)
	    must_check;

/* What the profile can do. */
unsigned sandbox_can(enum sandbox_profile);
struct sock_fprog;
/* Files and ports of the profile, then that program. */
int	sandbox_enter_program(enum sandbox_profile, const struct sandbox_path *,
	    size_t, const struct sock_fprog *, struct diag *) must_check;
/* Of a filter that is given to other programs. */
#define SANDBOX_SEALS	(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | \
			    F_SEAL_SEAL)

#endif
