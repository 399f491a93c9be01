/*
 * common/proc/sandbox_seccomp.c - which system calls are left. A list of what
 * is allowed; the rest answers EPERM, and what only a hostile program would
 * try ends the process. See seccomp(2).
 */
#include "common/proc/sandbox_impl.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "common/base/fdio.h"

#ifdef PH_SANITIZE
#define CAN_PATHS	0U	/* reports read the program and /proc/self; Landlock stays */
#define MANY		0U
#else
#define CAN_PATHS	(CAN_READ | CAN_WRITE)
#define MANY		CAN_MANY
#endif

/* Allowed whatever the arguments, if the profile can one of `need` (0: all). */
static const struct {
	int		nr;
	unsigned	need;
} calls[] = {
	/* memory, time, threads of libc, the end */
	{ SCMP_SYS(brk), 0 }, { SCMP_SYS(munmap), 0 }, { SCMP_SYS(madvise), 0 },
	{ SCMP_SYS(mremap), 0 }, { SCMP_SYS(getrandom), 0 },
	{ SCMP_SYS(clock_gettime), 0 }, { SCMP_SYS(clock_getres), 0 },
	{ SCMP_SYS(clock_nanosleep), 0 }, { SCMP_SYS(nanosleep), 0 },
	{ SCMP_SYS(gettimeofday), 0 }, { SCMP_SYS(time), 0 },
	{ SCMP_SYS(times), MANY }, { SCMP_SYS(alarm), MANY },
	{ SCMP_SYS(setitimer), MANY }, { SCMP_SYS(futex), 0 },
	{ SCMP_SYS(set_robust_list), 0 }, { SCMP_SYS(set_tid_address), 0 },
	{ SCMP_SYS(rseq), 0 }, { SCMP_SYS(sched_yield), 0 },
	{ SCMP_SYS(sched_getaffinity), 0 }, { SCMP_SYS(getcpu), 0 },
	{ SCMP_SYS(exit), 0 }, { SCMP_SYS(exit_group), 0 },
	{ SCMP_SYS(restart_syscall), 0 },
	/* signals to itself */
	{ SCMP_SYS(rt_sigaction), 0 }, { SCMP_SYS(rt_sigprocmask), 0 },
	{ SCMP_SYS(rt_sigreturn), 0 }, { SCMP_SYS(rt_sigtimedwait), MANY },
	{ SCMP_SYS(sigaltstack), 0 }, { SCMP_SYS(pause), MANY },
	/* who am I */
	{ SCMP_SYS(getpid), 0 }, { SCMP_SYS(getppid), MANY },
	{ SCMP_SYS(gettid), 0 }, { SCMP_SYS(getuid), 0 },
	{ SCMP_SYS(geteuid), 0 }, { SCMP_SYS(getgid), 0 },
	{ SCMP_SYS(getegid), 0 }, { SCMP_SYS(getresuid), 0 },
	{ SCMP_SYS(getresgid), 0 }, { SCMP_SYS(getgroups), 0 },
	{ SCMP_SYS(getpgrp), MANY }, { SCMP_SYS(getpgid), MANY },
	{ SCMP_SYS(getsid), MANY }, { SCMP_SYS(uname), 0 },
	{ SCMP_SYS(sysinfo), 0 }, { SCMP_SYS(getrusage), 0 },
	{ SCMP_SYS(getrlimit), 0 }, { SCMP_SYS(umask), MANY },
	/* descriptors that it has */
	{ SCMP_SYS(read), 0 }, { SCMP_SYS(readv), 0 },
	{ SCMP_SYS(pread64), 0 }, { SCMP_SYS(preadv), MANY },
	{ SCMP_SYS(write), 0 }, { SCMP_SYS(writev), 0 },
	{ SCMP_SYS(pwrite64), 0 }, { SCMP_SYS(pwritev), MANY },
	{ SCMP_SYS(lseek), 0 }, { SCMP_SYS(_llseek), 0 },
	{ SCMP_SYS(fstat), 0 }, { SCMP_SYS(fstat64), 0 },
	{ SCMP_SYS(fstatfs), 0 }, { SCMP_SYS(fstatfs64), 0 },
	{ SCMP_SYS(fadvise64), 0 }, { SCMP_SYS(flock), 0 },
	{ SCMP_SYS(close), 0 }, { SCMP_SYS(close_range), 0 },
	{ SCMP_SYS(dup), MANY }, { SCMP_SYS(dup2), MANY }, { SCMP_SYS(dup3), MANY },
	{ SCMP_SYS(pipe), MANY }, { SCMP_SYS(pipe2), MANY },
	{ SCMP_SYS(eventfd2), MANY }, { SCMP_SYS(poll), 0 },
	{ SCMP_SYS(ppoll), 0 }, { SCMP_SYS(select), MANY },
	{ SCMP_SYS(pselect6), MANY }, { SCMP_SYS(epoll_create), MANY },
	{ SCMP_SYS(epoll_create1), MANY }, { SCMP_SYS(epoll_ctl), MANY },
	{ SCMP_SYS(epoll_wait), MANY }, { SCMP_SYS(epoll_pwait), MANY },
	{ SCMP_SYS(epoll_pwait2), MANY }, { SCMP_SYS(timerfd_create), MANY },
	{ SCMP_SYS(timerfd_settime), MANY }, { SCMP_SYS(timerfd_gettime), MANY },
	{ SCMP_SYS(sendto), 0 }, { SCMP_SYS(sendmsg), MANY },
	{ SCMP_SYS(sendmmsg), MANY }, { SCMP_SYS(recvfrom), 0 },
	{ SCMP_SYS(recvmsg), MANY }, { SCMP_SYS(recvmmsg), MANY },
	{ SCMP_SYS(shutdown), 0 }, { SCMP_SYS(getsockname), 0 },
	{ SCMP_SYS(getpeername), 0 }, { SCMP_SYS(getsockopt), 0 },
	{ SCMP_SYS(sendfile), MANY },
	/* fstat(3) is one of these with an empty path, which no filter can see */
	{ SCMP_SYS(newfstatat), 0 }, { SCMP_SYS(statx), 0 },
	/* paths */
	{ SCMP_SYS(stat), CAN_PATHS }, { SCMP_SYS(lstat), CAN_PATHS },
	{ SCMP_SYS(access), CAN_PATHS }, { SCMP_SYS(faccessat), CAN_PATHS },
	{ SCMP_SYS(faccessat2), CAN_PATHS }, { SCMP_SYS(readlink), CAN_PATHS },
	{ SCMP_SYS(readlinkat), CAN_PATHS },
	{ SCMP_SYS(getdents64), CAN_READ | CAN_WRITE },
	{ SCMP_SYS(statfs), CAN_READ | CAN_WRITE },
	{ SCMP_SYS(inotify_init1), CAN_READ | CAN_WRITE },
	{ SCMP_SYS(inotify_add_watch), CAN_READ | CAN_WRITE },
	{ SCMP_SYS(inotify_rm_watch), CAN_READ | CAN_WRITE },
	{ SCMP_SYS(getcwd), CAN_PATHS },
	{ SCMP_SYS(chdir), CAN_READ | CAN_WRITE },
	{ SCMP_SYS(fchdir), CAN_READ | CAN_WRITE },
	{ SCMP_SYS(rename), CAN_WRITE },
	{ SCMP_SYS(renameat), CAN_WRITE }, { SCMP_SYS(renameat2), CAN_WRITE },
	{ SCMP_SYS(link), CAN_WRITE }, { SCMP_SYS(linkat), CAN_WRITE },
	{ SCMP_SYS(unlink), CAN_WRITE }, { SCMP_SYS(unlinkat), CAN_WRITE },
	{ SCMP_SYS(mkdir), CAN_WRITE }, { SCMP_SYS(mkdirat), CAN_WRITE },
	{ SCMP_SYS(rmdir), CAN_WRITE },
	{ SCMP_SYS(fsync), CAN_WRITE }, { SCMP_SYS(fdatasync), CAN_WRITE },
	{ SCMP_SYS(sync_file_range), CAN_WRITE },
	{ SCMP_SYS(sync_file_range2), CAN_WRITE },
	{ SCMP_SYS(fallocate), CAN_WRITE }, { SCMP_SYS(ftruncate), CAN_WRITE },
	{ SCMP_SYS(utimensat), CAN_WRITE },
	{ SCMP_SYS(copy_file_range), CAN_WRITE },
	{ SCMP_SYS(io_setup), CAN_FLUSH }, { SCMP_SYS(io_submit), CAN_FLUSH },
	{ SCMP_SYS(io_getevents), CAN_FLUSH },
	{ SCMP_SYS(io_destroy), CAN_FLUSH },
	/* sockets */
	{ SCMP_SYS(connect), CAN_CONNECT },
	{ SCMP_SYS(bind), CAN_TCP | CAN_UDP },
	{ SCMP_SYS(accept), CAN_ACCEPT }, { SCMP_SYS(accept4), CAN_ACCEPT },
	/* workers; Landlock lets a signal reach nobody else */
	{ SCMP_SYS(fork), CAN_FORK }, { SCMP_SYS(wait4), CAN_FORK },
	{ SCMP_SYS(waitid), CAN_FORK }, { SCMP_SYS(kill), CAN_FORK },
	{ SCMP_SYS(setpgid), CAN_FORK },
	{ SCMP_SYS(seccomp), CAN_NEST },
	{ SCMP_SYS(landlock_create_ruleset), CAN_NEST },
	{ SCMP_SYS(landlock_add_rule), CAN_NEST },
	{ SCMP_SYS(landlock_restrict_self), CAN_NEST },
};

