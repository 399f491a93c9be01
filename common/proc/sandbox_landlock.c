/*
 * common/proc/sandbox_landlock.c - files, ports and scopes by Landlock, as
 * much of it as the running kernel knows. See landlock(7).
 */
#include "common/proc/sandbox_impl.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "common/base/fdio.h"

/*
 * The kernel's interface. The header of older systems ends at ABI 2, so all of
 * it is written down here.
 */
#define FS_EXECUTE	(1ULL << 0)
#define FS_WRITE_FILE	(1ULL << 1)
#define FS_READ_FILE	(1ULL << 2)
#define FS_READ_DIR	(1ULL << 3)
#define FS_REMOVE_DIR	(1ULL << 4)
#define FS_REMOVE_FILE	(1ULL << 5)
#define FS_MAKE_CHAR	(1ULL << 6)
#define FS_MAKE_DIR	(1ULL << 7)
#define FS_MAKE_REG	(1ULL << 8)
#define FS_MAKE_SOCK	(1ULL << 9)
#define FS_MAKE_FIFO	(1ULL << 10)
#define FS_MAKE_BLOCK	(1ULL << 11)
#define FS_MAKE_SYM	(1ULL << 12)
#define FS_REFER	(1ULL << 13)	/* ABI 2 */
#define FS_TRUNCATE	(1ULL << 14)	/* ABI 3 */
#define FS_IOCTL_DEV	(1ULL << 15)	/* ABI 5 */
#define FS_ABI1		((1ULL << 13) - 1)
#define NET_BIND_TCP	(1ULL << 0)	/* ABI 4 */
#define NET_CONNECT_TCP	(1ULL << 1)
#define SCOPE_ABSTRACT	(1ULL << 0)	/* ABI 6 */
#define SCOPE_SIGNAL	(1ULL << 1)
#define RULE_PATH	1
#define RULE_PORT	2	/* ABI 4 */
#define GET_VERSION	1U

struct ruleset_attr {
	uint64_t	fs, net, scoped;
};

struct port_attr {
	uint64_t	allowed, port;
};

struct path_attr {
	uint64_t	allowed;
	int32_t		parent_fd;
} __attribute__((packed));

int
sandbox_landlock_abi(void)
{
	long	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, GET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

/* Everything that this kernel can forbid; what no rule gives back is denied. */
static struct ruleset_attr
handled(int abi, unsigned can)
{
	struct ruleset_attr	a = { FS_ABI1, 0, 0 };

	if (abi >= 2)
		a.fs |= FS_REFER;
	if (abi >= 3)
		a.fs |= FS_TRUNCATE;
	if (abi >= 4)
		a.net = NET_BIND_TCP |
		    ((can & CAN_TCP) != 0 ? 0 : NET_CONNECT_TCP);
	if (abi >= 5)
		a.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		a.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	return a;
}

static uint64_t
access_of(unsigned rights, bool is_dir)
{
	uint64_t	a = 0;

	if (rights & SANDBOX_READ)
		a |= FS_READ_FILE | (is_dir ? FS_READ_DIR : 0);
	if (rights & SANDBOX_WRITE)
		a |= FS_WRITE_FILE | FS_TRUNCATE;
	if ((rights & SANDBOX_WRITE) && is_dir)
		a |= FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
		    FS_MAKE_REG | FS_REFER;
	return a;
}

static int
allow(int ruleset, const struct sandbox_path *p, uint64_t known,
    struct diag *why)
{
	const char		*name = p->path == NULL ? "a descriptor" :
				    p->path;
	struct path_attr	attr;
	struct stat		st;
	int			fd, r = -1;

	if (p->path == NULL)
		fd = fcntl((int)(p->rights / SANDBOX_FD(1)), F_DUPFD_CLOEXEC, 0);
	else
		fd = open(p->path, O_PATH | O_CLOEXEC);
	if (fd == -1) {
		if (errno == ENOENT)
			return 0;
		return diag_errno(why, "sandbox: open %s", name);
	}
	if (fstat(fd, &st) == -1) {
		diag_errno(why, "sandbox: fstat %s", name);
		goto done;
	}
	attr.allowed = access_of(p->rights, S_ISDIR(st.st_mode)) & known;
	attr.parent_fd = fd;
	if (attr.allowed != 0 && syscall(SYS_landlock_add_rule, ruleset,
	    RULE_PATH, &attr, 0) == -1) {
		diag_errno(why, "landlock: rule for %s", name);
		goto done;
	}
	r = 0;
done:
	fdio_close(&fd);
	return r;
}

/* Port 0: one that the kernel chooses, of an own address to connect from. */
static int
allow_source(int ruleset, struct diag *why)
{
	struct port_attr	attr = { NET_BIND_TCP, 0 };

	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &attr, 0) == -1)
		return diag_errno(why, "landlock: rule for source addresses");
	return 0;
}

int
sandbox_landlock(unsigned can, const struct sandbox_path *paths, size_t n,
    struct diag *why)
{
	struct ruleset_attr	attr;
	size_t			i;
	int			abi, ruleset;

	if ((abi = sandbox_landlock_abi()) == 0)
		return 0;
	attr = handled(abi, can);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr,
	    sizeof(attr), 0);
	if (ruleset == -1)
		return diag_errno(why, "landlock: ruleset for ABI %d", abi);
	if ((can & CAN_TCP) != 0 && attr.net != 0 && allow_source(ruleset, why) == -1)
		goto fail;
	for (i = 0; i < n; i++)
		if (allow(ruleset, &paths[i], attr.fs, why) == -1)
			goto fail;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) == -1) {
		diag_errno(why, "landlock: enter");
		goto fail;
	}
	fdio_close(&ruleset);
	return 0;
fail:
	fdio_close(&ruleset);
	return -1;
}
