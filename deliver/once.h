/* deliver/once.h - one message from standard input to its place, once. */
#ifndef DELIVER_ONCE_H
#define DELIVER_ONCE_H

#include "deliver/opts.h"
#include "deliver/target.h"

/* As the user; by_root: called by root, which is the sender if nobody says otherwise. A sysexits(3) status; *why is what to say of it, also of 0. */
int	once_deliver(const struct opts *, const struct target *, bool by_root, struct diag *why) must_check;

#endif
