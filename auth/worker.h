/* auth/worker.h - processes that compute hashes, so that the loop never waits for one. */
#ifndef AUTH_WORKER_H
#define AUTH_WORKER_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

/* Forks one, which keeps nothing but this socket and the log. fd to talk to it by, non-blocking; or -1. */
int	worker_start(const char *user, const char *dir) must_check;
/* One task at a time. */
int	worker_ask(int, uint64_t id, struct str record, struct str password) must_check;
/* 1: the task has been done, 0: nothing yet, -1: it has died. */
int	worker_answer(int, struct buf *, uint64_t *id, bool *ok) must_check;

#endif
