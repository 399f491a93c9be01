/* common/base/large.c - a hint to the kernel. */
#include "common/base/large.h"

#include <sys/mman.h>

#include <errno.h>
#include <stdint.h>

#define LEAST	((size_t)4 << 20)	/* two large pages of the usual size */
#define PAGE	((uintptr_t)4096)

void
large_hint(const void *p, size_t n)
{
#ifdef MADV_HUGEPAGE
	const uintptr_t	from = (uintptr_t)p & ~(PAGE - 1);
	const uintptr_t	to = ((uintptr_t)p + n + PAGE - 1) & ~(PAGE - 1);
	int		saved = errno;

	/* all of it, so that realloc(3) finds one mapping and can move it */
	if (n >= LEAST)
		(void)madvise((void *)from, to - from, MADV_HUGEPAGE);
	errno = saved;
#else
	(void)p;
	(void)n;
#endif
}
