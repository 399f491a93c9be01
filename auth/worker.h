/* auth/worker.h - processes that compute hashes, so that the loop never waits for one. */
#ifndef AUTH_WORKER_H
#define AUTH_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "auth/source.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#define WORKERS_MAX	64

/* auth.workers; 0: as many as there are processors. 1 to WORKERS_MAX. */
size_t	worker_count(const struct settings *);
/* Forks one, which keeps nothing but this socket and the log. fd to talk to it by, non-blocking; or -1. */
int	worker_start(const char *user, const char *dir) must_check;
/* Which of the records does the password fit? Their number is at most ACCOUNT_SECRETS. One task at a time. */
int	worker_ask(int, uint64_t id, const struct secret *, size_t n, struct str password) must_check;
/*
 * 1: the task has been done, *which is the index of the first that fits, -1 if none does; 0: nothing yet; -1: it
 * has died.
 */
int	worker_answer(int, struct buf *, uint64_t *id, int *which) must_check;

#endif
