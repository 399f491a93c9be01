/* common/proc/sig.h - signals set a flag and write to a pipe, nothing else. */
#ifndef PROC_SIG_H
#define PROC_SIG_H

#include <stdbool.h>

#include "common/base/attr.h"

enum sig_event { SIG_EV_TERM = 1, SIG_EV_HUP = 2, SIG_EV_CHLD = 4, SIG_EV_USR1 = 8 };

/* Catch TERM+INT, HUP, CHLD, USR1 as in the mask, the others get their default; PIPE is ignored. fd to poll for reading, or -1. */
int	sig_init(unsigned) must_check;
/* After the fd was readable: which came since (and clears). */
unsigned sig_take(void);
/* The fd of sig_init or sig_after_fork, -1 before these: for who only waits for TERM. */
int	sig_wake_fd(void);
/* For blocking code: non-zero once TERM came. */
const volatile int *sig_stop_flag(void);
/* After fork in a worker: forget the parent's pipe, make an own one. fd to poll, or -1. A TERM already taken by the parent, or that came since the fork, is kept. */
int	sig_after_fork(unsigned) must_check;
/* Does a process that ends by this signal have a fault (SEGV, BUS, ILL, ABRT, FPE, SYS)? 0: it did not end by one. */
bool	sig_is_fault(int);

#endif