#define ALL		UINT64_MAX
#define INT32		UINT64_C(0xffffffff)	/* the kernel looks at 32 bits */
#define SOCKET_TYPE	UINT64_C(0xf)	/* without SOCK_CLOEXEC and SOCK_NONBLOCK */
#define NO_MODIFY	(O_ACCMODE | O_CREAT | O_TRUNC | __O_TMPFILE)
/* fork(2) as libc does it, and nothing that shares or leaves a name space. */
#define NOT_A_FORK	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
	CLONE_THREAD | CLONE_PTRACE | CLONE_PARENT | CLONE_NEWNS | \
	CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	CLONE_NEWPID | CLONE_NEWNET | CLONE_IO)
/* A thread shares all, and is of this process. */
#define A_THREAD	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
	CLONE_THREAD | CLONE_SYSVSEM)
#define THREAD_OR_NOT	(A_THREAD | NOT_A_FORK)
#if defined(__s390__) || defined(__s390x__)
#define CLONE_ARG	1
#else
#define CLONE_ARG	0
#endif

/* Allowed if the argument's bits under the mask are the value. */
static const struct {
	int		nr;
	unsigned	need, unless;
	unsigned	arg;
	uint64_t	mask, value;
} filtered[] = {
	{ SCMP_SYS(mmap), 0, 0, 2, PROT_EXEC, 0 },
	{ SCMP_SYS(mmap2), 0, 0, 2, PROT_EXEC, 0 },
	{ SCMP_SYS(mprotect), 0, 0, 2, PROT_EXEC, 0 },
	{ SCMP_SYS(prlimit64), 0, 0, 2, ALL, 0 },	/* asking only */
	{ SCMP_SYS(tgkill), 0, 0, 2, INT32, SIGABRT },	/* abort(3) */
	{ SCMP_SYS(ioctl), 0, 0, 1, INT32, FIONREAD },
	{ SCMP_SYS(ioctl), 0, 0, 1, INT32, FIONBIO },
	{ SCMP_SYS(ioctl), 0, 0, 1, INT32, TCGETS },	/* isatty(3) */
	{ SCMP_SYS(ioctl), 0, 0, 1, INT32, TIOCOUTQ },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_DUPFD },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_DUPFD_CLOEXEC },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_GETFD },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_SETFD },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_GETFL },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_SETFL },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_GETLK },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_SETLK },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_SETLKW },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_OFD_GETLK },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_OFD_SETLK },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_OFD_SETLKW },
	{ SCMP_SYS(fcntl), 0, 0, 1, INT32, F_GET_SEALS },
	{ SCMP_SYS(prctl), 0, 0, 0, INT32, PR_SET_NAME },
	{ SCMP_SYS(prctl), 0, 0, 0, INT32, PR_GET_NAME },
	{ SCMP_SYS(prctl), 0, 0, 0, INT32, PR_GET_DUMPABLE },
	{ SCMP_SYS(prctl), 0, 0, 0, INT32, PR_GET_SECCOMP },
	{ SCMP_SYS(prctl), CAN_NEST, 0, 0, INT32, PR_SET_NO_NEW_PRIVS },
	{ SCMP_SYS(prctl), CAN_NEST, 0, 0, INT32, PR_SET_SECCOMP },
	{ SCMP_SYS(open), CAN_PATHS, CAN_WRITE, 1, NO_MODIFY, 0 },
	{ SCMP_SYS(openat), CAN_PATHS, CAN_WRITE, 2, NO_MODIFY, 0 },
	/* no file that others could run as its owner */
	{ SCMP_SYS(open), CAN_WRITE, 0, 2, S_ISUID | S_ISGID, 0 },
	{ SCMP_SYS(openat), CAN_WRITE, 0, 3, S_ISUID | S_ISGID, 0 },
	{ SCMP_SYS(fchmod), CAN_WRITE, 0, 1, S_ISUID, 0 },
	/* the mark of a session that ends: as msg_send(), and no more than that of its kind */
	{ SCMP_SYS(sendmsg), CAN_MARK, 0, 2, INT32, MSG_NOSIGNAL },
	{ SCMP_SYS(socket), CAN_SOCKET, 0, 0, INT32, AF_UNIX },
	{ SCMP_SYS(socketpair), CAN_FORK | CAN_PAIR, 0, 0, INT32, AF_UNIX },
	{ SCMP_SYS(clone), CAN_FORK, 0, CLONE_ARG, NOT_A_FORK, 0 },
	{ SCMP_SYS(clone), CAN_THREAD, 0, CLONE_ARG, THREAD_OR_NOT, A_THREAD },
};

