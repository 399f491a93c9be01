/* common/proc/ready.h - sd_notify(3)'s datagram protocol without its library. */
#ifndef PROC_READY_H
#define PROC_READY_H

#include <stdint.h>

#include "common/base/attr.h"

/* Sends text ("READY=1\nSTATUS=...") to $NOTIFY_SOCKET (path or @abstract). 0 also when it is not set. */
int	ready_notify(const char *) must_check;
/* Half of WATCHDOG_USEC in ms if it is for this pid, 0 for none. */
int64_t	ready_watchdog_ms(void);

#endif
