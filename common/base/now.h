/* common/base/now.h - the clocks; everything else takes the time as an argument. */
#ifndef BASE_NOW_H
#define BASE_NOW_H

#include <stdint.h>
#include <time.h>

int64_t		now_ms(void);		/* monotonic milliseconds, for deadlines */
int64_t		now_ticked_ms(void);	/* the same at its last tick: nearly free, for what asks for each of a million things */
struct timespec	now_real(void);		/* wall clock */
/*
 * The wall clock as it stood at its last tick: file systems of this machine take their times from it, so that what changes from now on is
 * not older. A processor that is kept from ticking, a virtual machine's above all, leaves it behind now_real() for any time.
 */
struct timespec	now_ticked(void);
int64_t		now_real_ms(void);	/* wall clock in milliseconds since 1970 */

#endif