/* Allowed for the type, whatever the protocol of it. */
static const struct {
	int		family, type;
	unsigned	need;
} inet[] = {
	{ AF_INET, SOCK_STREAM, CAN_TCP },
	{ AF_INET6, SOCK_STREAM, CAN_TCP },
	{ AF_INET, SOCK_DGRAM, CAN_UDP },
	{ AF_INET6, SOCK_DGRAM, CAN_UDP },
};

static const struct {
	int		level, name;
	unsigned	need;
} options[] = {
	{ SOL_SOCKET, SO_RCVTIMEO, 0 },	{ SOL_SOCKET, SO_SNDTIMEO, 0 },
	{ SOL_SOCKET, SO_KEEPALIVE, 0 },	{ SOL_SOCKET, SO_LINGER, 0 },
	{ SOL_SOCKET, SO_SNDBUF, 0 },	{ SOL_SOCKET, SO_RCVBUF, 0 },
	{ SOL_SOCKET, SO_PASSCRED, 0 },	{ IPPROTO_TCP, TCP_NODELAY, 0 },
	{ IPPROTO_TCP, TCP_CORK, 0 },	{ IPPROTO_TCP, TCP_QUICKACK, 0 },
	{ IPPROTO_TCP, TCP_KEEPIDLE, 0 },	{ IPPROTO_TCP, TCP_KEEPINTVL, 0 },
	{ IPPROTO_TCP, TCP_KEEPCNT, 0 },	{ IPPROTO_TCP, TCP_USER_TIMEOUT, 0 },
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, CAN_TCP },
	/* of a socket for questions to name servers */
	{ SOL_SOCKET, SO_REUSEADDR, CAN_UDP },
	{ IPPROTO_IPV6, IPV6_V6ONLY, CAN_UDP },
	{ IPPROTO_IPV6, IPV6_MTU, CAN_UDP },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER, CAN_UDP },
	{ IPPROTO_IP, IP_MTU_DISCOVER, CAN_UDP },
	{ IPPROTO_IP, IP_RECVERR, CAN_UDP },
	{ IPPROTO_IPV6, IPV6_RECVERR, CAN_UDP },
	{ IPPROTO_TCP, TCP_MAXSEG, CAN_UDP },
};

