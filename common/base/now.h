/* common/base/now.h - the clocks; everything else takes the time as an argument. */
#ifndef BASE_NOW_H
#define BASE_NOW_H

#include <stdint.h>
#include <time.h>

int64_t		now_ms(void);		/* monotonic milliseconds, for deadlines */
struct timespec	now_real(void);		/* wall clock */
int64_t		now_real_ms(void);	/* wall clock in milliseconds since 1970 */

#endif
