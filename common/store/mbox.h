/* common/store/mbox.h - appending to an mbox file under dot-lock and fcntl lock, mboxrd quoting. */
#ifndef STORE_MBOX_H
#define STORE_MBOX_H

#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/base/str.h"

/*
 * Appends one message: From_ line, head (header lines put in front, LF ends), the content of fd at..at+len with CRLF
 * or LF ends made LF and From lines quoted, an empty line. All or nothing: the file is truncated back on
 * failure; flushed before 0. -1: errno (ETIMEDOUT: lock not had; EDQUOT, ENOSPC ...), *why.
 */
int	mbox_append(const char *path, const char *sender, int64_t now, struct str head, int fd, off_t at, off_t len, int64_t lock_timeout_ms, struct diag *why) must_check;

#endif
