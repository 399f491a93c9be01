/* common/base/diag.c - one sentence on what is wrong and where. */
#include "common/base/diag.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
diag_set(struct diag *d, const char *fmt, ...)
{
	int	saved = errno;
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(d->text, sizeof(d->text), fmt, ap);
	va_end(ap);
	errno = saved;
	return -1;
}

int
diag_errno(struct diag *d, const char *fmt, ...)
{
	int	saved = errno;
	size_t	n;
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(d->text, sizeof(d->text), fmt, ap);
	va_end(ap);
	n = strlen(d->text);
	snprintf(d->text + n, sizeof(d->text) - n, ": %s", strerror(saved));
	errno = saved;
	return -1;
}

int
diag_at(struct diag *d, const char *file, unsigned line, unsigned col,
    const char *fmt, ...)
{
	int	saved = errno;
	size_t	n;
	va_list	ap;

	snprintf(d->text, sizeof(d->text), "%s:%u:%u: ", file, line, col);
	n = strlen(d->text);
	va_start(ap, fmt);
	vsnprintf(d->text + n, sizeof(d->text) - n, fmt, ap);
	va_end(ap);
	errno = saved;
	return -1;
}
