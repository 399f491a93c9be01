/* common/base/fdio.h - whole reads and writes, descriptor flags. Retries EINTR. */
#ifndef BASE_FDIO_H
#define BASE_FDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"

/* All n bytes or -1; a short write gives -1 with the errno of the failing part (ENOSPC ...). */
int	fdio_write(int, const void *, size_t) must_check;
int	fdio_pwrite(int, const void *, size_t, off_t) must_check;
/* Until n bytes or end of file: the number read, or -1. */
ssize_t	fdio_read(int, void *, size_t) must_check;
ssize_t	fdio_pread(int, void *, size_t, off_t) must_check;
/* The rest of the file; -1 EMSGSIZE if it is longer than the buffer's maximum. */
int	fdio_slurp(int, struct buf *) must_check;
/*
 * A regular file that somebody else has opened for us (-1: he could not), whole, into an empty buffer; path is for
 * *why. secret: nobody but its owner may be able to use it (0600), and no copy of it stays in memory that is given back.
 */
int	fdio_slurp_given(int, const char *path, bool secret, struct buf *, struct diag *why) must_check;
/* Of a descriptor; what is no regular file: ENXIO, EISDIR. */
int	fdio_slurp_file(int, struct buf *) must_check;
/* A file below dirfd (AT_FDCWD allowed), whole. What is no regular file is not waited for: ENXIO, EISDIR. */
int	fdio_slurp_at(int, const char *, struct buf *) must_check;
int	fdio_nonblock(int, int) must_check;	/* second: 1 on, 0 off */
int	fdio_cloexec(int, int) must_check;
/* Waits until fd is readable/writable (POLLIN/POLLOUT) or deadline (now_ms scale; -1 never): 0, -1 ETIMEDOUT. */
int	fdio_wait(int, short, int64_t) must_check;
/* Directory descriptor: O_RDONLY|O_DIRECTORY|O_CLOEXEC|O_NOFOLLOW. */
int	fdio_opendir(int, const char *) must_check;
/*
 * Calls fn(arg, fd of the directory, name) for each name but . and .. in a directory below dirfd until it is not 0,
 * which is returned. -1: errno.
 */
int	fdio_each(int dirfd, const char *, int (*fn)(void *, int, const char *), void *) must_check;
/* The same of a descriptor, from where it is read to its end. */
int	fdio_each_in(int, int (*fn)(void *, int, const char *), void *) must_check;
/* Closes and sets to -1; keeps errno; does nothing on -1. */
void	fdio_close(int *);

#endif
