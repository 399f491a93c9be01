/* route/memory.h - a table in memory: filled, sorted, asked. What route -c proves before it writes. */
#ifndef ROUTE_MEMORY_H
#define ROUTE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

struct memory_row {
	size_t		 key, value;		/* where in text */
	size_t		 key_n, value_n;
	const char	*file;			/* borrowed */
	unsigned	 line;
};

struct memory {
	struct buf		 text;
	struct memory_row	*rows;
	size_t			 n, cap;
};

void	memory_init(struct memory *);
void	memory_free(struct memory *);
int	memory_add(struct memory *, struct str key, struct str value, const char *file, unsigned line) must_check;
/* Calls twice(arg, first, second) for each key that is there more than once. */
void	memory_sort(struct memory *, void (*twice)(void *, const struct memory_row *, const struct memory_row *), void *);
/* After memory_sort. */
bool	memory_get(const struct memory *, struct str key, struct str *value);
struct str memory_key(const struct memory *, const struct memory_row *);
struct str memory_value(const struct memory *, const struct memory_row *);

#endif
