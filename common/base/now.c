/* common/base/now.c - the clocks. */
#include "common/base/now.h"

static struct timespec
read_clock(clockid_t clock)
{
	struct timespec	ts;

	clock_gettime(clock, &ts);
	return ts;
}

static int64_t
in_ms(struct timespec ts)
{
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
now_ms(void)
{
	return in_ms(read_clock(CLOCK_MONOTONIC));
}

int64_t
now_ticked_ms(void)
{
	return in_ms(read_clock(CLOCK_MONOTONIC_COARSE));
}

struct timespec
now_real(void)
{
	return read_clock(CLOCK_REALTIME);
}

struct timespec
now_ticked(void)
{
	return read_clock(CLOCK_REALTIME_COARSE);
}

int64_t
now_real_ms(void)
{
	return in_ms(now_real());
}
