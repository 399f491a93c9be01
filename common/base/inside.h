/*
 * common/base/inside.h - files below a directory that other programs may have put links into. Where many users have one uid, as in mail
 * that all belongs to "vmail", a link may lead to somebody else's. The wall is Landlock (proc/sandbox.h): behind it links are
 * followed as far as it lets them. Where the process has none, as on old kernels, no link is followed at all: EACCES, as behind the wall.
 */
#ifndef BASE_INSIDE_H
#define BASE_INSIDE_H

#include "common/base/attr.h"
#include "common/base/buf.h"

/* As openat(2) with O_CLOEXEC, which makes no file. No part of the path is "..". */
int	inside_open(int dir, const char *path, int flags) must_check;
/* As fdio_slurp_at. */
int	inside_slurp(int dir, const char *path, struct buf *) must_check;

#endif
