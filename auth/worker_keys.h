/* auth/worker_keys.h - the other task of a worker: keys for SCRAM from a password. */
#ifndef AUTH_WORKER_KEYS_H
#define AUTH_WORKER_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/fmt/scram_server.h"

/* Salt and iterations are those of the keys. One task at a time, of either kind. */
int	worker_keys_ask(int, uint64_t id, const struct scram_hash *, struct str password, const struct scram_keys *)
	    must_check;
/* In the record that worker_answer has read: stored and server of the keys are set. False: they could not be made. */
bool	worker_keys_answer(const struct scram_hash *, struct str rec, struct scram_keys *);

/* In the worker: is this task one of these? */
bool	worker_keys_is(struct str rec);
/* Does it, wipes the record and answers. 1, or -1. */
int	worker_keys_do(int, struct buf *rec) must_check;

#endif
