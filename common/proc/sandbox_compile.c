/*
 * common/proc/sandbox_compile.c - the filter of a profile as a program for the
 * kernel: for oneself, for workers that are forked, or as a sealed file for
 * programs that live shortly.
 */
#include "common/proc/sandbox.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdlib.h>

#include "common/base/fdio.h"
#include "common/proc/sandbox_impl.h"

struct sandbox_filter {
	enum sandbox_profile	profile;
	struct buf		program;
};

static void
filter_free(struct sandbox_filter **fp)
{
	if (*fp == NULL)
		return;
	buf_free(&(*fp)->program);
	free(*fp);
	*fp = NULL;
}

int
sandbox_compile(enum sandbox_profile p, struct sandbox_filter **out,
    struct diag *why)
{
	struct sandbox_filter	*f;

	*out = NULL;
	if ((unsigned)p >= SANDBOX_COUNT)
		return diag_set(why, "sandbox: no profile %d", (int)p);
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return diag_errno(why, "sandbox");
	f->profile = p;
	buf_init(&f->program, SECCOMP_MAX);
	if (sandbox_seccomp_compile(sandbox_can(p), &f->program, why) == -1)
		filter_free(&f);
	*out = f;
	return f == NULL ? -1 : 0;
}

int
sandbox_enter_with(const struct sandbox_filter *f,
    const struct sandbox_path *paths, size_t n, struct diag *why)
{
	/* the buffer's memory comes from malloc: aligned for anything */
	struct sock_filter	*list =
				    (struct sock_filter *)(void *)f->program.p;
	const struct sock_fprog	 program = {
		.len = (unsigned short)(f->program.n / sizeof(*list)),
		.filter = list
	};

	return sandbox_enter_program(f->profile, paths, n, &program, why);
}

int
sandbox_enter(enum sandbox_profile p, const struct sandbox_path *paths,
    size_t n, struct diag *why)
{
	struct sandbox_filter	*f;
	int			 r;

	if (sandbox_compile(p, &f, why) == -1)
		return -1;
	r = sandbox_enter_with(f, paths, n, why);
	filter_free(&f);
	return r;
}

int
sandbox_export(enum sandbox_profile p, struct diag *why)
{
	struct sandbox_filter	*f;
	int			 fd;

	if (sandbox_compile(p, &f, why) == -1)
		return -1;
	fd = memfd_create("filter", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1 || fdio_write(fd, f->program.p, f->program.n) == -1 ||
	    fcntl(fd, F_ADD_SEALS, SANDBOX_SEALS) == -1) {
		diag_errno(why, "sandbox %s: filter", sandbox_name(p));
		fdio_close(&fd);
	}
	filter_free(&f);
	return fd;
}
