/*
 * common/store/flush.c - fsync(2). Several are given to the kernel's workers by
 * io_submit(2): each would wait for the disk alone, together they share its
 * flushes. No threads, no io_uring.
 */
#include "common/store/flush.h"

#include <sys/syscall.h>

#include <errno.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

int
flush_one(int fd)
{
	int	r;

	while ((r = fsync(fd)) == -1 && errno == EINTR)
		continue;
	return r;
}

static int
one_by_one(const int *fds, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (flush_one(fds[i]) == -1)
			return -1;
	return 0;
}

/* Waits for n ends; -1 with the errno of the last that failed. */
static int
collect(aio_context_t ctx, size_t n)
{
	struct io_event	events[FLUSH_MAX];
	size_t		i, done = 0;
	int		error = 0;
	long		got;

	while (done < n) {
		got = syscall(SYS_io_getevents, ctx, 1L, (long)(n - done),
		    events, NULL);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		for (i = 0; i < (size_t)got; i++)
			if (events[i].res < 0)
				error = (int)-events[i].res;
		done += (size_t)got;
	}
	errno = error;
	return error == 0 ? 0 : -1;
}

/* What the kernel did not take is flushed here, while it does the others. */
static int
together(aio_context_t ctx, const int *fds, size_t n)
{
	struct iocb	cbs[FLUSH_MAX], *list[FLUSH_MAX];
	size_t		i;
	long		taken;
	int		rest, saved;

	memset(cbs, 0, sizeof(cbs));
	for (i = 0; i < n; i++) {
		cbs[i].aio_lio_opcode = IOCB_CMD_FSYNC;
		cbs[i].aio_fildes = (uint32_t)fds[i];
		list[i] = &cbs[i];
	}
	taken = syscall(SYS_io_submit, ctx, (long)n, list);
	if (taken < 0)
		taken = 0;
	rest = one_by_one(fds + taken, n - (size_t)taken);
	saved = errno;
	if (collect(ctx, (size_t)taken) == -1)
		return -1;
	errno = saved;
	return rest;
}

static bool
is_open(struct flush *f)
{
	if (f->ctx == 0 && !f->refused && syscall(SYS_io_setup,
	    (long)FLUSH_MAX, &f->ctx) == -1)
		f->refused = true;
	return f->ctx != 0;
}

int
flush_all(struct flush *f, const int *fds, size_t n)
{
	size_t	now;

	if (n <= 1 || !is_open(f))
		return one_by_one(fds, n);
	for (; n > 0; fds += now, n -= now) {
		now = n < FLUSH_MAX ? n : FLUSH_MAX;
		if (together(f->ctx, fds, now) == -1)
			return -1;
	}
	return 0;
}

void
flush_close(struct flush *f)
{
	int	saved = errno;

	if (f->ctx != 0 && syscall(SYS_io_destroy, f->ctx) == -1)
		f->refused = true;
	f->ctx = 0;
	errno = saved;
}
