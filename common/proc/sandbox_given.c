/*
 * common/proc/sandbox_given.c - the sandbox of a program that lives shortly,
 * with a filter that its parent compiled for all of its kind. Apart, so that
 * it need not link what compiles filters.
 */
#include "common/proc/sandbox.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>

#include "common/proc/sandbox_impl.h"

/* Nobody can change it any more, and it is as long as a program can be. */
static int
check(int fd, size_t *size, struct diag *why)
{
	struct stat	st;
	int		seals = fcntl(fd, F_GET_SEALS);

	if (seals == -1 || fstat(fd, &st) == -1)
		return diag_errno(why, "sandbox: the filter that was given");
	if ((seals & SANDBOX_SEALS) != SANDBOX_SEALS) {
		errno = EINVAL;
		return diag_set(why, "sandbox: the filter is not sealed");
	}
	if (st.st_size <= 0 || (size_t)st.st_size > SECCOMP_MAX ||
	    (size_t)st.st_size % sizeof(struct sock_filter) != 0) {
		errno = EINVAL;
		return diag_set(why, "sandbox: the filter has %lld octets",
		    (long long)st.st_size);
	}
	*size = (size_t)st.st_size;
	return 0;
}

int
sandbox_enter_given(enum sandbox_profile p, int fd,
    const struct sandbox_path *paths, size_t n, struct diag *why)
{
	struct sock_filter	*list;
	struct sock_fprog	 program;
	size_t			 size = 0;
	int			 r;

	if (check(fd, &size, why) == -1)
		return -1;
	list = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (list == MAP_FAILED)
		return diag_errno(why, "sandbox: the filter that was given");
	program = (struct sock_fprog){
		.len = (unsigned short)(size / sizeof(*list)), .filter = list
	};
	r = sandbox_enter_program(p, paths, n, &program, why);
	(void)munmap(list, size);
	return r;
}