/* Nothing of ours, and no library's probe, ever calls these. */
static const int	hostile[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
	SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick),
	SCMP_SYS(mount_setattr), SCMP_SYS(unshare), SCMP_SYS(setns),
	SCMP_SYS(bpf), SCMP_SYS(keyctl), SCMP_SYS(add_key),
	SCMP_SYS(request_key), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(personality), SCMP_SYS(userfaultfd),
	SCMP_SYS(perf_event_open),
};

/* A negative number is a call that this architecture does not have. */
static int
add(scmp_filter_ctx ctx, uint32_t action, int nr, unsigned n,
    const struct scmp_arg_cmp *args)
{
	return nr < 0 ? 0 : seccomp_rule_add_array(ctx, action, nr, n, args);
}

static bool
wanted(unsigned can, unsigned need, unsigned unless)
{
	return (need == 0 || (can & need) != 0) && (can & unless) == 0;
}

static int
add_calls(scmp_filter_ctx ctx, unsigned can)
{
	size_t	i;
	int	r;

	for (i = 0; i < nitems(hostile); i++)
		if ((r = add(ctx, SCMP_ACT_KILL_PROCESS, hostile[i], 0,
		    NULL)) != 0)
			return r;
	for (i = 0; i < nitems(calls); i++)
		if (wanted(can, calls[i].need, 0) && (r = add(ctx,
		    SCMP_ACT_ALLOW, calls[i].nr, 0, NULL)) != 0)
			return r;
	/* No filter can look into its argument: libc then tries clone. */
	return add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
}

