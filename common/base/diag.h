/* common/base/diag.h - one sentence on what is wrong and where. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdarg.h>

#include "common/base/attr.h"

#define DIAG_MAX	512

struct diag {
	char	text[DIAG_MAX];	/* "" as long as nothing is wrong */
};

/* Sets the text (cut at DIAG_MAX); always returns -1, so: return diag_set(...). errno is kept. */
int	diag_set(struct diag *, const char *, ...) printf_like(2, 3);
/* As above with ": strerror(errno)" appended. */
int	diag_errno(struct diag *, const char *, ...) printf_like(2, 3);
/* "file:line:column: text" */
int	diag_at(struct diag *, const char *, unsigned, unsigned, const char *, ...)
	    printf_like(5, 6);

#endif