static int
add_inet(scmp_filter_ctx ctx, unsigned can)
{
	struct scmp_arg_cmp	arg[2];
	size_t			i;
	int			r;

	for (i = 0; i < nitems(inet); i++) {
		if (!wanted(can, inet[i].need, 0))
			continue;
		arg[0] = SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, INT32,
		    (uint64_t)inet[i].family);
		arg[1] = SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, SOCKET_TYPE,
		    (uint64_t)inet[i].type);
		if ((r = add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
		    arg)) != 0)
			return r;
	}
	return 0;
}

static int
add_filtered(scmp_filter_ctx ctx, unsigned can)
{
	struct scmp_arg_cmp	arg[2];
	size_t			i;
	int			r;

	for (i = 0; i < nitems(filtered); i++) {
		if (!wanted(can, filtered[i].need, filtered[i].unless))
			continue;
		arg[0] = SCMP_CMP64(filtered[i].arg, SCMP_CMP_MASKED_EQ,
		    filtered[i].mask, filtered[i].value);
		if ((r = add(ctx, SCMP_ACT_ALLOW, filtered[i].nr, 1,
		    arg)) != 0)
			return r;
	}
	for (i = 0; i < nitems(options); i++) {
		if (!wanted(can, options[i].need, 0))
			continue;
		arg[0] = SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, INT32,
		    (uint64_t)options[i].level);
		arg[1] = SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, INT32,
		    (uint64_t)options[i].name);
		if ((r = add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
		    arg)) != 0)
			return r;
	}
	return 0;
}

/* The rules as the program that the kernel runs. */
static int
make_rules(scmp_filter_ctx ctx, unsigned can)
{
	int	r;

	if ((r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS)) != 0 || (r = add_calls(ctx, can)) != 0 ||
	    (r = add_filtered(ctx, can)) != 0 ||
	    (r = add_inet(ctx, can)) != 0)
		return r;
	/* A tree instead of a list: a call is looked up in some eight steps. */
	return seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
}

static int
export(scmp_filter_ctx ctx, struct buf *out)
{
	int	fd, r;

	if ((fd = memfd_create("filter", MFD_CLOEXEC)) == -1)
		return -errno;
	if ((r = seccomp_export_bpf(ctx, fd)) == 0 &&
	    (lseek(fd, 0, SEEK_SET) == -1 || fdio_slurp(fd, out) == -1))
		r = -errno;
	fdio_close(&fd);
	return r;
}

int
sandbox_seccomp_compile(unsigned can, struct buf *out, struct diag *why)
{
	scmp_filter_ctx	ctx;
	int		r;

	if ((ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM))) == NULL)
		return diag_set(why, "seccomp: out of memory");
	if ((r = make_rules(ctx, can)) == 0)
		r = export(ctx, out);
	seccomp_release(ctx);
	/* The library's work was large; workers inherit what is not given back. */
	malloc_trim(0);
	if (r == 0)
		return 0;
	errno = -r;
	return diag_errno(why, "seccomp: filter");
}
